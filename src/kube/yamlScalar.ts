import { goTimeOfTimestamp } from './yamlTimestamp.ts';

/** What a plain scalar stands for: the rules of go-yaml v2 (sigs.k8s.io/yaml) or of v3 (kyaml, kustomize). */
export type YamlDialect = 'v2' | 'v3';

export type ScalarValue = string | number | bigint | boolean | null;

export const tags = {
  str: '!!str',
  int: '!!int',
  float: '!!float',
  bool: '!!bool',
  null: '!!null',
  timestamp: '!!timestamp',
  merge: '!!merge',
  binary: '!!binary',
  map: '!!map',
  seq: '!!seq',
} as const;

interface Resolved {
  readonly tag: string;
  readonly value: ScalarValue;
}

const words = new Map<string, Resolved>();
const words11 = new Map<string, Resolved>();
for (const word of ['true', 'True', 'TRUE']) words.set(word, { tag: tags.bool, value: true });
for (const word of ['false', 'False', 'FALSE']) words.set(word, { tag: tags.bool, value: false });
for (const word of ['', '~', 'null', 'Null', 'NULL']) words.set(word, { tag: tags.null, value: null });
for (const word of ['.nan', '.NaN', '.NAN']) words.set(word, { tag: tags.float, value: NaN });
for (const word of ['.inf', '.Inf', '.INF'])
  for (const sign of ['', '+']) words.set(sign + word, { tag: tags.float, value: Infinity });
for (const word of ['-.inf', '-.Inf', '-.INF']) words.set(word, { tag: tags.float, value: -Infinity });
for (const word of ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'])
  words11.set(word, { tag: tags.bool, value: true });
for (const word of ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'])
  words11.set(word, { tag: tags.bool, value: false });

const styleFloat = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const dotFloat = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;

/** The tag a plain scalar resolves to. */
export function resolveTag(text: string, dialect: YamlDialect): string {
  return mayBeString(text) ? tags.str : resolvePlain(text, dialect).tag;
}

/** The value of a plain scalar as JSON has it; a timestamp stays text in v2 and becomes RFC 3339 in v3. */
export function resolveValue(text: string, dialect: YamlDialect): ScalarValue {
  return mayBeString(text) ? text : resolvePlain(text, dialect).value;
}

/** The value of a scalar with an explicit short tag; undefined when the text cannot be read as that tag. */
export function resolveTagged(tag: string, text: string, dialect: YamlDialect): ScalarValue | undefined {
  if (tag === tags.str) return text;
  if (tag === tags.binary) return decodeBase64(text);
  if (!resolvable.has(tag)) return text;
  const resolved = resolvePlain(text, dialect);
  if (resolved.tag === tag) return resolved.value;
  if (tag === tags.float && resolved.tag === tags.int && fitsInt64(resolved.value))
    return Number(resolved.value);
  return undefined;
}

const resolvable = new Set<string>([tags.bool, tags.int, tags.float, tags.null, tags.timestamp]);

/** True when the first character alone rules out every type but a string: nearly every scalar of a manifest. */
function mayBeString(text: string): boolean {
  const code = text.charCodeAt(0);
  // Letters other than those that start true, false, null, yes, no, on, off; punctuation other than + - . ~ <.
  if (code >= 97 && code <= 122)
    return code !== 102 && code !== 110 && code !== 111 && code !== 116 && code !== 121;
  if (code >= 65 && code <= 90)
    return code !== 70 && code !== 78 && code !== 79 && code !== 84 && code !== 89;
  return code === 47 || code > 126;
}

function resolvePlain(text: string, dialect: YamlDialect): Resolved {
  const word = words.get(text) ?? (dialect === 'v2' ? words11.get(text) : undefined);
  if (word !== undefined) return word;
  const code = text.charCodeAt(0);
  const isDigit = code >= 48 && code <= 57;
  if (code === 46) {
    const float = dotFloat.test(text) ? Number(text.replaceAll('_', '')) : undefined;
    if (float !== undefined && Number.isFinite(float)) return { tag: tags.float, value: float };
  } else if (isDigit || code === 43 || code === 45) {
    if (isDigit) {
      const time = goTimeOfTimestamp(text);
      if (time !== undefined) return { tag: tags.timestamp, value: dialect === 'v2' ? text : time };
    }
    const number = resolveNumber(text.includes('_') ? text.replaceAll('_', '') : text, dialect);
    if (number !== undefined) return number;
  }
  return { tag: tags.str, value: text };
}

const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/;
const maxInt64 = 2n ** 63n - 1n;
const maxUint64 = 2n ** 64n - 1n;

function resolveNumber(text: string, dialect: YamlDialect): Resolved | undefined {
  const match = integer.exec(text);
  if (match !== null) {
    const value = integerOf(match);
    if (value !== undefined) return { tag: tags.int, value };
  }
  if (styleFloat.test(text)) {
    const float = Number(text);
    return Number.isFinite(float) ? { tag: tags.float, value: float } : undefined;
  }
  return signedAfterPrefix(text, dialect);
}

function integerOf(match: RegExpExecArray): number | bigint | undefined {
  const [, sign = '', hex, binary, octal, oldOctal, decimal] = match;
  if (decimal !== undefined && decimal.length < 16) {
    const value = Number(sign + decimal);
    return value === 0 ? 0 : value;
  }
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : decimal !== undefined
          ? decimal
          : `0o${octal ?? oldOctal ?? '0'}`;
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits);
  if (value > maxUint64 || value < -maxInt64 - 1n || (sign === '+' && value > maxInt64)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** go-yaml strips the prefix and parses the rest as signed, so `0b-1` is -1. */
function signedAfterPrefix(text: string, dialect: YamlDialect): Resolved | undefined {
  const match = /^0(?:b([-+][01]+)|o([-+][0-7]+))$/.exec(text);
  if (match === null || (match[2] !== undefined && dialect === 'v2')) return undefined;
  const signed = match[1] ?? match[2] ?? '';
  const magnitude = BigInt((match[1] === undefined ? '0o' : '0b') + signed.slice(1));
  const value = signed.startsWith('-') ? -magnitude : magnitude;
  if (value > maxInt64 || value < -maxInt64 - 1n) return undefined;
  return { tag: tags.int, value: Number.isSafeInteger(Number(value)) ? Number(value) : value };
}

function fitsInt64(value: ScalarValue): boolean {
  return typeof value === 'number' || (typeof value === 'bigint' && value <= maxInt64);
}

function decodeBase64(text: string): string | undefined {
  const compact = text.replaceAll(/[\r\n]/g, '');
  const isValid =
    compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact) && !/=[^=]/.test(compact);
  return isValid ? Buffer.from(compact, 'base64').toString('utf8') : undefined;
}
