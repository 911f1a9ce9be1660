import type { YamlNode, YamlText } from './yamlNode.ts';
import { atDirective, atIndicator, atKeyEnd, readAtom } from './yamlFlow.ts';
import {
  applyProperties,
  beginNode,
  emptyNode,
  emptyNodeWith,
  makeScalar,
  maxDepth,
  readProperties,
  retag,
  type DraftNode,
  type Properties,
  type ReaderState,
} from './yamlReaderState.ts';
import { YamlScanner, YamlSyntaxError } from './yamlScanner.ts';

/** What the stream holds at the reader's position once a document has been read. */
export type AfterDocument = 'end' | 'document' | 'text';

/**
 * Reads one document after the other into nodes, by recursive descent. It accepts what go-yaml accepts
 * (YAML 1.1, simple keys on one line of at most 1024 characters, list items at the column of their key).
 * Throws YamlSyntaxError.
 */
export class YamlReader {
  readonly #state: ReaderState;

  constructor(source: YamlText) {
    this.#state = {
      scan: new YamlScanner(source.text, source.text.charCodeAt(0) === 0xfeff ? 1 : 0),
      source,
      anchors: new Map(),
      tagHandles: new Map(),
      depth: 0,
      hasAliases: false,
      isFirst: true,
    };
  }

  /** The next document's node, or undefined at the end of the stream. An empty document is a null scalar. */
  readDocument(): YamlNode | undefined {
    const state = this.#state;
    const { scan } = state;
    state.anchors = new Map();
    state.hasAliases = false;
    state.depth = 0;
    scan.skipToToken();
    while (!state.isFirst && scan.atDocumentMarker() && scan.code() === 46) {
      scan.position += 3;
      scan.keyAllowed = false;
      scan.skipToToken();
    }
    if (scan.atEnd()) return undefined;
    state.isFirst = false;
    const hadDirectives = readDirectives(state);
    if (scan.atDocumentMarker() && scan.code() === 45) {
      scan.position += 3;
      scan.keyAllowed = false;
      scan.skipToToken();
    } else if (hadDirectives) {
      throw new YamlSyntaxError(scan.position, 'directives are not followed by ---');
    } else if (scan.atDocumentMarker()) {
      throw new YamlSyntaxError(scan.position, "'...' ends a document that has not begun");
    }
    const node = atDocumentEnd(state) ? emptyNode(state, scan.position) : readBlockNode(state, -1, false);
    scan.skipToToken();
    requireTokens(state);
    return node;
  }

  /** Set when the document just read has aliases or merge keys, which some callers expand. */
  get hasAliases(): boolean {
    return this.#state.hasAliases;
  }

  /** Tells what follows the document just read: anything but a marker or the end is text nobody will read. */
  after(): AfterDocument {
    if (this.#state.scan.atEnd()) return 'end';
    return this.#state.scan.atDocumentMarker() ? 'document' : 'text';
  }

  get position(): number {
    return this.#state.scan.position;
  }
}

/**
 * go-yaml looks ahead when a document ends, so it refuses text behind it that cannot be read as YAML there.
 * Other text it leaves unread, and so does this reader: `after` tells.
 */
function requireTokens(state: ReaderState): void {
  const { scan } = state;
  if (atDocumentEnd(state)) return;
  const { position, lineStart, keyAllowed } = scan;
  requireNoIndicator(state);
  readBlockNode(state, -1, false);
  scan.skipToToken();
  requireNoIndicator(state);
  Object.assign(scan, { position, lineStart, keyAllowed });
}

function requireNoIndicator(state: ReaderState): void {
  const { scan } = state;
  if (scan.keyAllowed || ![45, 58, 63].some((code) => atIndicator(state, code))) return;
  throw new YamlSyntaxError(
    scan.position,
    'unexpected indicator behind the end of the document',
    'check the indentation, and quote values that contain ": "',
  );
}

function atDocumentEnd(state: ReaderState): boolean {
  return state.scan.atEnd() || state.scan.atDocumentMarker() || atDirective(state);
}

function readDirectives(state: ReaderState): boolean {
  const scan = state.scan;
  state.tagHandles = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);
  let hadVersion = false;
  let hadAny = false;
  while (atDirective(state)) {
    const start = scan.position;
    scan.skipLineRest();
    const line = scan.text.slice(start, scan.position);
    const version = /^%YAML[ \t]+(\d+)\.(\d+)[ \t]*(?:#.*)?$/.exec(line);
    const tag = /^%TAG[ \t]+(!|![A-Za-z0-9_-]*!)[ \t]+(\S+)[ \t]*(?:#.*)?$/.exec(line);
    if (version !== null) {
      if (hadVersion) throw new YamlSyntaxError(start, 'there are two %YAML directives');
      if (version[1] !== '1' || version[2] !== '1')
        throw new YamlSyntaxError(start, 'only YAML 1.1 documents can be read', 'remove the %YAML directive');
      hadVersion = true;
    } else if (tag?.[1] !== undefined && tag[2] !== undefined) {
      state.tagHandles.set(tag[1], tag[2]);
    } else {
      throw new YamlSyntaxError(
        start,
        'unknown or malformed directive',
        'a value that starts with % must be quoted',
      );
    }
    hadAny = true;
    scan.skipToToken();
  }
  return hadAny;
}

/** A node in block context; the position is at its first token, right of column `indent`. */
function readBlockNode(state: ReaderState, indent: number, mayBeIndentless: boolean): DraftNode {
  const scan = state.scan;
  if (++state.depth > maxDepth) throw new YamlSyntaxError(scan.position, 'the document is nested too deeply');
  const properties = readProperties(state);
  const node = readBlockContent(state, indent, mayBeIndentless, properties);
  state.depth--;
  return node;
}

function readBlockContent(
  state: ReaderState,
  indent: number,
  mayBeIndentless: boolean,
  properties: Properties | undefined,
): DraftNode {
  const scan = state.scan;
  const column = scan.column;
  if (properties !== undefined) {
    if (scan.atEnd() || scan.atDocumentMarker()) return emptyNodeWith(state, properties);
    const isItem = atIndicator(state, 45);
    if (column <= indent && !(isItem && mayBeIndentless && column === indent))
      return emptyNodeWith(state, properties);
  }
  if (atIndicator(state, 45)) {
    if (!scan.keyAllowed)
      throw new YamlSyntaxError(
        scan.position,
        'a list item cannot start here',
        'start it on a line of its own',
      );
    if (column > indent || mayBeIndentless)
      return readBlockSequence(state, column, column === indent, properties);
  }
  if (atIndicator(state, 63)) {
    if (!scan.keyAllowed) throw new YamlSyntaxError(scan.position, 'a mapping key cannot start here');
    return readBlockMapping(state, column, beginNode(state, 'map', scan.position, properties), undefined);
  }
  const isOnKeyLine = properties !== undefined && properties.lineStart === scan.lineStart;
  const keyStart = isOnKeyLine ? properties.start : scan.position;
  const keyLine = scan.lineStart;
  const keyAllowed = isOnKeyLine ? properties.keyAllowed : scan.keyAllowed;
  const code = scan.code();
  if (code === 124 || code === 62) {
    const node = readBlockScalar(state, indent, properties);
    return node;
  }
  const keyProperties = properties === undefined || isOnKeyLine ? properties : undefined;
  const isAlias = code === 42;
  const atom = readAtom(state, indent, isAlias ? undefined : keyProperties);
  if (isAlias && keyProperties !== undefined)
    throw new YamlSyntaxError(keyProperties.start, 'an alias cannot have a tag or an anchor');
  if (keyAllowed && atKeyEnd(state, keyStart, keyLine)) {
    const mapping = beginNode(state, 'map', keyStart, isOnKeyLine ? undefined : properties);
    return readBlockMapping(state, keyStart - keyLine, mapping, atom);
  }
  if (properties !== undefined && !isOnKeyLine) {
    if (isAlias) throw new YamlSyntaxError(properties.start, 'an alias cannot have a tag or an anchor');
    applyProperties(state, atom, properties);
    if (atom.kind === 'scalar') retag(state, atom, properties);
  }
  return atom;
}

function readBlockSequence(
  state: ReaderState,
  column: number,
  isIndentless: boolean,
  properties: Properties | undefined,
): DraftNode {
  const scan = state.scan;
  const node = beginNode(state, 'seq', scan.position, properties);
  const items: YamlNode[] = [];
  node.items = items;
  for (;;) {
    // At `- `.
    const lineStart = scan.lineStart;
    const entryEnd = ++scan.position;
    scan.keyAllowed = true;
    scan.skipToToken();
    const isEmpty = atDocumentEnd(state) || (scan.lineStart !== lineStart && scan.column <= column);
    items.push(isEmpty ? emptyNode(state, entryEnd) : readBlockNode(state, column, false));
    node.end = lastEnd(items, entryEnd);
    scan.skipToToken();
    if (atDocumentEnd(state) || scan.column < column) return node;
    if (scan.column === column && atIndicator(state, 45) && scan.keyAllowed) continue;
    if (scan.column === column && isIndentless) return node;
    throw new YamlSyntaxError(
      scan.position,
      "this line is neither a list item nor part of one: expected '- '",
      'check the indentation',
    );
  }
}

/** A mapping whose keys stand at `column`; `firstKey` has been read and the position is at its `:`. */
function readBlockMapping(
  state: ReaderState,
  column: number,
  node: DraftNode,
  firstKey: DraftNode | undefined,
): DraftNode {
  const scan = state.scan;
  const items: YamlNode[] = [];
  node.items = items;
  let key = firstKey;
  for (;;) {
    if (key === undefined) {
      if (atIndicator(state, 63)) {
        readExplicitEntry(state, column, items);
        node.end = lastEnd(items, node.end);
      } else {
        key = readSimpleKey(state, column);
      }
    }
    if (key !== undefined) {
      items.push(key);
      scan.position++;
      scan.keyAllowed = false;
      items.push(readMappingValue(state, column));
      node.end = lastEnd(items, node.end);
      key = undefined;
    }
    scan.skipToToken();
    if (atDocumentEnd(state) || scan.column < column) return node;
    if (scan.column > column) throw unexpectedInMapping(state);
  }
}

function unexpectedInMapping(state: ReaderState): YamlSyntaxError {
  const scan = state.scan;
  const rest = scan.text.slice(scan.lineStart, scan.position).trim();
  return rest === ''
    ? new YamlSyntaxError(
        scan.position,
        'this line is indented more than the mapping it belongs to',
        'check the indentation',
      )
    : new YamlSyntaxError(scan.position, 'unexpected text after the value', 'quote the whole value');
}

function readSimpleKey(state: ReaderState, column: number): DraftNode {
  const scan = state.scan;
  if (atIndicator(state, 45))
    throw new YamlSyntaxError(
      scan.position,
      'a list item stands where a key is expected',
      'indent it below its key',
    );
  const start = scan.position;
  const lineStart = scan.lineStart;
  const properties = readProperties(state);
  if (scan.lineStart !== lineStart || scan.code() === 124 || scan.code() === 62 || atDocumentEnd(state))
    throw missingColon(start);
  const isAlias = scan.code() === 42;
  if (isAlias && properties !== undefined)
    throw new YamlSyntaxError(properties.start, 'an alias cannot have a tag or an anchor');
  const key = readAtom(state, column, properties);
  if (!atKeyEnd(state, start, lineStart)) throw missingColon(start);
  return key;
}

function readExplicitEntry(state: ReaderState, column: number, items: YamlNode[]): void {
  const scan = state.scan;
  if (!scan.keyAllowed) throw new YamlSyntaxError(scan.position, 'a mapping key cannot start here');
  items.push(readExplicitPart(state, column));
  scan.skipToToken();
  if (scan.column === column && atIndicator(state, 58) && !atDocumentEnd(state))
    items.push(readExplicitPart(state, column));
  else items.push(emptyNode(state, scan.position));
}

function readExplicitPart(state: ReaderState, column: number): DraftNode {
  const scan = state.scan;
  const after = ++scan.position;
  scan.keyAllowed = true;
  scan.skipToToken();
  if (atDocumentEnd(state) || scan.column < column) return emptyNode(state, after);
  if (scan.column === column && !atIndicator(state, 45)) return emptyNode(state, after);
  return readBlockNode(state, column, true);
}

function readMappingValue(state: ReaderState, column: number): DraftNode {
  const scan = state.scan;
  const after = scan.position;
  const lineStart = scan.lineStart;
  scan.skipToToken();
  if (atDocumentEnd(state)) return emptyNode(state, after);
  if (scan.lineStart !== lineStart) {
    if (scan.column < column) return emptyNode(state, after);
    if (scan.column === column && !atIndicator(state, 45)) return emptyNode(state, after);
  }
  return readBlockNode(state, column, true);
}

function readBlockScalar(state: ReaderState, indent: number, properties: Properties | undefined): DraftNode {
  const scan = state.scan;
  const start = scan.position;
  const { text, style, end } = scan.blockScalar(indent);
  scan.keyAllowed = true;
  return makeScalar(state, text, style, start, end, properties);
}

function missingColon(start: number): YamlSyntaxError {
  return new YamlSyntaxError(
    start,
    "this line is neither a key nor part of a value: expected ':' after a key",
    'check the indentation, and that a blank follows the colon',
  );
}

function lastEnd(items: readonly YamlNode[], fallback: number): number {
  return Math.max(items[items.length - 1]?.end ?? fallback, items[items.length - 2]?.end ?? fallback);
}
