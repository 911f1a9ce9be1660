import { formatGoFloat } from './goFloat.ts';
import { resolveTag, tags } from './yamlScalar.ts';

const bestWidth = 80;
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const maxUint64 = 2 ** 64;

/** Where a scalar stands: the column of its continuation lines, and the one it starts at. A key never breaks. */
interface Place {
  readonly indent: number;
  readonly column: number;
  readonly isKey: boolean;
}

/** A scalar as go-yaml v2 writes it, with style, quoting and folding; without the line's final break. */
export function writeScalar(
  value: string | number | bigint | boolean | null,
  indent: number,
  column: number,
): string {
  if (typeof value === 'string')
    return isPlain(value) && column + value.length <= bestWidth
      ? value
      : writeString(value, { indent, column, isKey: false });
  if (typeof value === 'number') return writeNumber(value);
  return value === null ? 'null' : String(value);
}

/** A key of a mapping. */
export function writeKey(key: string): string {
  return isPlain(key) ? key : writeString(key, { indent: 0, column: 0, isKey: true });
}

function isPlain(value: string): boolean {
  return plainText.test(value) && !value.startsWith('...') && !isTyped(value);
}

/** Written plain it would be read as another type, by this parser or by one that knows base 60. */
function isTyped(value: string): boolean {
  return resolveTag(value, 'v2') !== tags.str || isBase60(value);
}

function writeNumber(value: number): string {
  if (Number.isInteger(value) && value < maxUint64 && value >= -(2 ** 63)) {
    // Like Go, String writes a large float by its shortest digits and zeros, not by its exact value.
    return Object.is(value, -0) ? '0' : String(value);
  }
  return formatGoFloat(value);
}

function writeString(value: string, place: Place): string {
  if (value === '') return '""';
  const traits = analyze(value);
  if (value.includes('\n')) {
    if (traits.blockAllowed && !place.isKey) return writeLiteral(value, place);
    return writeDoubleQuoted(value, place);
  }
  if (isTyped(value)) return writeDoubleQuoted(value, place);
  if (traits.plainAllowed) return writePlain(value, place);
  if (traits.singleQuotedAllowed && !(place.isKey && traits.hasBreaks))
    return writeSingleQuoted(value, place);
  return writeDoubleQuoted(value, place);
}

function isBase60(value: string): boolean {
  const code = value.charCodeAt(0);
  if (!((code >= 48 && code <= 57) || code === 43 || code === 45) || !value.includes(':')) return false;
  return base60.test(value);
}

interface Traits {
  readonly plainAllowed: boolean;
  readonly singleQuotedAllowed: boolean;
  readonly blockAllowed: boolean;
  readonly hasBreaks: boolean;
}

/** Text that needs no look at single characters: no indicator first, no `: `, no ` #`, nothing special. */
const plainText =
  /^[A-Za-z0-9/_.+$(](?:[A-Za-z0-9/_.,=+$()@%*~^&!;'"<>|?[\]{}`\\-]|:(?=[^\s:])|#| (?=[A-Za-z0-9/_.,=+$()@%*~^&!;'"<>|?[\]{}`\\-]))*$/;
const breaks = /[\n\r\u0085\u2028\u2029]/;

function analyze(value: string): Traits {
  const lines = value.split(breaks);
  const hasBreaks = lines.length > 1;
  const leads = /^[ \n\r\u0085\u2028\u2029]/.test(value);
  const trails = /[ \n\r\u0085\u2028\u2029]$/.test(value);
  const trailingSpace = value.endsWith(' ');
  const breakSpace = hasBreaks && /[\n\r\u0085\u2028\u2029] /.test(value);
  const spaceBreak = hasBreaks && / [\n\r\u0085\u2028\u2029]/.test(value);
  const isSpecial = !isPrintable(value);
  return {
    plainAllowed:
      !leads &&
      !trails &&
      !breakSpace &&
      !spaceBreak &&
      !isSpecial &&
      !hasBreaks &&
      !hasBlockIndicator(value),
    singleQuotedAllowed: !breakSpace && !spaceBreak && !isSpecial,
    blockAllowed: !trailingSpace && !spaceBreak && !isSpecial,
    hasBreaks,
  };
}

function hasBlockIndicator(value: string): boolean {
  return (
    value.startsWith('---') ||
    value.startsWith('...') ||
    /^[#,[\]{}&*!|>'"%@`]/.test(value) ||
    /^[?:-](?:[ \t]|$)/.test(value) ||
    /:(?:[ \t\n\r\u0085\u2028\u2029]|$)/.test(value) ||
    /[ \t\n\r\u0085\u2028\u2029]#/.test(value)
  );
}

/** go-yaml's idea of printable: no control characters but the newline, no byte order mark, nothing unassigned at the end of the plane. */
function isPrintable(value: string): boolean {
  return (
    !/[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(
      value.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''),
    ) && !/[\u{10000}-\u{10ffff}]/u.test(value)
  );
}

function writePlain(value: string, place: Place): string {
  if (place.isKey || place.column + value.length <= bestWidth || !value.includes(' ')) return value;
  return fold(value, place);
}

function writeSingleQuoted(value: string, place: Place): string {
  const quoted = value.replaceAll("'", "''");
  const isShort = place.column + quoted.length + 1 <= bestWidth || !value.includes(' ');
  if (!breaks.test(value) && (place.isKey || isShort)) return `'${quoted}'`;
  return `'${foldQuoted(value, place)}'`;
}

/** Breaks a line at the first single blank behind column 80. What is written raw is in the basic plane: a unit is a column. */
function fold(value: string, place: Place): string {
  let text = '';
  let column = place.column;
  let wasSpace = false;
  for (let index = 0; index < value.length; index++) {
    const unit = value[index] ?? '';
    if (unit === ' ') {
      if (!wasSpace && column > bestWidth && value[index + 1] !== ' ') {
        text += `\n${' '.repeat(place.indent)}`;
        column = place.indent;
      } else {
        text += unit;
        column++;
      }
      wasSpace = true;
    } else {
      text += unit;
      column++;
      wasSpace = false;
    }
  }
  return text;
}

function foldQuoted(value: string, place: Place): string {
  let text = '';
  let column = place.column + 1;
  let wasSpace = false;
  for (let index = 0; index < value.length; index++) {
    const unit = value[index] ?? '';
    const isInside = index > 0 && index < value.length - 1;
    if (unit === ' ') {
      if (!place.isKey && !wasSpace && column > bestWidth && isInside && value[index + 1] !== ' ') {
        text += `\n${' '.repeat(place.indent)}`;
        column = place.indent;
      } else {
        text += unit;
        column++;
      }
      wasSpace = true;
    } else if (breaks.test(unit)) {
      // A line or paragraph separator; what follows is indented.
      const isLast = breaks.test(value[index + 1] ?? '\n');
      text += isLast ? unit : unit + ' '.repeat(place.indent);
      column = place.indent;
    } else {
      text += unit === "'" ? "''" : unit;
      column += unit === "'" ? 2 : 1;
      wasSpace = false;
    }
  }
  return text;
}

function writeDoubleQuoted(value: string, place: Place): string {
  let text = '"';
  let column = place.column + 1;
  let wasSpace = false;
  const runes = [...value];
  for (let index = 0; index < runes.length; index++) {
    const rune = runes[index] ?? '';
    if (rune === ' ') {
      const isInside = index > 0 && index < runes.length - 1;
      if (!place.isKey && !wasSpace && column > bestWidth && isInside) {
        text += `\n${' '.repeat(place.indent)}`;
        column = place.indent;
        if (runes[index + 1] === ' ') {
          text += '\\';
          column++;
        }
      } else {
        text += rune;
        column++;
      }
      wasSpace = true;
      continue;
    }
    const written = escapeRune(rune);
    text += written;
    column += written === rune ? 1 : written.length;
    wasSpace = false;
  }
  return `${text}"`;
}

const escapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeRune(rune: string): string {
  const code = rune.codePointAt(0) ?? 0;
  const mustEscape =
    rune === '"' ||
    rune === '\\' ||
    rune === '\n' ||
    rune === '\u2028' ||
    rune === '\u2029' ||
    !isPrintable(rune);
  if (!mustEscape) return rune;
  const known = escapes[rune];
  if (known !== undefined) return known;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function writeLiteral(value: string, place: Place): string {
  const first = value[0] ?? '';
  const hint = first === ' ' || breaks.test(first) ? '2' : '';
  const pad = ' '.repeat(place.indent);
  const body = value.replaceAll(/([^\n\r\u0085\u2028\u2029]+)/g, `${pad}$1`);
  return `|${hint}${chompingOf(value)}\n${body}`;
}

function chompingOf(value: string): string {
  const last = value[value.length - 1] ?? '';
  if (!breaks.test(last)) return '-';
  if (value.length === 1) return '+';
  return breaks.test(value[value.length - 2] ?? '') ? '+' : '';
}
