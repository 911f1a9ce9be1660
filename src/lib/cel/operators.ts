import {
  CelDuration,
  CelError,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelType,
  CelUint,
  type CelValue,
} from './values.ts';

export const noOverload = 'no such overload';

/** Whether two values are equal: numbers by value whatever their type, values of different types never. */
export function areEqual(left: CelValue, right: CelValue): boolean {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  if (left === right) return true;
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return (
      left.length === right.length &&
      left.every((item, index) => areEqual(item as CelValue, right[index] as CelValue))
    );
  }
  if (left instanceof CelMap && right instanceof CelMap) return areMapsEqual(left, right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  if (left instanceof CelTimestamp && right instanceof CelTimestamp)
    return left.nanoseconds === right.nanoseconds;
  if (left instanceof CelDuration && right instanceof CelDuration)
    return left.nanoseconds === right.nanoseconds;
  if (left instanceof CelType && right instanceof CelType) return left.name === right.name;
  if (left instanceof CelOptional && right instanceof CelOptional) {
    if (left.value === undefined || right.value === undefined) return left.value === right.value;
    return areEqual(left.value, right.value);
  }
  return false;
}

function areMapsEqual(left: CelMap, right: CelMap): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left.entries()) {
    const other = right.get(key);
    if (other === undefined || !areEqual(value, other)) return false;
  }
  return true;
}

/** Below, at or above zero; undefined for what has no order (NaN). Throws CelError for types that cannot be compared. */
export function compare(left: CelValue, right: CelValue): number | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string') {
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (left instanceof CelTimestamp && right instanceof CelTimestamp)
    return order(left.nanoseconds, right.nanoseconds);
  if (left instanceof CelDuration && right instanceof CelDuration)
    return order(left.nanoseconds, right.nanoseconds);
  throw new CelError(noOverload);
}

type Numeric = bigint | number | CelUint;

function isNumber(value: CelValue): value is Numeric {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof CelUint;
}

function compareNumbers(left: Numeric, right: Numeric): number | undefined {
  const first = left instanceof CelUint ? left.value : left;
  const second = right instanceof CelUint ? right.value : right;
  if (Number.isNaN(first) || Number.isNaN(second)) return undefined;
  return order(first, second);
}

function order(left: bigint | number, right: bigint | number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

type Arithmetic = '+' | '-' | '*' | '/' | '%';

/** The result of an arithmetic operator. Throws CelError on overflow, division by zero and types that do not fit. */
export function calculate(operator: Arithmetic, left: CelValue, right: CelValue): CelValue {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return checkedInt(integerResult(operator, left, right));
  }
  if (left instanceof CelUint && right instanceof CelUint) {
    const value = integerResult(operator, left.value, right.value);
    if (BigInt.asUintN(64, value) !== value) throw new CelError('unsigned integer overflow');
    return new CelUint(value);
  }
  if (typeof left === 'number' && typeof right === 'number') return doubleResult(operator, left, right);
  if (operator === '+') return add(left, right);
  if (operator === '-') return subtract(left, right);
  throw new CelError(noOverload);
}

export function checkedInt(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new CelError('integer overflow');
  return value;
}

function integerResult(operator: Arithmetic, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0n) throw new CelError('division by zero');
      return left / right;
    case '%':
      if (right === 0n) throw new CelError('modulus by zero');
      return left % right;
  }
}

function doubleResult(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      throw new CelError(noOverload);
  }
}

function add(left: CelValue, right: CelValue): CelValue {
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.concat([left, right]);
  if (Array.isArray(left) && Array.isArray(right)) return [...(left as CelValue[]), ...(right as CelValue[])];
  if (left instanceof CelTimestamp && right instanceof CelDuration) {
    return timestampAt(left.nanoseconds + right.nanoseconds);
  }
  if (left instanceof CelDuration && right instanceof CelTimestamp) {
    return timestampAt(left.nanoseconds + right.nanoseconds);
  }
  if (left instanceof CelDuration && right instanceof CelDuration) {
    return durationOf(left.nanoseconds + right.nanoseconds);
  }
  throw new CelError(noOverload);
}

function subtract(left: CelValue, right: CelValue): CelValue {
  if (left instanceof CelTimestamp && right instanceof CelTimestamp) {
    return durationOf(left.nanoseconds - right.nanoseconds);
  }
  if (left instanceof CelTimestamp && right instanceof CelDuration) {
    return timestampAt(left.nanoseconds - right.nanoseconds);
  }
  if (left instanceof CelDuration && right instanceof CelDuration) {
    return durationOf(left.nanoseconds - right.nanoseconds);
  }
  throw new CelError(noOverload);
}

const firstNanosecond = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1_000_000n;
const lastNanosecond = BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1_000_000n + 999_999_999n;

/** A timestamp of the years 1 to 9999. Throws CelError for others. */
export function timestampAt(nanoseconds: bigint): CelTimestamp {
  if (nanoseconds < firstNanosecond || nanoseconds > lastNanosecond) throw new CelError('timestamp overflow');
  return new CelTimestamp(nanoseconds);
}

export function durationOf(nanoseconds: bigint): CelDuration {
  if (BigInt.asIntN(64, nanoseconds) !== nanoseconds) throw new CelError('duration overflow');
  return new CelDuration(nanoseconds);
}

export function negate(value: CelValue): CelValue {
  if (typeof value === 'bigint') return checkedInt(-value);
  if (typeof value === 'number') return -value;
  if (value instanceof CelDuration) return durationOf(-value.nanoseconds);
  throw new CelError(noOverload);
}

/** Whether a list holds the value or a map the key. */
export function isIn(value: CelValue, collection: CelValue): boolean {
  if (Array.isArray(collection)) return collection.some((item) => areEqual(value, item as CelValue));
  if (collection instanceof CelMap) return collection.has(value);
  throw new CelError(noOverload);
}
