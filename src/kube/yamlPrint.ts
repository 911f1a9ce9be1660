import type { JsonObject, JsonValue } from '../base/json.ts';
import { compareYamlKeys } from './yamlKeyOrder.ts';
import { writeKey, writeScalar } from './yamlPrintScalar.ts';

/**
 * The value as sigs.k8s.io/yaml prints it, byte for byte: keys sorted as go-yaml v2 does, lists at the column of their
 * key, long text folded at 80 columns. This is what `kustomize build`, Flux and `kubectl -o yaml` print.
 */
export function printYaml(value: JsonValue): string {
  return printDocument(value, sortedKeys);
}

/** As printYaml, but with keys in the order of the object: for files people read. */
export function printYamlInOrder(value: JsonValue): string {
  return printDocument(value, definedKeys);
}

/** Several documents, joined by `---` lines as kustomize joins them. */
export function printYamlStream(values: Iterable<JsonValue>): string {
  return [...values].map(printYaml).join('---\n');
}

type KeysOf = (object: JsonObject) => string[];

function sortedKeys(object: JsonObject): string[] {
  const keys = definedKeys(object);
  return keys.length < 2 ? keys : keys.sort(compareYamlKeys);
}

function definedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  return keys.some((key) => object[key] === undefined)
    ? keys.filter((key) => object[key] !== undefined)
    : keys;
}

function printDocument(value: JsonValue, keysOf: KeysOf): string {
  const out: string[] = [];
  if (isCollection(value)) writeCollection(out, value, { indent: 0, isInline: false }, keysOf);
  else out.push(writeScalar(value, 2, 0));
  const text = out.join('');
  return text.endsWith('\n') ? text : `${text}\n`;
}

interface Place {
  readonly indent: number;
  /** The first entry follows `- ` on the same line. */
  readonly isInline: boolean;
}

function isCollection(value: JsonValue): value is JsonObject | readonly JsonValue[] {
  return typeof value === 'object' && value !== null;
}

function writeCollection(
  out: string[],
  value: JsonObject | readonly JsonValue[],
  place: Place,
  keysOf: KeysOf,
): void {
  if (Array.isArray(value)) writeList(out, value as readonly JsonValue[], place, keysOf);
  else writeMapping(out, value as JsonObject, place, keysOf);
}

function writeList(out: string[], items: readonly JsonValue[], place: Place, keysOf: KeysOf): void {
  if (items.length === 0) {
    out.push('[]\n');
    return;
  }
  const pad = ' '.repeat(place.indent);
  let isInline = place.isInline;
  for (const item of items) {
    out.push(isInline ? '- ' : `${pad}- `);
    isInline = false;
    if (isCollection(item)) writeCollection(out, item, { indent: place.indent + 2, isInline: true }, keysOf);
    else writeLine(out, item, place.indent + 2, place.indent + 2);
  }
}

function writeMapping(out: string[], object: JsonObject, place: Place, keysOf: KeysOf): void {
  const keys = keysOf(object);
  if (keys.length === 0) {
    out.push('{}\n');
    return;
  }
  const pad = ' '.repeat(place.indent);
  let isInline = place.isInline;
  for (const key of keys) {
    const before = isInline ? '' : pad;
    isInline = false;
    const value = object[key] as JsonValue;
    if (isLongKey(key)) {
      writeLongEntry(out, before, key, value, place, keysOf);
      continue;
    }
    const keyText = writeKey(key);
    out.push(before, keyText, ':');
    if (!isCollection(value)) {
      out.push(' ');
      writeLine(out, value, place.indent + 2, place.indent + keyText.length + 2);
    } else if (isEmpty(value, keysOf)) {
      out.push(Array.isArray(value) ? ' []\n' : ' {}\n');
    } else {
      out.push('\n');
      const indent = Array.isArray(value) ? place.indent : place.indent + 2;
      writeCollection(out, value, { indent, isInline: false }, keysOf);
    }
  }
}

/** Keys of more than 128 bytes, or with a line break, cannot be simple keys. */
function isLongKey(key: string): boolean {
  return /[\n\r\u0085\u2028\u2029]/.test(key) || (key.length > 42 && Buffer.byteLength(key) > 128);
}

function writeLongEntry(
  out: string[],
  before: string,
  key: string,
  value: JsonValue,
  place: Place,
  keysOf: KeysOf,
): void {
  const pad = ' '.repeat(place.indent);
  const inner = place.indent + 2;
  out.push(before, '? ');
  writeLine(out, key, inner, inner);
  out.push(pad, ': ');
  if (!isCollection(value)) writeLine(out, value, inner, inner);
  else if (isEmpty(value, keysOf)) out.push(Array.isArray(value) ? '[]\n' : '{}\n');
  else writeCollection(out, value, { indent: place.indent + 2, isInline: true }, keysOf);
}

function isEmpty(value: JsonObject | readonly JsonValue[], keysOf: KeysOf): boolean {
  return Array.isArray(value) ? value.length === 0 : keysOf(value as JsonObject).length === 0;
}

function writeLine(out: string[], value: JsonValue, indent: number, column: number): void {
  const text = writeScalar(value as string | number | bigint | boolean | null, indent, column);
  out.push(text);
  // A literal block that keeps its trailing breaks has ended its last line already.
  if (!text.endsWith('\n')) out.push('\n');
}
