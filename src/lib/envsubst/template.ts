/** A piece of a template: literal text, or an expression `${…}`. */
export type TemplateNode = string | Expression;

/** `${name}` with an optional operator and its arguments, themselves made of text and expressions. */
export interface Expression {
  readonly name: string;
  /** The operator as written (`:=`, `^^`, `/#` …), '' for a bare `${name}`. */
  readonly operator: string;
  readonly args: readonly TemplateNode[];
  /** Where the outermost `${` around it stands in the text, in UTF-16 units. */
  readonly offset: number;
}

/** A text that is no template; `offset` is that of the outermost `${` around the fault. */
export interface TemplateFault {
  readonly message: string;
  readonly offset: number;
}

class Fault extends Error {}

type Accepts = (char: string, index: number) => boolean;

/** Upstream has no limit; nobody nests this deep on purpose, and the stack is finite. */
const maxNesting = 500;

const badSubstitution = 'bad substitution';
const badParameter = 'unable to parse substitution within function';

const letterOrDigit = /^[\p{L}\p{Nd}_]$/u;
const isName: Accepts = (char) => letterOrDigit.test(char);
const isNotClosing: Accepts = (char) => char !== '}';

/**
 * Splits a text into literals and expressions. Follows the parser of fluxcd/pkg envsubst, its oddities included:
 * a NUL ends the text, `$$` is a plain `$` outside expressions, defaults run to the first `}`.
 */
export function parseTemplate(text: string): readonly TemplateNode[] | TemplateFault {
  const parser = new Parser(text);
  try {
    return parser.parseText();
  } catch (error) {
    if (error instanceof Fault) return { message: error.message, offset: parser.expressionStart };
    throw error;
  }
}

/** Reads characters (code points) from the left; `undefined` stands for the end of the text. */
class Parser {
  readonly #text: string;
  readonly #endsAtNul: boolean;
  #at = 0;
  #nesting = 0;
  expressionStart = 0;

  constructor(text: string) {
    const end = text.indexOf('\0');
    this.#text = end < 0 ? text : text.slice(0, end);
    this.#endsAtNul = end >= 0;
  }

  parseText(): TemplateNode[] {
    const nodes: TemplateNode[] = [];
    while (this.#at < this.#text.length) {
      if (this.#opensExpression()) {
        this.expressionStart = this.#at;
        nodes.push(this.#parseExpression());
      } else {
        nodes.push(this.#readLiteral());
      }
    }
    return nodes;
  }

  #readLiteral(): string {
    let literal = '';
    let from = this.#at;
    for (;;) {
      const dollar = this.#text.indexOf('$', this.#at);
      if (dollar < 0) {
        this.#at = this.#text.length;
        return literal + this.#text.slice(from);
      }
      this.#at = dollar;
      if (this.#opensExpression()) return literal + this.#text.slice(from, dollar);
      if (this.#text[dollar + 1] === '$') {
        literal += this.#text.slice(from, dollar + 1);
        this.#at = dollar + 2;
        from = this.#at;
      } else {
        this.#at = dollar + 1;
      }
    }
  }

  #parseExpression(): Expression {
    this.#at += 2;
    if (this.#peek() === '#') return this.#parseLength();
    const name = this.#read(isName);
    if (name === '') throw new Fault('unable to parse variable name');
    if (++this.#nesting > maxNesting) throw new Fault(`expressions nested more than ${maxNesting} deep`);
    const [operator, args] = this.#parseOperation();
    this.#nesting--;
    return { name, operator, args, offset: this.expressionStart };
  }

  #parseOperation(): [operator: string, args: TemplateNode[]] {
    switch (this.#peek()) {
      case ':':
        return this.#startsDefault() ? this.#parseDefault(2) : this.#parseSubstring();
      case '=':
        return this.#parseDefault(1);
      case ',':
      case '^': {
        const operator = this.#read((char, index) => (char === ',' || char === '^') && index < 2);
        this.#close(badSubstitution);
        return [operator, []];
      }
      case '/':
        return this.#parseReplace();
      case '#':
      case '%': {
        const sign = this.#peek();
        const operator = this.#read((char, index) => char === sign && index < 2);
        const args = [this.#parseParameter(isNotClosing)];
        this.#close(badSubstitution);
        return [operator, args];
      }
      default:
        this.#close('missing closing brace');
        return ['', []];
    }
  }

  #parseLength(): Expression {
    this.#at++;
    const name = this.#read(isName);
    if (name === '') throw new Fault(badSubstitution);
    this.#close(badSubstitution);
    return { name, operator: '#', args: [], offset: this.expressionStart };
  }

  #startsDefault(): boolean {
    const next = this.#text[this.#at + 1];
    // Upstream steps back by the width of what follows the colon, and is lost when that is not one byte.
    if (next === undefined ? !this.#endsAtNul : next > '\x7f') throw new Fault(badSubstitution);
    return next !== undefined && '=-?+'.includes(next);
  }

  #parseDefault(length: number): [string, TemplateNode[]] {
    const operator = this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
    const args: TemplateNode[] = [];
    while (this.#peek() !== '}') args.push(this.#parseParameter(isNotClosing));
    this.#at++;
    return [operator, args];
  }

  #parseSubstring(): [string, TemplateNode[]] {
    this.#at++;
    const args = [this.#parseParameter((char) => char !== ':' && char !== '}')];
    if (this.#peek() === '}') {
      this.#at++;
      return [':', args];
    }
    if (this.#read((char) => char === ':') === '') throw new Fault(badSubstitution);
    args.push(this.#parseParameter(isNotClosing));
    this.#close(badSubstitution);
    return [':', args];
  }

  #parseReplace(): [string, TemplateNode[]] {
    const operator = this.#read((char, index) =>
      index === 0 ? char === '/' : index === 1 && '/#%'.includes(char),
    );
    const args = [this.#parseEscapedParameter((char) => char !== '/')];
    if (this.#read((char) => char === '/') === '') throw new Fault(badSubstitution);
    if (this.#peek() !== '}') args.push(this.#parseEscapedParameter(isNotClosing));
    this.#close(badSubstitution);
    return [operator, args];
  }

  /** A nested expression, or text up to what is not accepted or to a nested expression. */
  #parseParameter(accepts: Accepts): TemplateNode {
    if (this.#opensExpression()) return this.#parseExpression();
    return this.#textOrFault(this.#read(accepts, () => this.#opensExpression()));
  }

  /** As above, where `$$`, `\/` and `\\` stand for their second character. */
  #parseEscapedParameter(accepts: Accepts): TemplateNode {
    if (this.#opensExpression()) return this.#parseExpression();
    let text = '';
    for (;;) {
      text += this.#read(accepts, () => this.#opensExpression() || this.#isEscape());
      if (this.#opensExpression() || !this.#isEscape()) return this.#textOrFault(text);
      text += this.#text[this.#at + 1] as string;
      this.#at += 2;
    }
  }

  #textOrFault(text: string): string {
    if (text === '') throw new Fault(badParameter);
    return text;
  }

  #isEscape(): boolean {
    const pair = this.#text.slice(this.#at, this.#at + 2);
    return pair === '$$' || pair === '\\/' || pair === '\\\\';
  }

  #opensExpression(): boolean {
    return this.#text.startsWith('${', this.#at);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #read(accepts: Accepts, stops: () => boolean = () => false): string {
    const start = this.#at;
    for (let index = 0; this.#at < this.#text.length && !stops(); index++) {
      const char = String.fromCodePoint(this.#text.codePointAt(this.#at) as number);
      if (!accepts(char, index)) break;
      this.#at += char.length;
    }
    return this.#text.slice(start, this.#at);
  }

  #close(message: string): void {
    if (this.#peek() !== '}') throw new Fault(message);
    this.#at++;
  }
}
