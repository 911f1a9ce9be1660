import type { Position, Range } from '../base/position.ts';

export type YamlKind = 'map' | 'seq' | 'scalar' | 'alias';

/** How a node was written, or is to be written; bits, because a tag may come with any scalar style. */
export const yamlStyle = {
  plain: 0,
  tagged: 1,
  doubleQuoted: 2,
  singleQuoted: 4,
  literal: 8,
  folded: 16,
  flow: 32,
} as const;

/** Any style that makes a scalar a string whatever it says. */
export const quotedStyles =
  yamlStyle.doubleQuoted | yamlStyle.singleQuoted | yamlStyle.literal | yamlStyle.folded;

/**
 * The text a node was read from: one document, or the content of a scalar that is YAML itself (`inside`).
 * Offsets of nodes count from the start of `text`. `line` is the line of the file on which `text` starts.
 */
export interface YamlText {
  readonly path: string;
  readonly text: string;
  readonly line: number;
  readonly inside?: YamlNode;
  /** Offsets of line starts, filled on first use. */
  lineStarts?: readonly number[];
}

/**
 * One node of a YAML document. Read-only for everybody but the code that made it: documents are shared by caches.
 * `tag` is short (`!!str`) and resolved as go-yaml v3 does; '' means "whatever the text resolves to".
 */
export interface YamlNode {
  readonly kind: YamlKind;
  readonly tag: string;
  readonly style: number;
  /** A scalar's content after unquoting and folding; an alias's name. */
  readonly text: string;
  /** Items of a list; keys and values of a mapping, alternating. */
  readonly items: readonly YamlNode[];
  readonly source: YamlText | undefined;
  readonly start: number;
  readonly end: number;
  readonly anchor: string | undefined;
  /** What an alias stands for. */
  readonly target: YamlNode | undefined;
}

export const noItems: readonly YamlNode[] = [];

/** The place of a node in its file; undefined for a node that was not read from one. */
export function rangeOfNode(node: YamlNode): Range | undefined {
  return node.source === undefined ? undefined : rangeInText(node.source, node.start, node.end);
}

/** The place in the file of a stretch of a text, through the scalars it stands in. */
export function rangeInText(source: YamlText, start: number, end: number): Range {
  return { start: positionInText(source, start, 'start'), end: positionInText(source, end, 'end') };
}

function positionInText(source: YamlText, offset: number, edge: 'start' | 'end'): Position {
  const starts = lineStartsOf(source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const character = offset - (starts[low] ?? 0);
  if (source.inside === undefined) return { line: source.line + low, character };
  return positionInScalar(source.inside, low, character, edge);
}

/** A literal block keeps its lines, so a line of its content is a line of the file; other styles only have a range. */
function positionInScalar(
  scalar: YamlNode,
  line: number,
  character: number,
  edge: 'start' | 'end',
): Position {
  const source = scalar.source;
  if (source === undefined) return { line: 0, character: 0 };
  if ((scalar.style & yamlStyle.literal) === 0) return positionInText(source, scalar[edge], edge);
  const starts = lineStartsOf(source);
  let header = 0;
  while (header + 1 < starts.length && (starts[header + 1] ?? 0) <= scalar.start) header++;
  const lineStart = starts[Math.min(header + 1 + line, starts.length - 1)] ?? 0;
  const lineEnd = starts[header + 2 + line] ?? source.text.length + 1;
  const contentLine = scalar.text.split('\n', line + 1)[line] ?? '';
  const indent = Math.max(0, lineEnd - 1 - lineStart - contentLine.length);
  return positionInText(source, Math.min(lineStart + indent + character, source.text.length), edge);
}

function lineStartsOf(source: YamlText): readonly number[] {
  if (source.lineStarts !== undefined) return source.lineStarts;
  const { text } = source;
  const starts = [0];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 10) starts.push(index + 1);
    else if (code === 13 && text.charCodeAt(index + 1) !== 10) starts.push(index + 1);
  }
  source.lineStarts = starts;
  return starts;
}
