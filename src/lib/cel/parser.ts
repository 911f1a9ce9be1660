import { CelSyntaxError, type CelNode, type ListItem, type MapEntry } from './ast.ts';
import { numberOf, tokenize, type Token } from './lexer.ts';
import { expandMacro } from './macros.ts';

/** cel-go's limit; deeper expressions are refused. */
const maxDepth = 250;
/** Ours: a chain of operators becomes a tree as deep as the chain is long, and the stack is finite. */
const maxTokens = 5000;

const reserved = new Set([
  ...['as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let'],
  ...['loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
]);
const words = new Set(['true', 'false', 'null', 'in']);

const relations = new Set(['<', '<=', '>', '>=', '==', '!=', 'in']);

/** Parses an expression, macros expanded. Throws CelSyntaxError. Follows the grammar of cel-spec. */
export function parseCel(source: string): CelNode {
  const tokens = tokenize(source);
  if (tokens.length > maxTokens) throw new CelSyntaxError(`expression of more than ${maxTokens} tokens`, 0);
  const parser = new Parser(tokens);
  const node = parser.parseExpression();
  parser.expectEnd();
  return node;
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parseExpression(): CelNode {
    if (++this.#depth > maxDepth) throw this.#failure(`expression recursion limit exceeded: ${maxDepth}`);
    const condition = this.#parseLogical('||');
    let node = condition;
    if (this.#take('?')) {
      const then = this.#parseLogical('||');
      this.#expect(':');
      const otherwise = this.parseExpression();
      node = { kind: 'conditional', offset: condition.offset, condition, then, otherwise };
    }
    this.#depth--;
    return node;
  }

  expectEnd(): void {
    if (this.#token.type !== 'end') throw this.#unexpected();
  }

  #parseLogical(operator: '&&' | '||'): CelNode {
    const parseOperand = (): CelNode =>
      operator === '||' ? this.#parseLogical('&&') : this.#parseRelation();
    let left = parseOperand();
    for (let offset = this.#token.offset; this.#take(operator); offset = this.#token.offset) {
      left = { kind: 'logical', offset, operator, left, right: parseOperand() };
    }
    return left;
  }

  #parseRelation(): CelNode {
    let left = this.#parseSum();
    while (relations.has(this.#token.text) && this.#token.type !== 'literal') {
      const { text, offset } = this.#next();
      const name = text === 'in' ? '@in' : `_${text}_`;
      left = { kind: 'call', offset, name, target: undefined, args: [left, this.#parseSum()] };
    }
    return left;
  }

  #parseSum(): CelNode {
    return this.#parseBinary(['+', '-'], () => this.#parseBinary(['*', '/', '%'], () => this.#parseUnary()));
  }

  #parseBinary(operators: readonly string[], parseOperand: () => CelNode): CelNode {
    let left = parseOperand();
    while (this.#token.type === 'symbol' && operators.includes(this.#token.text)) {
      const { text, offset } = this.#next();
      left = { kind: 'call', offset, name: `_${text}_`, target: undefined, args: [left, parseOperand()] };
    }
    return left;
  }

  #parseUnary(): CelNode {
    const { offset } = this.#token;
    const sign = this.#token.type === 'symbol' ? this.#token.text : '';
    if (sign !== '!' && sign !== '-') return this.#parseMember();
    let count = 0;
    while (this.#isAt(sign) && !(sign === '-' && isSigned(this.#peek()))) {
      this.#next();
      count++;
    }
    const operand = this.#parseMember();
    // Pairs cancel out, as in cel-go.
    return count % 2 === 0
      ? operand
      : { kind: 'call', offset, name: `${sign}_`, target: undefined, args: [operand] };
  }

  #parseMember(): CelNode {
    let node = this.#parsePrimary();
    for (;;) {
      const { offset } = this.#token;
      if (this.#take('.')) node = this.#parseSelect(node, offset);
      else if (this.#take('[')) {
        const isOptional = this.#take('?');
        const key = this.parseExpression();
        this.#expect(']');
        node = { kind: 'index', offset, operand: node, key, isOptional };
      } else return node;
    }
  }

  #parseSelect(operand: CelNode, offset: number): CelNode {
    const isOptional = this.#take('?');
    const name = this.#next();
    if (name.type !== 'ident' || words.has(name.text)) throw this.#unexpected(name);
    const callOffset = this.#token.offset;
    if (isOptional || !this.#take('(')) {
      return { kind: 'select', offset, operand, field: name.text, isOptional };
    }
    const args = this.#parseList(')', () => this.parseExpression());
    const call = { kind: 'call', offset: callOffset, name: name.text, target: operand, args } as const;
    return expandMacro(call);
  }

  #parsePrimary(): CelNode {
    const token = this.#next();
    const { offset, text } = token;
    if (token.type === 'literal') return { kind: 'literal', offset, value: token.value ?? null };
    if (token.type === 'number') return { kind: 'literal', offset, value: numberOf(token, false) };
    if (token.type === 'ident') return this.#parseName(token, '');
    if (token.type === 'end') throw this.#unexpected(token);
    if (text === '-') return { kind: 'literal', offset, value: numberOf(this.#next(), true) };
    if (text === '(') {
      const node = this.parseExpression();
      this.#expect(')');
      return node;
    }
    if (text === '[')
      return { kind: 'list', offset, items: this.#parseList(']', () => this.#parseItem(), true) };
    if (text === '{')
      return { kind: 'map', offset, entries: this.#parseList('}', () => this.#parseEntry(), true) };
    if (text === '.' && this.#token.type === 'ident') return this.#parseName(this.#next(), '.');
    throw this.#unexpected(token);
  }

  #parseName({ text, offset }: Token, leadingDot: string): CelNode {
    if (leadingDot === '') {
      if (text === 'true' || text === 'false') return { kind: 'literal', offset, value: text === 'true' };
      if (text === 'null') return { kind: 'literal', offset, value: null };
    }
    if (words.has(text)) throw new CelSyntaxError(`mismatched input '${text}'`, offset);
    if (reserved.has(text)) throw new CelSyntaxError(`reserved identifier: ${text}`, offset);
    const callOffset = this.#token.offset;
    if (this.#take('(')) {
      const args = this.#parseList(')', () => this.parseExpression());
      return expandMacro({ kind: 'call', offset: callOffset, name: text, target: undefined, args });
    }
    if (this.#opensMessage()) throw new CelSyntaxError('messages are not supported here', offset);
    return { kind: 'ident', offset, name: leadingDot + text };
  }

  /** Looks for `a.b.C{`, a protobuf message. */
  #opensMessage(): boolean {
    let at = this.#position;
    while (this.#tokens[at]?.text === '.' && this.#tokens[at + 1]?.type === 'ident') at += 2;
    return this.#tokens[at]?.text === '{' && this.#tokens[at]?.type === 'symbol';
  }

  #parseItem(): ListItem {
    const isOptional = this.#take('?');
    return { node: this.parseExpression(), isOptional };
  }

  #parseEntry(): MapEntry {
    const isOptional = this.#take('?');
    const key = this.parseExpression();
    this.#expect(':');
    return { key, value: this.parseExpression(), isOptional };
  }

  #parseList<T>(end: string, parseOne: () => T, allowsTrailingComma = false): T[] {
    const items: T[] = [];
    if (this.#take(end)) return items;
    if (allowsTrailingComma && this.#isAt(',') && this.#peek().text === end) {
      this.#next();
      this.#next();
      return items;
    }
    for (;;) {
      items.push(parseOne());
      if (this.#take(end)) return items;
      this.#expect(',');
      if (allowsTrailingComma && this.#take(end)) return items;
    }
  }

  get #token(): Token {
    return this.#tokens[this.#position] as Token;
  }

  #peek(): Token {
    return this.#tokens[this.#position + 1] ?? this.#token;
  }

  #next(): Token {
    const token = this.#token;
    if (token.type !== 'end') this.#position++;
    return token;
  }

  #isAt(text: string): boolean {
    return this.#token.type === 'symbol' && this.#token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#isAt(text)) return false;
    this.#position++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected();
  }

  #unexpected(token = this.#token): CelSyntaxError {
    const what = token.type === 'end' ? 'the end' : `'${token.text}'`;
    return new CelSyntaxError(`Syntax error: unexpected ${what}`, token.offset);
  }

  #failure(message: string): CelSyntaxError {
    return new CelSyntaxError(message, this.#token.offset);
  }
}

/** A minus is part of an int or double, never of a uint. */
function isSigned({ type, text }: Token): boolean {
  return type === 'number' && !/[uU]$/.test(text);
}
