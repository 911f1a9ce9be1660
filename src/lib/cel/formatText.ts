import { formatDouble } from './conversions.ts';
import { formatDurationSeconds, formatTimestamp } from './time.ts';
import {
  CelDuration,
  CelError,
  CelMap,
  CelTimestamp,
  CelType,
  CelUint,
  typeName,
  type CelValue,
} from './values.ts';

/** The text with its clauses (`%s`, `%d`, `%.2f` …) filled in from the list. Follows cel-go's ext.Strings format. */
export function formatText(format: string, values: readonly CelValue[]): string {
  let next = 0;
  const take = (): CelValue => {
    const value = values[next];
    if (value === undefined) throw new CelError(`index ${next} out of range`);
    next++;
    return value;
  };
  const clause = /%(?:%|(?:\.([0-9]*))?(.|$))/gsu;
  return format.replaceAll(
    clause,
    (whole: string, precision: string | undefined, verb: string | undefined) => {
      if (whole === '%%') return '%';
      return formatValue(verb ?? '', precision === undefined ? 6 : Number(precision), take());
    },
  );
}

function formatValue(verb: string, precision: number, value: CelValue): string {
  switch (verb) {
    case 's':
      return textOf(value);
    case 'd':
      return decimalOf(value);
    case 'f':
      return numberOr(value, 'f', (number) => number.toFixed(precision));
    case 'e':
      return numberOr(value, 'e', (number) =>
        number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2'),
      );
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return integerOf(value, 'b').toString(2);
    case 'o':
      return integerOf(value, 'o').toString(8);
    case 'x':
    case 'X': {
      const text = hexOf(value);
      return verb === 'X' ? text.toUpperCase() : text;
    }
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function textOf(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (typeof value === 'number')
    return formatDouble(value)
      .replace(/^\+Inf$/, 'Infinity')
      .replace(/^-Inf$/, '-Infinity');
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof CelTimestamp) return formatTimestamp(value.nanoseconds);
  if (value instanceof CelDuration) return formatDurationSeconds(value.nanoseconds);
  if (value instanceof CelType) return value.name;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item as CelValue)).join(', ')}]`;
  if (value instanceof CelMap) return mapText(value);
  throw new CelError(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeName(value)}`,
  );
}

function mapText(map: CelMap): string {
  const entries = [...map.entries()].map(([key, value]) => `${textOf(key)}: ${textOf(value)}`);
  return `{${entries.sort().join(', ')}}`;
}

function decimalOf(value: CelValue): string {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'NaN';
    if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  }
  throw new CelError(
    `error during formatting: decimal clause can only be used on integers, was given ${typeName(value)}`,
  );
}

function numberOr(value: CelValue, verb: string, format: (number: number) => string): string {
  const number =
    typeof value === 'bigint' ? Number(value) : value instanceof CelUint ? Number(value.value) : value;
  if (typeof number !== 'number') {
    const clause = verb === 'f' ? 'fixed-point' : 'scientific';
    throw new CelError(
      `error during formatting: ${clause} clause can only be used on doubles, was given ${typeName(value)}`,
    );
  }
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number > 0 ? 'Infinity' : '-Infinity';
  return format(number);
}

function integerOf(value: CelValue, verb: string): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof CelUint) return value.value;
  const clause =
    verb === 'b'
      ? 'only integers and bools can be formatted as binary'
      : 'octal clause can only be used on integers';
  throw new CelError(`error during formatting: ${clause}, was given ${typeName(value)}`);
}

function hexOf(value: CelValue): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return value.toString(16);
  if (value instanceof CelUint) return value.value.toString(16);
  throw new CelError(
    `error during formatting: only integers, byte buffers, and strings can be formatted as hex, was given ${typeName(value)}`,
  );
}
