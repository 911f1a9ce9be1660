import { CelSyntaxError } from './ast.ts';
import { CelUint, type CelValue } from './values.ts';

export interface Token {
  readonly type: 'ident' | 'number' | 'literal' | 'symbol' | 'end';
  readonly text: string;
  readonly offset: number;
  /** The value of a literal; a number's is made by the parser, which knows its sign. */
  readonly value?: CelValue;
}

const blanks = /(?:[ \t\r\n\f]|\/\/[^\n]*)*/y;
const ident = /[A-Za-z_][A-Za-z0-9_]*/y;
const number =
  /0x[0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?/y;
const symbol = /==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()[\]{}]/y;
const text = /([bB]?[rR]?)("""|'''|"|')/y;

/** The tokens of an expression, the end included. Throws CelSyntaxError. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  for (;;) {
    at += match(blanks)?.[0].length ?? 0;
    if (at >= source.length) return [...tokens, { type: 'end', text: '', offset: source.length }];
    const opening = match(text);
    const found = opening ?? match(number) ?? match(ident) ?? match(symbol);
    if (found === null) throw new CelSyntaxError(`token recognition error at: '${source[at]}'`, at);
    if (opening !== null) {
      const literal = readText(source, at, opening);
      tokens.push({ type: 'literal', text: source.slice(at, literal.end), offset: at, value: literal.value });
      at = literal.end;
      continue;
    }
    const lexeme = found[0];
    tokens.push({ type: typeOf(lexeme), text: lexeme, offset: at });
    at += lexeme.length;
  }
}

function typeOf(lexeme: string): Token['type'] {
  if (/^[A-Za-z_]/.test(lexeme)) return 'ident';
  return /^\.?[0-9]/.test(lexeme) ? 'number' : 'symbol';
}

/** The value of a number with its sign. Throws CelSyntaxError when it does not fit. */
export function numberOf(token: Token, isNegative: boolean): CelValue {
  const sign = isNegative ? '-' : '';
  if (/[uU]$/.test(token.text)) {
    const value = BigInt(token.text.slice(0, -1));
    if (BigInt.asUintN(64, value) !== value) throw new CelSyntaxError('invalid uint literal', token.offset);
    return new CelUint(value);
  }
  if (!token.text.startsWith('0x') && /[.eE]/.test(token.text)) {
    const value = Number(sign + token.text);
    if (!Number.isFinite(value)) throw new CelSyntaxError('invalid double literal', token.offset);
    return value;
  }
  const magnitude = BigInt(token.text);
  const value = isNegative ? -magnitude : magnitude;
  if (BigInt.asIntN(64, value) !== value) throw new CelSyntaxError('invalid int literal', token.offset);
  return value;
}

function readText(
  source: string,
  start: number,
  [, prefix = '', quote = '']: RegExpExecArray,
): { readonly value: CelValue; readonly end: number } {
  const isRaw = /r/i.test(prefix);
  const isBytes = /b/i.test(prefix);
  const unfinished = (): CelSyntaxError =>
    new CelSyntaxError(`token recognition error at: '${source.slice(start)}'`, start);
  const bytes: Uint8Array[] = [];
  let value = '';
  for (let at = start + prefix.length + quote.length; at < source.length;) {
    if (source.startsWith(quote, at)) {
      return {
        value: isBytes ? Buffer.concat([...bytes, Buffer.from(value)]) : value,
        end: at + quote.length,
      };
    }
    const char = String.fromCodePoint(source.codePointAt(at) as number);
    if (quote.length === 1 && (char === '\n' || char === '\r')) throw unfinished();
    if (char !== '\\' || isRaw) {
      value += char;
      at += char.length;
      continue;
    }
    const escape = readEscape(source, at);
    if (escape === undefined) throw unfinished();
    if (isBytes && escape.isByte) {
      bytes.push(Buffer.from(value), Uint8Array.of(escape.code));
      value = '';
    } else {
      value += String.fromCodePoint(escape.code);
    }
    at = escape.end;
  }
  throw unfinished();
}

const simpleEscapes: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '\\': '\\', '?': '?', '"': '"', "'": "'", '`': '`' },
};
const codeEscape = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;

function readEscape(
  source: string,
  at: number,
): { readonly code: number; readonly end: number; readonly isByte: boolean } | undefined {
  const simple = simpleEscapes[source[at + 1] ?? ''];
  if (simple !== undefined) return { code: simple.charCodeAt(0), end: at + 2, isByte: false };
  codeEscape.lastIndex = at;
  const found = codeEscape.exec(source);
  if (found === null) return undefined;
  const [whole, hex, short, long, octal] = found;
  const code = octal === undefined ? parseInt(hex ?? short ?? long ?? '', 16) : parseInt(octal, 8);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { code, end: at + whole.length, isByte: hex !== undefined || octal !== undefined };
}
