import {
  escapes,
  folded,
  hasBreak,
  isBlank,
  isBlankOrEnd,
  isBreak,
  isBreakOrEnd,
  lineEndFrom,
} from './yamlCharacters.ts';
import { yamlStyle } from './yamlNode.ts';

/** A syntax error at an offset of the text. */
export class YamlSyntaxError extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

const lf = 10;
const cr = 13;
const space = 32;
const tab = 9;

/**
 * The lexical half of the YAML reader: blanks, comments, line breaks and scalars, as libyaml takes them.
 * `column` is the distance to the line's start; `keyAllowed` says whether a simple key may start here.
 */
export class YamlScanner {
  readonly text: string;
  position: number;
  lineStart: number;
  flowLevel = 0;
  keyAllowed = true;

  constructor(text: string, position: number) {
    this.text = text;
    this.position = position;
    this.lineStart = position;
  }

  get column(): number {
    return this.position - this.lineStart;
  }

  code(ahead = 0): number {
    const code = this.text.charCodeAt(this.position + ahead);
    return code === code ? code : 0;
  }

  atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** Goes to the next token: over blanks, comments and line breaks. */
  skipToToken(): void {
    const { text } = this;
    for (;;) {
      if (this.column === 0 && this.code() === 0xfeff) this.position++;
      let code = text.charCodeAt(this.position);
      while (code === space || (code === tab && (this.flowLevel > 0 || !this.keyAllowed)))
        code = text.charCodeAt(++this.position);
      if (code === 35) this.skipLineRest();
      if (!this.skipBreak()) return;
      if (this.flowLevel === 0) this.keyAllowed = true;
    }
  }

  /** True at `---` or `...` in the first column, followed by a blank or the end of the line. */
  atDocumentMarker(): boolean {
    if (this.position !== this.lineStart) return false;
    const code = this.text.charCodeAt(this.position);
    return (
      (code === 45 || code === 46) &&
      this.text.charCodeAt(this.position + 1) === code &&
      this.text.charCodeAt(this.position + 2) === code &&
      isBlankOrEnd(this.code(3))
    );
  }

  skipLineRest(): void {
    while (!isBreakOrEnd(this.code())) this.position++;
  }

  /** Consumes one line break, if there is one here. */
  skipBreak(): boolean {
    const code = this.text.charCodeAt(this.position);
    if (code === lf) this.position++;
    else if (code === cr) this.position += this.text.charCodeAt(this.position + 1) === lf ? 2 : 1;
    else if (code === 0x85 || code === 0x2028 || code === 0x2029) this.position++;
    else return false;
    this.lineStart = this.position;
    return true;
  }

  /** A plain scalar; the position ends behind the blanks and breaks that follow it, `end` is where its text ends. */
  plainScalar(indent: number): { readonly text: string; readonly end: number } {
    const { text } = this;
    const start = this.position;
    let content = '';
    let end = start;
    let segmentStart = start;
    for (;;) {
      if (this.column === 0 && this.atDocumentMarker()) break;
      if (text.charCodeAt(this.position) === 35) break;
      this.position = this.plainSegmentEnd(this.position);
      end = this.position;
      const afterText = this.position;
      let code = text.charCodeAt(afterText);
      if (!isBlank(code) && !isBreak(code)) break;
      // Blanks and breaks: they belong to the scalar only when text follows.
      const breaks: string[] = [];
      while (isBlank(code) || isBreak(code)) {
        if (isBlank(code)) {
          if (breaks.length > 0 && code === tab && this.column < indent)
            throw new YamlSyntaxError(
              this.position,
              'a tab character violates the indentation',
              'indent with spaces',
            );
          this.position++;
        } else {
          breaks.push(this.readBreak());
        }
        code = text.charCodeAt(this.position);
      }
      if (this.flowLevel === 0 && breaks.length > 0) this.keyAllowed = true;
      if (this.flowLevel === 0 && this.column < indent) break;
      const goesOn = this.plainGoesOn();
      if (!goesOn) break;
      if (breaks.length > 0) {
        content += text.slice(segmentStart, afterText) + folded(breaks);
        segmentStart = this.position;
        this.keyAllowed = false;
      }
    }
    return { text: content + text.slice(segmentStart, end), end };
  }

  private plainGoesOn(): boolean {
    if (this.atEnd() || this.code() === 35) return false;
    if (this.column === 0 && this.atDocumentMarker()) return false;
    return this.plainSegmentEnd(this.position) > this.position;
  }

  /** The end of the run of characters that a plain scalar takes without a blank. */
  private plainSegmentEnd(from: number): number {
    const { text, flowLevel } = this;
    let index = from;
    for (;;) {
      const code = text.charCodeAt(index);
      if (code <= 32) {
        if (code === space || code === lf || code === tab || code === cr || code === 0) return index;
      } else if (code === 58) {
        const next = text.charCodeAt(index + 1);
        if (next !== next || isBlankOrEnd(next)) return index;
      } else if (code !== code) {
        return index;
      } else if (flowLevel > 0) {
        // , ? [ ] { } end a plain scalar inside a flow collection.
        if (code === 44 || code === 63 || code === 91 || code === 93 || code === 123 || code === 125)
          return index;
        if (code >= 0x85 && isBreak(code)) return index;
      } else if (code >= 0x85 && isBreak(code)) {
        return index;
      }
      index++;
    }
  }

  singleQuoted(): string {
    const start = this.position++;
    const close = this.text.indexOf("'", this.position);
    const simple = close < 0 ? '' : this.text.slice(this.position, close);
    if (close >= 0 && this.text.charCodeAt(close + 1) !== 39 && !hasBreak(simple)) {
      this.position = close + 1;
      return simple;
    }
    return this.quotedScalar(start, 39);
  }

  doubleQuoted(): string {
    const start = this.position++;
    const close = this.text.indexOf('"', this.position);
    const simple = close < 0 ? '' : this.text.slice(this.position, close);
    if (close >= 0 && !simple.includes('\\') && !hasBreak(simple)) {
      this.position = close + 1;
      return simple;
    }
    return this.quotedScalar(start, 34);
  }

  private quotedScalar(start: number, quote: number): string {
    let content = '';
    for (;;) {
      if (this.column === 0 && this.atDocumentMarker())
        throw new YamlSyntaxError(this.position, 'a document marker stands inside a quoted scalar');
      if (this.atEnd())
        throw new YamlSyntaxError(
          start,
          'the quoted scalar is not closed',
          `close it with ${quote === 39 ? "'" : '"'}`,
        );
      let leadingBlanks = false;
      for (;;) {
        const code = this.code();
        if (isBlankOrEnd(code)) break;
        if (code === quote) {
          if (quote !== 39 || this.code(1) !== 39) break;
          content += "'";
          this.position += 2;
        } else if (quote === 34 && code === 92) {
          this.position++;
          if (this.skipBreak()) {
            leadingBlanks = true;
            break;
          }
          content += this.escape();
        } else {
          const from = this.position++;
          for (
            let next = this.code();
            next !== quote && next !== 92 && !isBlankOrEnd(next);
            next = this.code()
          )
            this.position++;
          content += this.text.slice(from, this.position);
        }
      }
      if (this.code() === quote && !this.atEnd()) {
        this.position++;
        return content;
      }
      content += this.quotedBlanks(leadingBlanks);
    }
  }

  private quotedBlanks(leadingBlanks: boolean): string {
    let whitespace = '';
    const breaks: string[] = [];
    let isFolding = leadingBlanks;
    for (let code = this.code(); isBlank(code) || isBreak(code); code = this.code()) {
      if (isBlank(code)) {
        if (!isFolding) whitespace += this.text[this.position] ?? '';
        this.position++;
      } else {
        breaks.push(this.readBreak());
        isFolding = true;
      }
    }
    if (!isFolding) return whitespace;
    // After an escaped break every further break counts as it stands.
    return leadingBlanks ? breaks.join('') : folded(breaks);
  }

  private escape(): string {
    const at = this.position - 1;
    const letter = this.text[this.position] ?? '';
    const simple = escapes[letter];
    this.position++;
    if (simple !== undefined) return simple;
    const length = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
    if (length === 0)
      throw new YamlSyntaxError(
        at,
        `\\${letter} is no escape sequence`,
        'write \\\\ for a backslash, or use single quotes',
      );
    const digits = this.text.slice(this.position, this.position + length);
    const value = Number.parseInt(digits, 16);
    if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits))
      throw new YamlSyntaxError(at, `\\${letter} needs ${length} hexadecimal digits`);
    if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff)
      throw new YamlSyntaxError(at, `\\${letter}${digits} is no Unicode character`);
    this.position += length;
    return String.fromCodePoint(value);
  }

  /** A `|` or `>` scalar; the position ends at the first line that is not part of it. */
  blockScalar(parentIndent: number): { readonly text: string; readonly style: number; readonly end: number } {
    const isLiteral = this.code() === 124;
    const start = this.position++;
    let chomping = 0;
    let increment = 0;
    for (let count = 0; count < 2; count++) {
      const code = this.code();
      if (chomping === 0 && (code === 43 || code === 45)) {
        chomping = code === 43 ? 1 : -1;
        this.position++;
      } else if (increment === 0 && code >= 48 && code <= 57) {
        if (code === 48) throw new YamlSyntaxError(start, 'the indentation indicator of a block scalar is 0');
        increment = code - 48;
        this.position++;
      } else break;
    }
    while (isBlank(this.code())) this.position++;
    if (this.code() === 35) this.skipLineRest();
    if (!isBreakOrEnd(this.code()) || (this.code() === 0 && !this.atEnd()))
      throw new YamlSyntaxError(
        this.position,
        `text follows the ${isLiteral ? '|' : '>'} of a block scalar`,
        'start the text on the next line',
      );
    this.skipBreak();
    let end = this.position;
    const base = Math.max(parentIndent, 0);
    let indent = increment > 0 ? base + increment : 0;
    const trailing: string[] = [];
    indent = this.blockBreaks(indent, parentIndent, trailing);
    let content = '';
    let leadingBreak = '';
    let isLeadingBlank = false;
    while (this.column === indent && !this.atEnd()) {
      const isTrailingBlank = isBlank(this.code());
      if (!isLiteral && !isLeadingBlank && !isTrailingBlank && leadingBreak === '\n') {
        if (trailing.length === 0) content += ' ';
      } else content += leadingBreak;
      content += trailing.join('');
      trailing.length = 0;
      isLeadingBlank = isBlank(this.code());
      const from = this.position;
      this.position = lineEndFrom(this.text, from);
      content += this.text.slice(from, this.position);
      end = this.position;
      leadingBreak = this.atEnd() ? '' : this.readBreak();
      indent = this.blockBreaks(indent, parentIndent, trailing);
    }
    if (chomping !== -1) content += leadingBreak;
    if (chomping === 1) content += trailing.join('');
    return { text: content, style: isLiteral ? yamlStyle.literal : yamlStyle.folded, end };
  }

  /** Eats indentation and empty lines; gives the indentation, found here when it was 0. */
  private blockBreaks(indent: number, parentIndent: number, breaks: string[]): number {
    let widest = 0;
    for (;;) {
      while ((indent === 0 || this.column < indent) && this.code() === space) this.position++;
      if (this.column > widest) widest = this.column;
      if ((indent === 0 || this.column < indent) && this.code() === tab)
        throw new YamlSyntaxError(
          this.position,
          'a tab stands where the block scalar is indented',
          'indent with spaces',
        );
      if (!isBreak(this.code())) break;
      breaks.push(this.readBreak());
    }
    return indent === 0 ? Math.max(widest, parentIndent + 1, 1) : indent;
  }

  /** Consumes a line break and gives it as it counts in a scalar. */
  private readBreak(): string {
    const code = this.code();
    this.skipBreak();
    return code === 0x2028 ? '\u2028' : code === 0x2029 ? '\u2029' : '\n';
  }
}
