import { RE2JS } from 're2js';
import type { CelFunction } from './celFunction.ts';
import { conversions } from './conversions.ts';
import { areEqual, calculate, compare, isIn, negate, noOverload } from './operators.ts';
import { stringFunctions } from './stringFunctions.ts';
import { timeFunctions } from './timeFunctions.ts';
import { CelError, CelMap, CelOptional, noOptional, type CelValue } from './values.ts';

const unary = (apply: (value: CelValue) => CelValue): CelFunction => ({
  arities: [1],
  invoke: ([value]) => apply(value as CelValue),
});
const binary = (apply: (left: CelValue, right: CelValue) => CelValue): CelFunction => ({
  arities: [2],
  invoke: ([left, right]) => apply(left as CelValue, right as CelValue),
});
const ordering = (holds: (sign: number) => boolean): CelFunction =>
  binary((left, right) => {
    const sign = compare(left, right);
    return sign !== undefined && holds(sign);
  });

/** Every function and operator of Flux's environment by name. */
export const functions: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['!_', unary(not)],
  ['-_', unary(negate)],
  ...(['+', '-', '*', '/', '%'] as const).map(
    (operator) => [`_${operator}_`, binary((left, right) => calculate(operator, left, right))] as const,
  ),
  ['_==_', binary(areEqual)],
  ['_!=_', binary((left, right) => !areEqual(left, right))],
  ['_<_', ordering((sign) => sign < 0)],
  ['_<=_', ordering((sign) => sign <= 0)],
  ['_>_', ordering((sign) => sign > 0)],
  ['_>=_', ordering((sign) => sign >= 0)],
  ['@in', binary(isIn)],
  ['size', unary(sizeOf)],
  ['matches', binary(matches)],
  ['contains', texts((text, part) => text.includes(part))],
  ['startsWith', texts((text, start) => text.startsWith(start))],
  ['endsWith', texts((text, end) => text.endsWith(end))],
  ['optional.of', unary((value) => new CelOptional(value))],
  ['optional.none', { arities: [0], invoke: () => noOptional }],
  ['optional.ofNonZeroValue', unary((value) => (isZero(value) ? noOptional : new CelOptional(value)))],
  ['optional.unwrap', unary(unwrap)],
  ['unwrapOpt', unary(unwrap)],
  ['value', unary(valueOf)],
  ['hasValue', unary((value) => optionalOf(value).value !== undefined)],
  // With one argument these are evaluated with the call, as they may leave it alone.
  ['or', binary(fail)],
  ['orValue', binary(fail)],
  ['first', unary((list) => new CelOptional(listOf(list)[0]))],
  ['last', unary((list) => new CelOptional(listOf(list).at(-1)))],
  ['sets.contains', binary((list, part) => listOf(part).every((item) => isIn(item, listOf(list))))],
  ['sets.intersects', binary((list, other) => listOf(other).some((item) => isIn(item, listOf(list))))],
  ['sets.equivalent', binary(areEquivalent)],
  ['base64.encode', unary((value) => Buffer.from(bytesOf(value)).toString('base64'))],
  ['base64.decode', unary(decodeBase64)],
  ...conversions,
  ...stringFunctions,
  ...timeFunctions,
]);

function fail(): never {
  throw new CelError(noOverload);
}

function texts(apply: (text: string, other: string) => boolean): CelFunction {
  return binary((text, other) =>
    typeof text === 'string' && typeof other === 'string' ? apply(text, other) : fail(),
  );
}

function not(value: CelValue): boolean {
  return typeof value === 'boolean' ? !value : fail();
}

function sizeOf(value: CelValue): bigint {
  if (typeof value === 'string') return BigInt([...value].length);
  if (value instanceof Uint8Array) return BigInt(value.length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (value instanceof CelMap) return BigInt(value.size);
  throw new CelError(`${noOverload}: size`);
}

function matches(text: CelValue, pattern: CelValue): boolean {
  if (typeof text !== 'string' || typeof pattern !== 'string') return fail();
  return compilePattern(pattern).matcher(text).find();
}

/** A Go regular expression. Throws CelError when it is malformed. */
export function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error));
  }
}

function optionalOf(value: CelValue): CelOptional {
  return value instanceof CelOptional ? value : fail();
}

function valueOf(optional: CelValue): CelValue {
  const { value } = optionalOf(optional);
  if (value === undefined) throw new CelError('optional.none() dereference');
  return value;
}

function unwrap(list: CelValue): CelValue {
  return listOf(list).flatMap((item) => {
    const { value } = optionalOf(item);
    return value === undefined ? [] : [value];
  });
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelMap) return value.size === 0;
  if (value instanceof CelOptional) return value.value === undefined;
  if (typeof value === 'object' && 'nanoseconds' in value) return value.nanoseconds === 0n;
  return typeof value === 'object' && 'value' in value && value.value === 0n;
}

function listOf(value: CelValue): readonly CelValue[] {
  return Array.isArray(value) ? (value as readonly CelValue[]) : fail();
}

function areEquivalent(left: CelValue, right: CelValue): boolean {
  const [first, second] = [listOf(left), listOf(right)];
  return first.every((item) => isIn(item, second)) && second.every((item) => isIn(item, first));
}

function bytesOf(value: CelValue): Uint8Array {
  return value instanceof Uint8Array ? value : fail();
}

/** Padding may be missing, as in cel-go. */
function decodeBase64(value: CelValue): Uint8Array {
  if (typeof value !== 'string') return fail();
  const text = value.replaceAll(/[\r\n]/g, '');
  const wrong = text.search(/[^A-Za-z0-9+/]/);
  const body = wrong < 0 ? text : text.slice(0, wrong);
  const isPadded = wrong >= 0 && /^={1,2}$/.test(text.slice(wrong)) && text.length % 4 === 0;
  if ((wrong >= 0 && !isPadded) || body.length % 4 === 1) {
    throw new CelError(`illegal base64 data at input byte ${wrong < 0 ? text.length : wrong}`);
  }
  return Buffer.from(body, 'base64');
}
