import {
  decryptionError,
  isSopsComment,
  isSopsMap,
  sopsMap,
  type SopsItem,
  type SopsMap,
  type SopsValue,
} from './sopsTree.ts';

/** The object of a JSON file, in its order and with the kinds of its numbers. Throws DecryptionFailed. */
export function readJson(text: string): SopsMap {
  const reader = new JsonReader(text);
  const value = reader.readValue();
  if (isSopsMap(value)) return value;
  throw decryptionError(
    'sops only supports JSON files with a top-level object',
    'wrap it in an object, as {"data": […]}',
  );
}

/** The object as SOPS writes JSON: indented with tabs, comments left out, Go's escapes. */
export function printJson(map: SopsMap): string {
  return `${printMap(map, '')}\n`;
}

const maxDepth = 10_000;

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(): SopsValue {
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#readMap());
      case '[':
        return this.#nested(() => this.#readList());
      case '"':
        return this.#readString();
      default:
        return this.#readPlain();
    }
  }

  #nested(read: () => SopsValue): SopsValue {
    if (++this.#depth > maxDepth) throw this.#problem('is nested too deeply');
    const value = read();
    this.#depth--;
    return value;
  }

  #readMap(): SopsMap {
    const items: SopsItem[] = [];
    this.#at++;
    if (this.#taken('}')) return sopsMap(items);
    do {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') throw this.#problem('has no key here');
      const key = this.#readString();
      if (!this.#taken(':')) throw this.#problem('has no colon here');
      items.push({ key, value: this.readValue() });
    } while (this.#taken(','));
    if (!this.#taken('}')) throw this.#problem('has an object that is not closed');
    return sopsMap(items);
  }

  #readList(): SopsValue[] {
    const items: SopsValue[] = [];
    this.#at++;
    if (this.#taken(']')) return items;
    do items.push(this.readValue());
    while (this.#taken(','));
    if (!this.#taken(']')) throw this.#problem('has a list that is not closed');
    return items;
  }

  #readString(): string {
    const pattern = /"(?:[^"\\\u0000-\u001f]|\\.)*"/suy;
    pattern.lastIndex = this.#at;
    const [token] = pattern.exec(this.#text) ?? [];
    if (token === undefined) throw this.#problem('has text that is not closed');
    this.#at += token.length;
    try {
      return JSON.parse(token) as string;
    } catch {
      throw this.#problem('has an invalid escape');
    }
  }

  #readPlain(): SopsValue {
    const pattern = /true|false|null|-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/uy;
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw this.#problem('has no value here');
    const [token, fraction, exponent] = match;
    this.#at += token.length;
    if (token === 'null') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    const isInt =
      fraction === undefined && exponent === undefined && BigInt.asIntN(64, BigInt(token)) === BigInt(token);
    return isInt ? BigInt(token) : Number(token);
  }

  #taken(character: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #problem(what: string): Error {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return decryptionError(`could not read the JSON: line ${line} ${what}`);
  }
}

function printValue(value: SopsValue, indent: string): string {
  if (isSopsMap(value)) return printMap(value, indent);
  if (Array.isArray(value)) return printList(value as readonly SopsValue[], indent);
  if (typeof value === 'string') return goString(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'object' && value !== null && 'text' in value) return goString(value.text);
  return String(value as bigint | boolean | null);
}

function printMap({ items }: SopsMap, indent: string): string {
  const inner = `${indent}\t`;
  const members = items.flatMap(({ key, value }) =>
    typeof key === 'string' ? [`${inner}${goString(key)}: ${printValue(value, inner)}`] : [],
  );
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}

function printList(list: readonly SopsValue[], indent: string): string {
  const inner = `${indent}\t`;
  const items = list.filter((item) => !isSopsComment(item)).map((item) => inner + printValue(item, inner));
  return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`;
}

/** JSON has no word for these; Go refuses them too. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) throw decryptionError('a float that is no number cannot be written as JSON');
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Go's encoding/json: HTML characters and line separators are escaped too. */
function goString(text: string): string {
  return JSON.stringify(text).replaceAll(/[<>&\u2028\u2029]|\\ud[89a-f][0-9a-f]{2}/g, (found) =>
    found.startsWith('\\') ? '\\ufffd' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
