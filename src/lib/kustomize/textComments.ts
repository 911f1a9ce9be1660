import type { Node } from './node.ts';

/** A YAML text taken apart: its lines, and the comments that stand above and beside each. */
export interface CommentedText {
  /** The lines without comments and without their indentation. */
  readonly lines: readonly string[];
  /** Puts the comments back around the lines of a text that has as many; undefined when it has not. */
  readonly restore: (bare: string) => string | undefined;
}

/**
 * Takes comments out of a text where a YAML printer that keeps them puts them back at the same lines: above the entry they
 * are indented like, or behind a value. Undefined for a text with comments in other places or scalars of several lines.
 */
export function splitComments(text: string, document: Node): CommentedText | undefined {
  const scalars = scalarsOf(document);
  if (scalars === undefined) return undefined;
  const lines: string[] = [];
  const above: string[][] = [];
  const beside: string[] = [];
  let waiting: string[] = [];
  let indent = 0;
  let offset = 0;
  for (const line of text.trimEnd().split('\n')) {
    const at = commentIn(line, offset, scalars);
    offset += line.length + 1;
    const content = at < 0 ? line : line.slice(0, at).trimEnd();
    const comment = at < 0 ? '' : line.slice(at);
    if (content === '' && at < 0) {
      if (waiting.length > 0) return undefined;
      continue;
    }
    if (/\s$/.test(comment)) return undefined;
    if (content === '') {
      if (waiting.length > 0 && indentOf(line) !== indent) return undefined;
      indent = indentOf(line);
      waiting.push(comment);
      continue;
    }
    if (waiting.length > 0 && indentOf(line) !== indent) return undefined;
    if (at >= 0 && /[:-]$/.test(content)) return undefined;
    lines.push(content.trimStart());
    above.push(waiting);
    beside.push(comment === '' ? '' : ` ${comment}`);
    waiting = [];
  }
  if (waiting.length > 0) return undefined;
  const restore = (bare: string): string | undefined => {
    const next = bare.split('\n');
    if (next.length !== lines.length) return undefined;
    return next
      .flatMap((line, index) => {
        const pad = ' '.repeat(indentOf(line));
        return [...(above[index] ?? []).map((comment) => pad + comment), `${line}${beside[index]}`];
      })
      .join('\n');
  };
  return { lines, restore };
}

/** Start and end of every scalar, in the order of the text; undefined when one has several lines. */
function scalarsOf(document: Node): readonly (readonly [start: number, end: number])[] | undefined {
  const found: [number, number][] = [];
  const visit = (node: Node): boolean => {
    if (node.kind !== 'scalar') return node.items.every(visit);
    found.push([node.start, node.end]);
    return node.source?.text.slice(node.start, node.end).includes('\n') !== true;
  };
  return visit(document) ? found : undefined;
}

/** Where the comment of a line starts, or -1. */
function commentIn(
  line: string,
  offset: number,
  scalars: readonly (readonly [start: number, end: number])[],
): number {
  for (const { index } of line.matchAll(/(?<=^|[ \t])#/g)) {
    const place = offset + index;
    if (!scalars.some(([start, end]) => start <= place && place < end)) return index;
  }
  return -1;
}

function indentOf(line: string): number {
  return line.search(/[^ ]/);
}
