import { formatGoFloat } from '../../kube/goFloat.ts';
import { writeKey, writeScalar } from '../../kube/yamlPrintScalar.ts';
import { resolveTag, tags } from '../../kube/yamlScalar.ts';
import { YamlLines } from './yamlLines.ts';
import {
  isSopsComment,
  isSopsMap,
  sopsMap,
  type SopsComment,
  type SopsDocuments,
  type SopsMap,
  type SopsValue,
} from './sopsTree.ts';

/** The documents as SOPS writes YAML: go-yaml v3, four blanks, comments, nothing folded. */
export function printYamlDocuments(documents: SopsDocuments): string {
  const lines = new YamlLines();
  for (const [index, document] of documents.entries()) {
    if (index > 0) lines.documentStart();
    printMap(lines, document, -1, 'document');
    lines.documentEnd();
  }
  return lines.end();
}

type Context = 'document' | 'mapping' | 'sequence';

/** How far a block is indented: two more behind the `-` of an item, else the next multiple of four. */
function deeper(indent: number, context: Context): number {
  if (indent < 0) return 0;
  return context === 'sequence' ? indent + 2 : 4 * Math.floor((indent + 4) / 4);
}

function printValue(lines: YamlLines, value: SopsValue, indent: number, context: Context): void {
  if (isSopsMap(value)) printMap(lines, value, indent, context);
  else if (Array.isArray(value)) printList(lines, value as readonly SopsValue[], indent, context);
  else printLeaf(lines, value, indent < 0 ? 4 : deeper(indent, context), false);
}

function printMap(lines: YamlLines, map: SopsMap, outer: number, context: Context): void {
  const indent = deeper(outer, context);
  const pending = new PendingComments();
  let isEmpty = true;
  for (const { key, value } of map.items) {
    if (typeof key !== 'string') {
      pending.add(key);
      continue;
    }
    isEmpty = false;
    lines.comment(pending.takeAbove(), indent);
    lines.startLine(indent);
    const isSimple = Buffer.byteLength(key) <= 128;
    if (!isSimple) lines.write('?', { isIndicator: true });
    printLeaf(lines, key, indent, true);
    if (!isSimple) lines.startLine(indent);
    lines.write(':', { isIndicator: !isSimple, isGlued: isSimple });
    printEntry(lines, value, indent, 'mapping', pending);
  }
  finish(lines, pending, indent, isEmpty, '{}');
}

function printList(lines: YamlLines, list: readonly SopsValue[], outer: number, context: Context): void {
  const indent = deeper(outer, context);
  const pending = new PendingComments();
  let isEmpty = true;
  for (const item of list) {
    if (isSopsComment(item)) {
      pending.add(item);
      continue;
    }
    isEmpty = false;
    // What stands first in a collection of its own stands above the dash.
    const { leading, rest } = splitLeading(item);
    lines.comment([...pending.takeAbove(), ...leading], indent);
    lines.startLine(indent);
    lines.write('-', { isIndicator: true });
    printEntry(lines, rest, indent, 'sequence', pending);
  }
  finish(lines, pending, indent, isEmpty, '[]');
}

/** The comments at the start of a collection with entries, and the collection without them. */
function splitLeading(value: SopsValue): { readonly leading: readonly string[]; readonly rest: SopsValue } {
  const commentAt = (index: number): SopsComment | undefined => {
    if (isSopsMap(value)) {
      const key = value.items[index]?.key;
      return typeof key === 'object' ? key : undefined;
    }
    const item = Array.isArray(value) ? (value as readonly SopsValue[])[index] : undefined;
    return isSopsComment(item) ? item : undefined;
  };
  const leading: string[] = [];
  for (let next = commentAt(0); next !== undefined && !next.isInline; next = commentAt(leading.length))
    leading.push(next.value);
  const length = isSopsMap(value) ? value.items.length : Array.isArray(value) ? value.length : 0;
  if (leading.length === 0 || leading.length === length) return { leading: [], rest: value };
  return {
    leading,
    rest: isSopsMap(value)
      ? sopsMap(value.items.slice(leading.length))
      : (value as readonly SopsValue[]).slice(leading.length),
  };
}

function printEntry(
  lines: YamlLines,
  value: SopsValue,
  indent: number,
  context: Context,
  pending: PendingComments,
): void {
  lines.lineComment = pending.takeBehind();
  printValue(lines, value, indent, context);
  lines.flushLineComment(indent);
}

/** What stands after the last entry; an empty collection keeps its comments above. */
function finish(
  lines: YamlLines,
  pending: PendingComments,
  indent: number,
  isEmpty: boolean,
  empty: string,
): void {
  const rest = [...pending.takeAbove(), ...pending.takeBehind()];
  if (isEmpty) {
    lines.comment(rest, indent);
    lines.write(empty, {});
  } else if (rest.length > 0) lines.footComment(rest, indent);
}

class PendingComments {
  #above: string[] = [];
  #behind: string[] = [];

  add({ value, isInline }: SopsComment): void {
    (isInline ? this.#behind : this.#above).push(value);
  }

  takeAbove(): string[] {
    const above = this.#above;
    this.#above = [];
    return above;
  }

  takeBehind(): string[] {
    const behind = this.#behind;
    this.#behind = [];
    return behind;
  }
}

function printLeaf(lines: YamlLines, leaf: SopsValue, indent: number, isKey: boolean): void {
  if (typeof leaf === 'string') {
    if (leaf.includes('\n') && !isKey && isLiteralAllowed(leaf)) lines.literal(leaf, indent);
    else lines.write(textScalar(leaf), {});
  } else if (typeof leaf === 'number') lines.write(formatGoFloat(leaf), {});
  else if (typeof leaf === 'object' && leaf !== null && 'text' in leaf) lines.write(leaf.text, {});
  else lines.write(String(leaf as bigint | boolean | null), {});
}

function textScalar(text: string): string {
  if (text.includes('\n')) return doubleQuoted(text);
  if (resolveTag(text, 'v3') !== tags.str) return doubleQuoted(text);
  return writeKey(text);
}

function doubleQuoted(text: string): string {
  return `${writeScalar(`${text}\n `, 0, -100_000).slice(0, -4)}"`;
}

/** As go-yaml decides: no blank at a line's end, no special characters; tabs are fine. */
function isLiteralAllowed(text: string): boolean {
  if (text.endsWith(' ') || / [\n\r\u0085\u2028\u2029]/.test(text)) return false;
  const withoutPairs = text.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, '\0');
  return !/[^\t\n\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(withoutPairs);
}
