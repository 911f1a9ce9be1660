import { formatText } from './formatText.ts';
import type { CelFunction } from './celFunction.ts';
import { noOverload } from './operators.ts';
import { CelError, type CelValue } from './values.ts';

// The functions of cel-go's ext.Strings. Positions count characters (code points).

type Signature = readonly ('string' | 'int' | 'list')[];
type Arguments = {
  readonly texts: readonly string[];
  readonly ints: readonly number[];
  readonly list: readonly CelValue[];
};

/** A function whose arguments fit one of the signatures; they come sorted by type. */
function overloaded(signatures: readonly Signature[], apply: (args: Arguments) => CelValue): CelFunction {
  const invoke = (args: readonly CelValue[]): CelValue => {
    const fits = signatures.some(
      (signature) =>
        signature.length === args.length && signature.every((type, index) => isOfType(args[index], type)),
    );
    if (!fits) throw new CelError(noOverload);
    return apply({
      texts: args.filter((arg) => typeof arg === 'string'),
      ints: args.filter((arg) => typeof arg === 'bigint').map(Number),
      list: (args.find((arg) => Array.isArray(arg)) ?? []) as readonly CelValue[],
    });
  };
  return { arities: [...new Set(signatures.map((signature) => signature.length))], invoke };
}

function isOfType(value: CelValue | undefined, type: Signature[number]): boolean {
  if (type === 'string') return typeof value === 'string';
  return type === 'int' ? typeof value === 'bigint' : Array.isArray(value);
}

const onText = (apply: (text: string) => CelValue): CelFunction =>
  overloaded([['string']], ({ texts: [text = ''] }) => apply(text));
const searching: readonly Signature[] = [
  ['string', 'string'],
  ['string', 'string', 'int'],
];

export const stringFunctions: readonly (readonly [string, CelFunction])[] = [
  [
    'charAt',
    overloaded([['string', 'int']], ({ texts: [text = ''], ints: [at = 0] }) => charAt([...text], at)),
  ],
  [
    'indexOf',
    overloaded(searching, ({ texts: [text = '', part = ''], ints: [from] }) =>
      indexOf([...text], [...part], from),
    ),
  ],
  [
    'lastIndexOf',
    overloaded(searching, ({ texts: [text = '', part = ''], ints: [from] }) =>
      lastIndexOf([...text], [...part], from),
    ),
  ],
  ['lowerAscii', onText((text) => text.replaceAll(/[A-Z]/g, (char) => char.toLowerCase()))],
  ['upperAscii', onText((text) => text.replaceAll(/[a-z]/g, (char) => char.toUpperCase()))],
  ['reverse', onText((text) => [...text].reverse().join(''))],
  ['trim', onText((text) => text.replaceAll(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, ''))],
  ['strings.quote', onText(quote)],
  [
    'replace',
    overloaded(
      [
        ['string', 'string', 'string'],
        ['string', 'string', 'string', 'int'],
      ],
      ({ texts: [text = '', old = '', by = ''], ints: [limit] }) => replace(text, old, by, limit),
    ),
  ],
  [
    'split',
    overloaded(searching, ({ texts: [text = '', separator = ''], ints: [limit] }) =>
      split(text, separator, limit),
    ),
  ],
  [
    'substring',
    overloaded(
      [
        ['string', 'int'],
        ['string', 'int', 'int'],
      ],
      ({ texts: [text = ''], ints: [start = 0, end] }) => substring([...text], start, end),
    ),
  ],
  [
    'join',
    overloaded([['list'], ['list', 'string']], ({ list, texts: [separator = ''] }) => join(list, separator)),
  ],
  ['format', overloaded([['string', 'list']], ({ texts: [format = ''], list }) => formatText(format, list))],
];

function outOfRange(index: number): CelError {
  return new CelError(`index out of range: ${index}`);
}

function charAt(chars: readonly string[], at: number): string {
  if (at < 0 || at > chars.length) throw outOfRange(at);
  return chars[at] ?? '';
}

function indexOf(chars: readonly string[], part: readonly string[], from = 0): bigint {
  if (part.length === 0) return BigInt(from);
  if (from < 0) throw outOfRange(from);
  // Behind the end is not found, not an error.
  for (let at = from; at + part.length <= chars.length; at++)
    if (startsAt(chars, part, at)) return BigInt(at);
  return -1n;
}

function lastIndexOf(chars: readonly string[], part: readonly string[], from = chars.length - 1): bigint {
  if (part.length === 0) return BigInt(from === chars.length - 1 ? chars.length : from);
  if (chars.length < part.length) return -1n;
  if (from < 0) throw outOfRange(from);
  for (let at = Math.min(from, chars.length - part.length); at >= 0; at--)
    if (startsAt(chars, part, at)) return BigInt(at);
  return -1n;
}

function startsAt(chars: readonly string[], part: readonly string[], at: number): boolean {
  return part.every((char, index) => chars[at + index] === char);
}

function substring(chars: readonly string[], start: number, end = chars.length): string {
  if (start < 0 || start > chars.length) throw outOfRange(start);
  if (end < 0 || end > chars.length) throw outOfRange(end);
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  return chars.slice(start, end).join('');
}

/** At most `limit` replacements; all when it is left out or negative. */
function replace(text: string, old: string, by: string, limit = -1): string {
  const pieces = old === '' ? ['', ...text] : text.split(old);
  if (old === '') pieces.push('');
  const count = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  return pieces.map((piece, index) => (index === 0 ? piece : (index <= count ? by : old) + piece)).join('');
}

/** At most `limit` parts, the last one with the rest; all when it is left out or negative. */
function split(text: string, separator: string, limit = -1): CelValue {
  if (limit === 0) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function join(list: readonly CelValue[], separator: string): string {
  const texts = list.map((item) => {
    if (typeof item !== 'string') throw new CelError('no such overload: join(list)');
    return item;
  });
  return texts.join(separator);
}

const quoted: Readonly<Record<string, string>> = {
  ...{ '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' },
  ...{ '\\': '\\\\', '"': '\\"' },
};

function quote(text: string): string {
  return `"${[...text].map((char) => quoted[char] ?? char).join('')}"`;
}
