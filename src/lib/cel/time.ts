const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Nanoseconds of a Go duration (`1h30m`, `-1.5s`), exact; undefined when it is none. */
export function parseGoDuration(text: string): bigint | undefined {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0n;
  if (!/^(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(
    /([0-9]*)\.?([0-9]*)(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const scale = unitNanoseconds[unit] as bigint;
    total += BigInt(whole === '' ? '0' : whole) * scale;
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return text.startsWith('-') ? -total : total;
}

const timestampPattern =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/** Nanoseconds since 1970 of an RFC 3339 time; undefined when it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const found = timestampPattern.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = found;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const isRealDay = !Number.isNaN(milliseconds) && new Date(milliseconds).getUTCDate() === Number(day);
  if (!isRealDay) return undefined;
  const offset = zone === 'Z' ? 0 : offsetMinutes(zone);
  if (offset === undefined) return undefined;
  const nanoseconds = BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return (BigInt(milliseconds) - BigInt(offset) * 60_000n) * 1_000_000n + nanoseconds;
}

/** Minutes of `+02:00`; undefined for what is no offset. */
export function offsetMinutes(zone: string): number | undefined {
  const found = /^([+-]?)([0-9]{2}):([0-9]{2})$/.exec(zone);
  if (found === null || Number(found[2]) > 24 || Number(found[3]) > 59) return undefined;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return found[1] === '-' ? -minutes : minutes;
}

/** RFC 3339 in UTC, with as many fraction digits as there are. */
export function formatTimestamp(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanoseconds - fraction) / 1_000_000_000n;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fractionText(fraction)}Z`;
}

/** A duration in seconds, as protobuf's JSON writes it: `90s`, `1.5s`. */
export function formatDurationSeconds(nanoseconds: bigint): string {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const sign = nanoseconds < 0n ? '-' : '';
  return `${sign}${magnitude / 1_000_000_000n}${fractionText(magnitude % 1_000_000_000n)}s`;
}

function fractionText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '';
  return `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
}
