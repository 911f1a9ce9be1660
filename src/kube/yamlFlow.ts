import { yamlStyle, type YamlNode } from './yamlNode.ts';
import {
  beginNode,
  emptyNode,
  emptyNodeWith,
  makeScalar,
  maxDepth,
  readAnchorName,
  readProperties,
  type DraftNode,
  type Properties,
  type ReaderState,
} from './yamlReaderState.ts';
import { isBlankOrEnd } from './yamlCharacters.ts';
import { YamlSyntaxError } from './yamlScanner.ts';

/** A scalar, an alias or a flow collection. */
export function readAtom(state: ReaderState, indent: number, properties: Properties | undefined): DraftNode {
  const scan = state.scan;
  const start = scan.position;
  const code = scan.code();
  switch (code) {
    case 91:
      return readFlowSequence(state, properties);
    case 123:
      return readFlowMapping(state, properties);
    case 42:
      return readAlias(state);
    case 39:
    case 34: {
      scan.keyAllowed = false;
      const text = code === 39 ? scan.singleQuoted() : scan.doubleQuoted();
      const style = code === 39 ? yamlStyle.singleQuoted : yamlStyle.doubleQuoted;
      return makeScalar(state, text, style, start, scan.position, properties);
    }
    default: {
      requirePlainStart(state, code);
      scan.keyAllowed = false;
      const { text, end } = scan.plainScalar(indent + 1);
      return makeScalar(state, text, yamlStyle.plain, start, end, properties);
    }
  }
}

function requirePlainStart(state: ReaderState, code: number): void {
  const scan = state.scan;
  const next = scan.code(1);
  let isPlain: boolean;
  if (code === 45) isPlain = next !== 32 && next !== 9;
  else if (code === 63 || code === 58) isPlain = scan.flowLevel === 0 && !isBlankOrEnd(next);
  else isPlain = !isBlankOrEnd(code) && !',[]{}#&*!|>\'"%@`'.includes(String.fromCharCode(code));
  if (isPlain) return;
  if (code === 9)
    throw new YamlSyntaxError(scan.position, 'a tab is used for indentation', 'indent with spaces');
  if (code === 58)
    throw new YamlSyntaxError(
      scan.position,
      "a ':' stands here without a key before it on its line",
      'quote the text if it is a value',
    );
  throw new YamlSyntaxError(
    scan.position,
    `${JSON.stringify(String.fromCodePoint(code))} cannot start a value here`,
    'quote the value',
  );
}

/** True when the atom just read is a simple key: `:` follows on its line, at most 1024 characters on. */
export function atKeyEnd(state: ReaderState, keyStart: number, keyLine: number): boolean {
  const scan = state.scan;
  const { position, lineStart } = scan;
  if (lineStart !== keyLine) return false;
  let index = position;
  for (let code = scan.code(); code === 32 || code === 9; code = scan.text.charCodeAt(index)) index++;
  if (scan.text.charCodeAt(index) !== 58) return false;
  if (scan.flowLevel === 0) {
    const next = scan.text.charCodeAt(index + 1);
    if (next === next && !isBlankOrEnd(next)) return false;
  }
  if (index - keyStart > 1024) return false;
  scan.position = index;
  return true;
}

export function atIndicator(state: ReaderState, code: number): boolean {
  const scan = state.scan;
  return scan.code() === code && isBlankOrEnd(scan.code(1));
}

function readFlowSequence(state: ReaderState, properties: Properties | undefined): DraftNode {
  const scan = state.scan;
  const open = scan.position;
  const node = beginNode(state, 'seq', open, properties);
  node.style |= yamlStyle.flow;
  const items: YamlNode[] = [];
  node.items = items;
  enterFlow(state);
  for (;;) {
    scan.skipToToken();
    if (scan.code() === 93) break;
    if (items.length > 0) {
      if (scan.code() !== 44) throw unclosed(state, open, 'list', ']');
      skipFlowComma(state);
      if (scan.code() === 93) break;
    }
    items.push(readFlowSequenceEntry(state));
  }
  leaveFlow(state, node);
  return node;
}

/** `a`, or `a: b` and `? a : b`, which are mappings of one pair. */
function readFlowSequenceEntry(state: ReaderState): DraftNode {
  const scan = state.scan;
  const start = scan.position;
  const isExplicit = scan.code() === 63;
  const lineStart = scan.lineStart;
  let key: DraftNode;
  if (isExplicit) {
    scan.position++;
    scan.keyAllowed = false;
    scan.skipToToken();
    key = isFlowEmptyHere(state) ? emptyNode(state, scan.position) : readFlowNode(state);
    scan.skipToToken();
  } else {
    key = readFlowNode(state);
    if (!atKeyEnd(state, start, lineStart)) return key;
  }
  const pair = beginNode(state, 'map', start, undefined);
  pair.style |= yamlStyle.flow;
  const value = scan.code() === 58 ? readFlowValue(state) : emptyNode(state, scan.position);
  pair.items = [key, value];
  pair.end = value.end;
  return pair;
}

function readFlowMapping(state: ReaderState, properties: Properties | undefined): DraftNode {
  const scan = state.scan;
  const open = scan.position;
  const node = beginNode(state, 'map', open, properties);
  node.style |= yamlStyle.flow;
  const items: YamlNode[] = [];
  node.items = items;
  enterFlow(state);
  for (;;) {
    scan.skipToToken();
    if (scan.code() === 125) break;
    if (items.length > 0) {
      if (scan.code() !== 44) throw unclosed(state, open, 'mapping', '}');
      skipFlowComma(state);
      if (scan.code() === 125) break;
    }
    const start = scan.position;
    const lineStart = scan.lineStart;
    if (scan.code() === 63) {
      scan.position++;
      scan.keyAllowed = false;
      scan.skipToToken();
      items.push(isFlowEmptyHere(state) ? emptyNode(state, scan.position) : readFlowNode(state));
      scan.skipToToken();
      items.push(scan.code() === 58 ? readFlowValue(state) : emptyNode(state, scan.position));
    } else {
      items.push(readFlowNode(state));
      items.push(atKeyEnd(state, start, lineStart) ? readFlowValue(state) : emptyNode(state, scan.position));
    }
  }
  leaveFlow(state, node);
  return node;
}

function enterFlow(state: ReaderState): void {
  const scan = state.scan;
  if (++state.depth > maxDepth) throw new YamlSyntaxError(scan.position, 'the document is nested too deeply');
  scan.position++;
  scan.flowLevel++;
  scan.keyAllowed = true;
}

function leaveFlow(state: ReaderState, node: DraftNode): void {
  const scan = state.scan;
  state.depth--;
  scan.position++;
  scan.flowLevel--;
  scan.keyAllowed = false;
  node.end = scan.position;
}

function skipFlowComma(state: ReaderState): void {
  state.scan.position++;
  state.scan.keyAllowed = true;
  state.scan.skipToToken();
}

function isFlowEmptyHere(state: ReaderState): boolean {
  const code = state.scan.code();
  return code === 58 || code === 44 || code === 93 || code === 125;
}

function readFlowValue(state: ReaderState): DraftNode {
  const scan = state.scan;
  scan.position++;
  scan.keyAllowed = false;
  scan.skipToToken();
  const code = scan.code();
  return code === 44 || code === 93 || code === 125 ? emptyNode(state, scan.position) : readFlowNode(state);
}

function readFlowNode(state: ReaderState): DraftNode {
  const scan = state.scan;
  const properties = readProperties(state);
  if (scan.atEnd() || scan.atDocumentMarker() || atDirective(state))
    throw new YamlSyntaxError(scan.position, 'a list or mapping in brackets is not closed');
  const code = scan.code();
  if (properties !== undefined && (code === 44 || code === 93 || code === 125 || code === 58))
    return emptyNodeWith(state, properties);
  if (code === 42 && properties !== undefined)
    throw new YamlSyntaxError(properties.start, 'an alias cannot have a tag or an anchor');
  if (atIndicator(state, 45)) throw new YamlSyntaxError(scan.position, "'- ' cannot be used inside brackets");
  return readAtom(state, -1, properties);
}

function unclosed(state: ReaderState, open: number, what: string, close: string): YamlSyntaxError {
  const scan = state.scan;
  return scan.atEnd() || scan.atDocumentMarker()
    ? new YamlSyntaxError(open, `the ${what} is not closed`, `close it with ${close}`)
    : new YamlSyntaxError(scan.position, `expected ',' or '${close}'`);
}

function readAlias(state: ReaderState): DraftNode {
  const scan = state.scan;
  const start = scan.position;
  const name = readAnchorName(state);
  scan.keyAllowed = false;
  const target = state.anchors.get(name);
  if (target === undefined)
    throw new YamlSyntaxError(start, `the anchor ${name} is not defined before this alias`);
  state.hasAliases = true;
  const node = beginNode(state, 'alias', start, undefined);
  node.tag = '';
  node.text = name;
  node.target = target;
  node.end = scan.position;
  return node;
}

/** At a `%` in the first column. */
export function atDirective(state: ReaderState): boolean {
  return state.scan.column === 0 && state.scan.code() === 37;
}
