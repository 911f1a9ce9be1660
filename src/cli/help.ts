import type { Command, OptionSpec } from './command.ts';
import { commonOptions } from './globalOptions.ts';

/** The overview `plumb --help` prints. */
export function formatOverview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'Is the cluster true to Git? Plumb builds what Flux would build, compares it with the cluster, and reconciles.',
    '',
    'Usage: plumb COMMAND [ARGUMENTS] [FLAGS]',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`),
    '',
    'Exit codes: 0 done · 1 differences or problems found · 2 only you can fix it · 3 something else comes first ·',
    '            4 the cluster or network failed · 64 wrong usage · 70 a defect in Plumb · 130 cancelled',
    '',
    'plumb COMMAND --help tells more, with examples.',
    '',
  ].join('\n');
}

/** What `plumb COMMAND --help` prints. */
export function formatCommandHelp(command: Command): string {
  const flags = Object.entries<OptionSpec>({ ...command.options, ...commonOptions }).map(
    ([name, option]) => [flagText(name, option), option.description] as const,
  );
  const width = Math.max(...flags.map(([flag]) => flag.length));
  return [
    `${command.summary}.`,
    '',
    `Usage: plumb ${command.name} ${command.usage}`.trimEnd(),
    ...(command.details === undefined ? [] : ['', command.details]),
    '',
    'Examples:',
    ...command.examples.flatMap(([line, what]) => [`  # ${what}`, `  ${line}`]),
    '',
    'Flags:',
    ...flags.map(([flag, description]) => `  ${flag.padEnd(width)}   ${description}`),
    '',
  ].join('\n');
}

function flagText(name: string, option: OptionSpec): string {
  const long = option.type === 'string' ? `--${name} ${option.value ?? 'VALUE'}` : `--${name}`;
  return option.short === undefined ? `    ${long}` : `-${option.short}, ${long}`;
}
