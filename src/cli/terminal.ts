/** Where a command writes: results to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isInteractive: boolean;
  readonly columns: number;
  readonly style: Style;
}

/** Colours; the identity where they are off. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const escape = '\u001b[';

/** Colours, or plain text. */
export function styleFor(colors: boolean): Style {
  const wrap =
    (code: number, end: number) =>
    (text: string): string =>
      colors ? `${escape}${code}m${text}${escape}${end}m` : text;
  return {
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    red: wrap(31, 39),
    green: wrap(32, 39),
    yellow: wrap(33, 39),
    cyan: wrap(36, 39),
  };
}

/** Colours are on at a terminal unless NO_COLOR, TERM=dumb or --no-color says otherwise; FORCE_COLOR turns them on in pipes. */
export function wantsColors(
  isTty: boolean,
  env: Readonly<Record<string, string | undefined>>,
  noColor: boolean,
): boolean {
  if (noColor || (env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0') return true;
  return isTty && env['TERM'] !== 'dumb';
}

/** The process's own terminal. */
export function processTerminal(noColor: boolean): Terminal {
  const isInteractive = process.stdout.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isInteractive,
    columns: process.stdout.columns ?? 120,
    style: styleFor(wantsColors(isInteractive, process.env, noColor)),
  };
}
