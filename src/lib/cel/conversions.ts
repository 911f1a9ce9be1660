import { formatGoFloat } from '../../kube/goFloat.ts';
import type { CelFunction } from './celFunction.ts';
import { checkedInt, durationOf, timestampAt } from './operators.ts';
import { formatDurationSeconds, formatTimestamp, parseGoDuration, parseTimestamp } from './time.ts';
import { CelDuration, CelError, CelTimestamp, CelType, CelUint, typeName, type CelValue } from './values.ts';

type Convert = (value: CelValue) => CelValue | undefined;

/** The functions named after types. Each gives undefined for a value it has no overload for. */
const converters: Readonly<Record<string, Convert>> = {
  bool: (value) => (typeof value === 'string' ? parseBool(value) : ofType(value, typeof value === 'boolean')),
  bytes: (value) =>
    typeof value === 'string' ? Buffer.from(value) : ofType(value, value instanceof Uint8Array),
  double: toDouble,
  duration: toDuration,
  int: toInt,
  string: toText,
  timestamp: toTimestamp,
  uint: toUint,
};

export const conversions: readonly (readonly [string, CelFunction])[] = [
  ...Object.entries(converters).map(([name, convert]) => [name, conversion(name, convert)] as const),
  ['dyn', { arities: [1], invoke: ([value]) => value as CelValue }],
  ['type', { arities: [1], invoke: ([value]) => new CelType(typeName(value as CelValue)) }],
];

/** The names of the functions that cel-go evaluates ahead where their argument is a literal. */
export const conversionNames: readonly string[] = Object.keys(converters);

function conversion(name: string, convert: Convert): CelFunction {
  const invoke = ([value]: readonly CelValue[]): CelValue => {
    const converted = convert(value as CelValue);
    if (converted === undefined)
      throw new CelError(`no such overload: ${name}(${typeName(value as CelValue)})`);
    return converted;
  };
  return { arities: [1], invoke };
}

function ofType(value: CelValue, fits: boolean): CelValue | undefined {
  return fits ? value : undefined;
}

function unreadable(type: string): CelError {
  return new CelError(`type conversion error from 'string' to '${type}'`);
}

function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw unreadable('bool');
}

function toInt(value: CelValue): CelValue | undefined {
  if (value instanceof CelUint) return checkedInt(value.value);
  if (value instanceof CelTimestamp) return floorDivide(value.nanoseconds, 1_000_000_000n);
  if (value instanceof CelDuration) return value.nanoseconds;
  if (typeof value === 'number') {
    if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new CelError('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (typeof value !== 'string') return ofType(value, typeof value === 'bigint');
  if (!/^[+-]?[0-9]+$/.test(value)) throw unreadable('int');
  const parsed = BigInt(value.replace(/^\+/, ''));
  if (BigInt.asIntN(64, parsed) !== parsed) throw unreadable('int');
  return parsed;
}

function toUint(value: CelValue): CelValue | undefined {
  if (typeof value === 'bigint') {
    if (value < 0n) throw new CelError('unsigned integer overflow');
    return new CelUint(value);
  }
  if (typeof value === 'number') {
    if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow');
    return new CelUint(BigInt(Math.trunc(value)));
  }
  if (typeof value !== 'string') return ofType(value, value instanceof CelUint);
  if (!/^[0-9]+$/.test(value)) throw unreadable('uint');
  const parsed = BigInt(value);
  if (BigInt.asUintN(64, parsed) !== parsed) throw unreadable('uint');
  return new CelUint(parsed);
}

function toDouble(value: CelValue): CelValue | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  if (typeof value !== 'string') return ofType(value, typeof value === 'number');
  if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value)) return Number(value);
  if (/^\+?inf(?:inity)?$/i.test(value)) return Infinity;
  if (/^-inf(?:inity)?$/i.test(value)) return -Infinity;
  if (/^[+-]?nan$/i.test(value)) return NaN;
  throw unreadable('double');
}

function toText(value: CelValue): CelValue | undefined {
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof CelTimestamp) return formatTimestamp(value.nanoseconds);
  if (value instanceof CelDuration) return formatDurationSeconds(value.nanoseconds);
  if (value instanceof Uint8Array) return textOfBytes(value);
  if (typeof value === 'number') return formatDouble(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return ofType(value, typeof value === 'string');
}

/** As Go's FormatFloat with verb `g` and the shortest digits. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return formatGoFloat(value);
}

function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function toDuration(value: CelValue): CelValue | undefined {
  // Declared, but cel-go cannot do it.
  if (typeof value === 'bigint')
    throw new CelError("type conversion error from 'int' to 'google.protobuf.Duration'");
  if (typeof value !== 'string') return ofType(value, value instanceof CelDuration);
  const nanoseconds = parseGoDuration(value);
  if (nanoseconds === undefined) throw unreadable('google.protobuf.Duration');
  return durationOf(nanoseconds);
}

function toTimestamp(value: CelValue): CelValue | undefined {
  if (typeof value === 'bigint') return timestampAt(value * 1_000_000_000n);
  if (typeof value !== 'string') return ofType(value, value instanceof CelTimestamp);
  const nanoseconds = parseTimestamp(value);
  if (nanoseconds === undefined) throw unreadable('google.protobuf.Timestamp');
  return timestampAt(nanoseconds);
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
