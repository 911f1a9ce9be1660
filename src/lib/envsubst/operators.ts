import { compileStartGlob } from '../../base/goGlob.ts';
import { bytesOf, textOf } from './byteText.ts';

type Operator = (value: string, args: readonly string[]) => string;

/** Operators that stand in for a variable that is not set, so strict mode lets it be missing. */
export function providesDefault(operator: string): boolean {
  return ['=', ':=', ':-', ':+', ':?'].includes(operator);
}

/** What an operator makes of a variable's value. Lengths and positions count UTF-8 bytes, as Go does. */
export function applyOperator(operator: string, value: string, args: readonly string[]): string {
  if (operator === '#' && args.length === 0) return String(bytesOf(value).length);
  return (operators[operator] ?? withDefault)(value, args);
}

/** At most how long the operator makes the value, without making it. */
export function longestResult(operator: string, value: string, args: readonly string[]): number {
  const [first = '', second = ''] = args;
  if (operator !== '//') return value.length + args.reduce((sum, arg) => sum + arg.length, 0);
  const places = second === '' ? 0 : first === '' ? value.length + 1 : value.split(first).length - 1;
  return value.length + places * second.length;
}

/** About how many steps the operator takes: patterns are tried from many places of the value. */
export function costOf(operator: string, value: string, args: readonly string[]): number {
  const [pattern = ''] = args;
  if (!['#', '##', '%', '%%'].includes(operator) || args.length === 0) return value.length;
  const glob = compileStartGlob(operator.startsWith('#') ? pattern : reverse(pattern));
  const places = value.length * (pattern.length + 1);
  return glob?.triesEach(bytesOf(value)) === true ? places * value.length : places;
}

const operators: Readonly<Record<string, Operator>> = {
  '^': (value) => mapFirst(value, upperRune),
  '^^': (value) => [...value].map(upperRune).join(''),
  ',': (value) => mapFirst(value, lowerRune),
  ',,': (value) => [...value].map(lowerRune).join(''),
  ':': substring,
  '#': (value, [pattern = '']) => trimPrefix(value, pattern, 'shortest'),
  '##': (value, [pattern = '']) => trimPrefix(value, pattern, 'longest'),
  '%': (value, [pattern = '']) => trimSuffix(value, pattern, 'shortest'),
  '%%': (value, [pattern = '']) => trimSuffix(value, pattern, 'longest'),
  '/': (value, [old = '', replacement = '']) => replaceFirst(value, old, replacement),
  '//': (value, [old = '', replacement = '']) => replaceAll(value, old, replacement),
  '/#': replacePrefix,
  '/%': replaceSuffix,
};

/** Also for `:?` and `:+`, which upstream treats like `:-`. */
function withDefault(value: string, args: readonly string[]): string {
  return value === '' ? args.join('') : value;
}

function substring(value: string, [from = '', count]: readonly string[]): string {
  const bytes = bytesOf(value);
  const position = parseInteger(from);
  if (position === undefined) return value;
  const start = position < 0 ? Math.max(0, bytes.length + position) : position;
  if (count === undefined) return textOf(bytes.subarray(start));
  const length = parseInteger(count);
  if (length === undefined) return value;
  const end = length < 0 ? bytes.length + length : start + length;
  return end < start ? '' : textOf(bytes.subarray(start, end));
}

/** As Go's strconv.Atoi: decimal digits with a sign, within 64 bits. */
function parseInteger(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined;
}

function replaceFirst(value: string, old: string, replacement: string): string {
  const at = value.indexOf(old);
  return at < 0 ? value : value.slice(0, at) + replacement + value.slice(at + old.length);
}

function replaceAll(value: string, old: string, replacement: string): string {
  if (old !== '') return value.split(old).join(replacement);
  return replacement + [...value].map((char) => char + replacement).join('');
}

/** Upstream does nothing when the replacement is left out. */
function replacePrefix(value: string, [old, replacement]: readonly string[]): string {
  if (old === undefined || replacement === undefined || !value.startsWith(old)) return value;
  return replacement + value.slice(old.length);
}

function replaceSuffix(value: string, [old, replacement]: readonly string[]): string {
  if (old === undefined || replacement === undefined || !value.endsWith(old)) return value;
  return value.slice(0, value.length - old.length) + replacement;
}

/** Removes the shortest or longest start that matches and is not empty; a malformed pattern removes nothing. */
function trimPrefix(value: string, pattern: string, which: 'shortest' | 'longest'): string {
  const bytes = bytesOf(value);
  const length = compileStartGlob(pattern)?.find(bytes, which);
  return length === undefined ? value : textOf(bytes.subarray(length));
}

/** Upstream reverses value and pattern, so a class like `[ab]` is malformed here. */
function trimSuffix(value: string, pattern: string, which: 'shortest' | 'longest'): string {
  return reverse(trimPrefix(reverse(value), reverse(pattern), which));
}

function reverse(text: string): string {
  return [...text].reverse().join('');
}

function mapFirst(value: string, map: (char: string) => string): string {
  const [first = ''] = value;
  return map(first) + value.slice(first.length);
}

/** Go maps one rune to one rune: where full case mapping gives several, the simple mapping counts. */
function upperRune(char: string): string {
  const upper = char.toUpperCase();
  if ([...upper].length <= 1) return upper;
  return simpleUpper.get(char) ?? char;
}

function lowerRune(char: string): string {
  const lower = char.toLowerCase();
  return [...lower].length <= 1 ? lower : ([...lower][0] as string);
}

const greekWithIota = [...'ᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧ'];
const simpleUpper: ReadonlyMap<string, string> = new Map([
  ...greekWithIota.map((char) => [char, String.fromCodePoint((char.codePointAt(0) as number) + 8)] as const),
  ['ᾳ', 'ᾼ'],
  ['ῃ', 'ῌ'],
  ['ῳ', 'ῼ'],
]);
