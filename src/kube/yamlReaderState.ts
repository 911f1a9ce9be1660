import { noItems, yamlStyle, type YamlNode, type YamlText } from './yamlNode.ts';
import { resolveTag, tags } from './yamlScalar.ts';
import { isBlankOrEnd } from './yamlCharacters.ts';
import { YamlSyntaxError, type YamlScanner } from './yamlScanner.ts';

/** Deeper nesting than any manifest has; upstream's limit of 10,000 would not fit a JavaScript stack. */
export const maxDepth = 1000;

/** A node while it is being read. */
export type DraftNode = { -readonly [K in keyof YamlNode]: YamlNode[K] };

/** An anchor and a tag, and where they stand. */
export interface Properties {
  anchor: string | undefined;
  tag: string;
  readonly start: number;
  /** Start of the line they stand on: on the line of a key they belong to the key, above it to the mapping. */
  readonly lineStart: number;
  readonly keyAllowed: boolean;
}

/** What the parts of the reader share while they read one document. */
export interface ReaderState {
  readonly scan: YamlScanner;
  readonly source: YamlText;
  anchors: Map<string, DraftNode>;
  tagHandles: Map<string, string>;
  depth: number;
  hasAliases: boolean;
  /** No document has been read from the stream. */
  isFirst: boolean;
}

/** At most one anchor and one tag, in either order, and the way to the node they belong to. */
export function readProperties(state: ReaderState): Properties | undefined {
  const scan = state.scan;
  const code = scan.code();
  if (code !== 38 && code !== 33) return undefined;
  const properties: Properties = {
    anchor: undefined,
    tag: '',
    start: scan.position,
    lineStart: scan.lineStart,
    keyAllowed: scan.keyAllowed,
  };
  for (let next = code; next === 38 || next === 33; next = scan.code()) {
    if (next === 38) {
      if (properties.anchor !== undefined) throw new YamlSyntaxError(scan.position, 'a node has two anchors');
      properties.anchor = readAnchorName(state);
    } else {
      if (properties.tag !== '') throw new YamlSyntaxError(scan.position, 'a node has two tags');
      properties.tag = readTag(state);
    }
    scan.keyAllowed = false;
    scan.skipToToken();
  }
  return properties;
}

export function readAnchorName(state: ReaderState): string {
  const scan = state.scan;
  const start = scan.position;
  const from = ++scan.position;
  while (isWordCode(scan.code())) scan.position++;
  const name = scan.text.slice(from, scan.position);
  if (name === '' || !(isBlankOrEnd(scan.code()) || '?:,]}%@`'.includes(String.fromCharCode(scan.code()))))
    throw new YamlSyntaxError(
      start,
      `${scan.text[start] === '&' ? 'an anchor' : 'an alias'} needs a name of letters, digits, - and _`,
      `quote the value if it starts with ${scan.text[start] ?? ''}`,
    );
  return name;
}

function readTag(state: ReaderState): string {
  const scan = state.scan;
  const start = scan.position;
  const match = /!<[^\s>]+>|![A-Za-z0-9_-]*!?[A-Za-z0-9_\-;/?:@&=+$,.!~*'()[\]%]*/y;
  match.lastIndex = start;
  const written = match.exec(scan.text)?.[0] ?? '!';
  scan.position += written.length;
  if (!isBlankOrEnd(scan.code()))
    throw new YamlSyntaxError(start, 'the tag is malformed', 'quote the value if it starts with !');
  if (written.startsWith('!<')) return shortTag(written.slice(2, -1));
  if (written === '!') return '!';
  const handle = /^![A-Za-z0-9_-]*!/.exec(written)?.[0] ?? '!';
  const prefix = state.tagHandles.get(handle);
  if (prefix === undefined) throw new YamlSyntaxError(start, `the tag handle ${handle} is not defined`);
  if (written.length === handle.length) throw new YamlSyntaxError(start, 'the tag has no name');
  return shortTag(prefix + decodeUri(written.slice(handle.length)));
}

export function makeScalar(
  state: ReaderState,
  text: string,
  style: number,
  start: number,
  end: number,
  properties: Properties | undefined,
): DraftNode {
  let tag: string = tags.str;
  if (style === yamlStyle.plain) {
    if (text === '<<') {
      tag = tags.merge;
      state.hasAliases = true;
    } else tag = resolveTag(text, 'v3');
  }
  const node: DraftNode = {
    kind: 'scalar',
    tag,
    style,
    text,
    items: noItems,
    source: state.source,
    start,
    end,
    anchor: undefined,
    target: undefined,
  };
  if (properties !== undefined) {
    applyProperties(state, node, properties);
    retag(state, node, properties);
  }
  return node;
}

export function retag(state: ReaderState, node: DraftNode, properties: Properties): void {
  if (properties.tag === '') return;
  if (properties.tag === '!') node.tag = node.style === yamlStyle.plain ? node.tag : tags.str;
  else {
    node.tag = properties.tag;
    node.style |= yamlStyle.tagged;
  }
}

export function beginNode(
  state: ReaderState,
  kind: 'map' | 'seq' | 'alias',
  start: number,
  properties: Properties | undefined,
): DraftNode {
  const node: DraftNode = {
    kind,
    tag: kind === 'seq' ? tags.seq : tags.map,
    style: 0,
    text: '',
    items: noItems,
    source: state.source,
    start,
    end: start,
    anchor: undefined,
    target: undefined,
  };
  if (properties !== undefined) applyProperties(state, node, properties);
  return node;
}

export function applyProperties(state: ReaderState, node: DraftNode, properties: Properties): void {
  node.start = properties.start;
  if (node.kind !== 'scalar' && properties.tag !== '' && properties.tag !== '!') {
    node.tag = properties.tag;
    node.style |= yamlStyle.tagged;
  }
  if (properties.anchor === undefined) return;
  node.anchor = properties.anchor;
  state.anchors.set(properties.anchor, node);
}

export function emptyNode(state: ReaderState, at: number): DraftNode {
  return makeScalar(state, '', yamlStyle.plain, at, at, undefined);
}

export function emptyNodeWith(state: ReaderState, properties: Properties): DraftNode {
  const node = makeScalar(state, '', yamlStyle.plain, properties.start, state.scan.position, properties);
  node.end = node.start + 1;
  return node;
}

function isWordCode(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 95 ||
    code === 45
  );
}

function shortTag(tag: string): string {
  return tag.startsWith('tag:yaml.org,2002:') ? `!!${tag.slice('tag:yaml.org,2002:'.length)}` : tag;
}

function decodeUri(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
