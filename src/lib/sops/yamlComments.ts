import type { YamlNode } from '../../kube/yamlNode.ts';
import { yamlStyle } from '../../kube/yamlNode.ts';
import type { SopsComment } from './sopsTree.ts';

/** The comments of a file by what they belong to, in the order in which SOPS lists them. */
export interface AttachedComments {
  /** Before a key of a mapping, or an item of a list. */
  readonly before: ReadonlyMap<YamlNode, readonly SopsComment[]>;
  /** Behind a value on its line. */
  readonly behind: ReadonlyMap<YamlNode, readonly SopsComment[]>;
  /** After the last entry of a mapping or list. */
  readonly atEnd: ReadonlyMap<YamlNode, readonly SopsComment[]>;
  /** Of documents that hold nothing else, by their index. */
  readonly ofDocument: readonly (readonly SopsComment[])[];
}

interface Comment {
  readonly text: string;
  readonly start: number;
  readonly column: number;
  readonly line: number;
}

/** An entry of a block: what a comment can stand before. `ends` is where the entry's own text begins and its block. */
interface Entry {
  readonly start: number;
  readonly node: YamlNode;
  readonly blocks: readonly Block[];
}

interface Block {
  readonly node: YamlNode;
  readonly indent: number;
}

interface Leaf {
  readonly node: YamlNode;
  readonly start: number;
  readonly end: number;
  readonly isKey: boolean;
  /** Nothing but an indicator has been read since the entry began: a comment here belongs to the key. */
  readonly blocks: readonly Block[];
}

/** Finds the comments of a text and gives each to an entry by the rules of go-yaml v3: by line, by column, by empty lines. */
export function attachComments(text: string, documents: readonly YamlNode[]): AttachedComments {
  const before = new Map<YamlNode, SopsComment[]>();
  const behind = new Map<YamlNode, SopsComment[]>();
  const atEnd = new Map<YamlNode, SopsComment[]>();
  const lineStarts = startsOfLines(text);
  const ofDocument = documents.map((root, index) => {
    const layout: Layout = { text, lineStarts, leaves: [], entries: [] };
    collect(layout, root, []);
    layout.leaves.sort((left, right) => left.start - right.start);
    layout.entries.sort(
      (left, right) => left.start - right.start || right.blocks.length - left.blocks.length,
    );
    const from = documents[index - 1]?.end ?? 0;
    const to = documents[index + 1]?.start ?? text.length;
    const comments = commentsBetween(layout, from, to, index);
    if (layout.entries.length === 0) return comments.map(sopsComment);
    for (const group of groupsOf(comments)) place(layout, group, { before, behind, atEnd });
    return [];
  });
  return { before, behind, atEnd, ofDocument };
}

interface Layout {
  readonly text: string;
  readonly lineStarts: readonly number[];
  readonly leaves: Leaf[];
  readonly entries: Entry[];
}

function collect(layout: Layout, node: YamlNode, blocks: readonly Block[]): void {
  if (node.kind === 'map') {
    const inner = [...blocks, blockOf(layout, node)];
    for (let index = 0; index + 1 < node.items.length; index += 2) {
      const key = node.items[index] as YamlNode;
      const value = node.items[index + 1] as YamlNode;
      layout.entries.push({ start: key.start, node: key, blocks: inner });
      layout.leaves.push({ node: key, start: key.start, end: key.end, isKey: true, blocks: inner });
      if (value.kind === 'scalar' || value.kind === 'alias') {
        if (value.end > value.start)
          layout.leaves.push({
            node: value,
            start: value.start,
            end: value.end,
            isKey: false,
            blocks: inner,
          });
      } else collect(layout, value, inner);
    }
  } else if (node.kind === 'seq') {
    const inner = [...blocks, blockOf(layout, node)];
    for (const item of node.items) {
      layout.entries.push({ start: dashBefore(layout.text, item.start), node: item, blocks: inner });
      if (item.kind === 'scalar' || item.kind === 'alias')
        layout.leaves.push({ node: item, start: item.start, end: item.end, isKey: false, blocks: inner });
      else collect(layout, item, inner);
    }
  }
}

function blockOf({ text, lineStarts }: Layout, node: YamlNode): Block {
  const isFlow = (node.style & yamlStyle.flow) !== 0;
  const start =
    node.kind === 'seq' ? dashBefore(text, (node.items[0] ?? node).start) : (node.items[0] ?? node).start;
  return { node, indent: isFlow ? -1 : columnAt(lineStarts, start) };
}

/** Where the `-` of an item stands that starts here. */
function dashBefore(text: string, start: number): number {
  const dash = text.lastIndexOf('-', start);
  return dash >= 0 && /^-\s+$/.test(text.slice(dash, start).replace(/#.*/g, '')) ? dash : start;
}

/** The comments of a stretch of text: `#` at a line's start or after a blank, outside of every scalar. */
function commentsBetween(layout: Layout, from: number, to: number, index: number): Comment[] {
  const comments: Comment[] = [];
  let at = index === 0 ? 0 : from;
  let next = 0;
  while (at < to) {
    const leaf = layout.leaves[next];
    if (leaf !== undefined && at >= leaf.start) {
      at = Math.max(at, leaf.end);
      next++;
      continue;
    }
    const isComment = layout.text[at] === '#' && /[\s]|^$/.test(layout.text[at - 1] ?? '');
    if (!isComment) {
      at++;
      continue;
    }
    const end = /[\r\n]|$/g;
    end.lastIndex = at;
    const stop = end.exec(layout.text)?.index ?? layout.text.length;
    const line = lineAt(layout.lineStarts, at);
    comments.push({
      text: layout.text.slice(at + 1, stop),
      start: at,
      column: at - (layout.lineStarts[line] ?? 0),
      line,
    });
    at = stop;
  }
  return comments;
}

/** Comments on consecutive lines at one column; one behind other text stands alone. */
function groupsOf(comments: readonly Comment[]): Comment[][] {
  const groups: Comment[][] = [];
  for (const comment of comments) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && last.line === comment.line - 1 && last.column === comment.column)
      groups.at(-1)?.push(comment);
    else groups.push([comment]);
  }
  return groups;
}

interface Places {
  readonly before: Map<YamlNode, SopsComment[]>;
  readonly behind: Map<YamlNode, SopsComment[]>;
  readonly atEnd: Map<YamlNode, SopsComment[]>;
}

function place(layout: Layout, group: readonly Comment[], places: Places): void {
  const [first] = group;
  if (first === undefined) return;
  const prior = layout.leaves.findLast(({ end }) => end <= first.start);
  const next = layout.entries.find(({ start }) => start > first.start);
  const lineStart = layout.lineStarts[first.line] ?? 0;
  const isBehind = layout.text.slice(lineStart, first.start).trim() !== '';
  const [inline, rest] = isBehind ? [first, group.slice(1)] : [undefined, group];
  if (inline !== undefined) placeInline(layout, inline, prior, next, places);
  if (rest.length > 0) placeLines(layout, rest, prior, next, places);
}

function placeInline(
  layout: Layout,
  comment: Comment,
  prior: Leaf | undefined,
  next: Entry | undefined,
  places: Places,
): void {
  const own =
    prior !== undefined && lineAt(layout.lineStarts, Math.max(prior.start, prior.end - 1)) === comment.line;
  if (own && !prior.isKey) add(places.behind, prior.node, { ...sopsComment(comment), isInline: true });
  else if (own) add(places.before, prior.node, sopsComment(comment));
  else if (next !== undefined) add(places.before, next.node, sopsComment(comment));
}

function placeLines(
  layout: Layout,
  group: readonly Comment[],
  prior: Leaf | undefined,
  next: Entry | undefined,
  places: Places,
): void {
  const block = blockEndedBy(layout, group, prior, next);
  for (const comment of group) {
    if (block !== undefined) add(places.atEnd, block.node, sopsComment(comment));
    else if (next !== undefined) add(places.before, next.node, sopsComment(comment));
  }
}

/** The block whose end these lines are, or undefined when they stand before the next entry. */
function blockEndedBy(
  layout: Layout,
  group: readonly Comment[],
  prior: Leaf | undefined,
  next: Entry | undefined,
): Block | undefined {
  if (prior === undefined) return undefined;
  const stays = prior.blocks.filter(({ node }) => next?.blocks.some((block) => block.node === node) === true);
  const ended = prior.blocks.slice(stays.length).filter(({ indent }) => indent >= 0);
  if (next === undefined && ended.length === 0) return prior.blocks[0];
  const [first] = group;
  const last = group.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const innermost = ended.at(-1);
  const sameColumn = ended.findLast(({ indent }) => indent === first.column);
  if (sameColumn !== undefined) return sameColumn;
  const followsPrior = first.line === lineAt(layout.lineStarts, Math.max(prior.start, prior.end - 1)) + 1;
  const isSetApart =
    (
      layout.text.slice(layout.lineStarts[last.line + 1] ?? layout.text.length).match(/^.*/)?.[0] ?? ''
    ).trim() === '';
  if (innermost !== undefined && followsPrior && isSetApart && first.column >= innermost.indent)
    return innermost;
  return next === undefined ? ended[0] : undefined;
}

function add(map: Map<YamlNode, SopsComment[]>, node: YamlNode, comment: SopsComment): void {
  map.set(node, [...(map.get(node) ?? []), comment]);
}

function sopsComment({ text }: Comment): SopsComment {
  return { kind: 'comment', value: text, isInline: false };
}

function startsOfLines(text: string): readonly number[] {
  const starts = [0];
  for (const { index } of text.matchAll(/\n/g)) starts.push(index + 1);
  return starts;
}

function lineAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function columnAt(lineStarts: readonly number[], offset: number): number {
  return offset - (lineStarts[lineAt(lineStarts, offset)] ?? 0);
}
