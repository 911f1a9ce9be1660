/** A length of time in milliseconds; the type says the unit. */
export type DurationMs = number;

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const partPattern = /([0-9]*\.?[0-9]+|[0-9]+\.)(ns|us|µs|μs|ms|s|m|h)/y;

/** Milliseconds of a Go duration (`1h30m`, `1.5s`, `-2m`), or undefined when it is none. Follows Go's time.ParseDuration. */
export function parseDuration(text: string): DurationMs | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  if (body === '') return undefined;
  let total = 0;
  partPattern.lastIndex = 0;
  while (partPattern.lastIndex < body.length) {
    const match = partPattern.exec(body);
    if (match === null) return undefined;
    total += Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  }
  return sign * total;
}

/** The text Go's Duration.String gives: `1h0m0s`, `1.5s`, `250ms`, `0s`. Nanoseconds are the smallest step. */
export function formatDuration(duration: DurationMs): string {
  const nanoseconds = Math.round(Math.abs(duration) * 1e6);
  if (nanoseconds === 0) return '0s';
  const sign = duration < 0 ? '-' : '';
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${sign}${trimmed(nanoseconds, 3)}µs`;
  if (nanoseconds < 1e9) return `${sign}${trimmed(nanoseconds, 6)}ms`;
  const wholeSeconds = Math.floor(nanoseconds / 1e9);
  const seconds = trimmed((wholeSeconds % 60) * 1e9 + (nanoseconds % 1e9), 9);
  const minutes = Math.floor(wholeSeconds / 60) % 60;
  const hours = Math.floor(wholeSeconds / 3600);
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

function trimmed(value: number, decimals: number): string {
  const whole = Math.floor(value / 10 ** decimals);
  const fraction = String(value % 10 ** decimals)
    .padStart(decimals, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}
