import type { Position, Range } from '../../base/position.ts';

/** What stands around a position of a text that may be half typed: found from lines and indentation alone. */
export interface CursorContext {
  /** The top-level scalars apiVersion and kind of the document, where they stand. */
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
  /** The mapping that a key goes into, or the field or list element whose value is typed. Indexes are not counted: 0. */
  readonly path: readonly (string | number)[];
  readonly at: 'key' | 'value';
  /** Column at which keys of the mapping stand. */
  readonly column: number;
  /** Keys that the mapping has already. */
  readonly siblings: readonly string[];
  /** The text from the start of the word to the position, without quotes. */
  readonly prefix: string;
  /** The word, also behind the position: what a completion replaces. */
  readonly range: Range;
}

/** A line taken apart: columns of its `- `, then key and value. */
interface Line {
  readonly number: number;
  readonly dashes: readonly number[];
  /** Column of what follows the dashes. */
  readonly column: number;
  readonly key: string | undefined;
  /** Text behind the key's colon, or all of it where there is no key. */
  readonly value: string;
  readonly valueColumn: number;
}

/** The context of a position in block style; undefined inside block scalars, comments and flow collections. */
export function cursorContext(text: string, position: Position): CursorContext | undefined {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const current = lines[position.line];
  if (current === undefined) return undefined;
  const [first, last] = documentAround(lines, position.line);
  const before = current.slice(0, position.character);
  if (/(^|\s)#/.test(before)) return undefined;
  const line = splitLine(current, position.line) ?? emptyLine(position);
  const isBeforeContent = position.character < line.column;
  if (isBeforeContent || isInBlockScalar(lines, first, line)) return undefined;

  const top = readTop(lines, first, last);
  const inValue = line.key !== undefined && position.character >= line.valueColumn;
  if (inValue && /^[[{|>&*!]/.test(line.value)) return undefined;
  const start = inValue ? line.valueColumn : line.column;
  const parents = pathOf(lines, first, line);
  if (parents === undefined) return undefined;
  const written = inValue ? line.value : (line.key ?? line.value);
  const quote = /^['"]/.test(written) ? 1 : 0;
  const end = start + written.length;
  const range: Range = {
    start: { line: position.line, character: Math.min(start + quote, position.character) },
    end: { line: position.line, character: Math.max(end - quote, position.character) },
  };
  const path = inValue ? [...parents, line.key as string] : parents;
  const isKey = !inValue;
  return {
    ...top,
    path,
    at: isKey ? 'key' : 'value',
    column: line.column,
    siblings: isKey ? siblingsOf(lines, first, last, line) : [],
    prefix: current.slice(range.start.character, position.character),
    range,
  };
}

/** First and last line of the document that holds a line. */
function documentAround(lines: readonly string[], number: number): readonly [number, number] {
  const isMarker = (line: string | undefined): boolean => /^---(\s|$)/.test(line ?? '');
  let first = number;
  while (first > 0 && !isMarker(lines[first - 1])) first--;
  let last = number;
  while (last + 1 < lines.length && !isMarker(lines[last + 1])) last++;
  return [first, last];
}

function splitLine(text: string, number: number): Line | undefined {
  // No key stands behind a thousand characters, and the patterns below must not run over a megabyte of one line.
  const content = text.slice(0, 1100).replace(/(^|\s)#.*$/, '$1');
  const dashes: number[] = [];
  let column = indentOf(content);
  while (/^-(\s|$)/.test(content.slice(column))) {
    dashes.push(column);
    const rest = content.slice(column + 1);
    column += 1 + indentOf(rest);
  }
  const rest = content.slice(column).trimEnd();
  if (rest === '' && dashes.length === 0) return undefined;
  const match = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s:'"[{#][^:]*?|[^\s'"[{#][^#]*?)\s*:(?:\s+|$)/.exec(
    `${content.slice(column)} `,
  );
  if (match === null) return { number, dashes, column, key: undefined, value: rest, valueColumn: column };
  const key = (match[1] as string).replace(/^['"]|['"]$/g, '');
  const valueColumn = Math.min(
    column + match[0].length,
    Math.max(content.length, column + (match[1] as string).length + 2),
  );
  const value = content.slice(valueColumn).trimEnd();
  return { number, dashes, column, key, value, valueColumn };
}

function emptyLine({ line, character }: Position): Line {
  return { number: line, dashes: [], column: character, key: undefined, value: '', valueColumn: character };
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** True when the line belongs to the text of a `|` or `>` above it. */
function isInBlockScalar(lines: readonly string[], first: number, line: Line): boolean {
  let limit = line.dashes[0] ?? line.column;
  for (let number = line.number - 1; number >= first; number--) {
    const above = splitLine(lines[number] ?? '', number);
    if (above === undefined) continue;
    const start = above.dashes[0] ?? above.column;
    if (start >= limit) continue;
    if (/^[|>][-+0-9]*$/.test(above.value)) return true;
    limit = start;
  }
  return false;
}

/** The path of the mapping or list that holds the line's content; undefined when nothing above opens it. */
function pathOf(lines: readonly string[], first: number, line: Line): (string | number)[] | undefined {
  const path: (string | number)[] = [];
  let column = line.column;
  let dashes = [...line.dashes];
  let inItem = false;
  for (let number = line.number; ;) {
    while (dashes.length > 0) {
      path.unshift(0);
      column = dashes.pop() as number;
      inItem = true;
    }
    if (column === 0 && !inItem) return path;
    const opener = findOpener(lines, first, number, column, inItem);
    if (opener === undefined) return column === 0 && inItem ? path : undefined;
    number = opener.line.number;
    if (opener.isItem) {
      // The first key of this list element stands behind its dash, on the line found.
      dashes = [...opener.line.dashes];
      continue;
    }
    path.unshift(opener.line.key as string);
    column = opener.line.column;
    dashes = [...opener.line.dashes];
    inItem = false;
  }
}

/** The line above that opens the block at a column: a key without a value, or the dash of the list element it is in. */
function findOpener(
  lines: readonly string[],
  first: number,
  below: number,
  column: number,
  inItem: boolean,
): { readonly line: Line; readonly isItem: boolean } | undefined {
  for (let number = below - 1; number >= first; number--) {
    const above = splitLine(lines[number] ?? '', number);
    if (above === undefined) continue;
    if (!inItem && above.dashes.length > 0 && above.column === column) return { line: above, isItem: true };
    const isOutside =
      above.column < column || (inItem && above.column === column && above.dashes.length === 0);
    if (isOutside) {
      return above.key !== undefined && above.value === '' ? { line: above, isItem: false } : undefined;
    }
    if ((above.dashes[0] ?? column) < column && !inItem) return undefined;
  }
  return undefined;
}

/** Keys above and below that stand in the same mapping. */
function siblingsOf(lines: readonly string[], first: number, last: number, line: Line): string[] {
  const keys: string[] = [];
  if (line.dashes.length === 0) {
    for (let number = line.number - 1; number >= first; number--) {
      const above = splitLine(lines[number] ?? '', number);
      if (above === undefined) continue;
      if (above.column < line.column) break;
      if (above.column === line.column && above.key !== undefined) keys.push(above.key);
      if ((above.dashes[0] ?? line.column) < line.column) break;
    }
  }
  for (let number = line.number + 1; number <= last; number++) {
    const below = splitLine(lines[number] ?? '', number);
    if (below === undefined) continue;
    if ((below.dashes[0] ?? below.column) < line.column) break;
    if (below.column === line.column && below.dashes.length === 0 && below.key !== undefined)
      keys.push(below.key);
  }
  return keys;
}

function readTop(
  lines: readonly string[],
  first: number,
  last: number,
): { readonly apiVersion: string | undefined; readonly kind: string | undefined } {
  const top: Record<string, string> = {};
  for (let number = first; number <= last; number++) {
    const match = /^(apiVersion|kind):\s+(['"]?)([^'"#\s]+)\2\s*(#.*)?$/.exec(lines[number] ?? '');
    if (match !== null) top[match[1] as string] ??= match[3] as string;
  }
  return { apiVersion: top['apiVersion'], kind: top['kind'] };
}
