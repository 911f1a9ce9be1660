import type { Origin, Range } from '../../base/position.ts';
import type { Origins } from '../../kube/builtObject.ts';
import { joinPointer, parsePointer } from '../../kube/jsonPointer.ts';
import { rangeInText, type YamlText } from '../../kube/yamlNode.ts';
import { fieldOf, type Node } from './node.ts';

/** Tells on which line of its file a text starts now; a document keeps its nodes when lines above it change. */
export interface Places {
  lineOf(source: YamlText): number;
}

/** The origins of an object, read from its nodes when they are asked for. */
export function originsOf(root: Node, places: Places): Origins {
  return {
    at: (pointer) => originAt(root, pointer, places),
    entries: () => leaves(root, '', undefined, places),
  };
}

function originAt(root: Node, pointer: string, places: Places): Origin | undefined {
  const tokens = parsePointer(pointer);
  if (tokens === undefined) return undefined;
  let origin = originOf(root, places);
  let node: Node | undefined = root;
  for (const token of tokens) {
    node = node.kind === 'seq' ? node.items[Number(token)] : fieldOf(node, token);
    if (node === undefined) break;
    origin = originOf(node, places) ?? origin;
  }
  return origin;
}

function* leaves(
  node: Node,
  pointer: string,
  above: Origin | undefined,
  places: Places,
): Iterable<readonly [string, Origin]> {
  const origin = originOf(node, places) ?? above;
  if (node.items.length === 0) {
    if (origin !== undefined) yield [pointer, origin];
    return;
  }
  if (node.kind === 'seq') {
    for (const [index, item] of node.items.entries())
      yield* leaves(item, joinPointer(pointer, index), origin, places);
    return;
  }
  for (let index = 0; index + 1 < node.items.length; index += 2)
    yield* leaves(
      node.items[index + 1] as Node,
      joinPointer(pointer, (node.items[index] as Node).text),
      origin,
      places,
    );
}

function originOf(node: Node, places: Places): Origin | undefined {
  const { source } = node;
  if (source === undefined) return undefined;
  return { path: source.path, range: rangeNow(source, node.start, node.end, places) };
}

/** The range in its file, as the file is now, of a stretch of a text that may have been read when it was another. */
export function rangeNow(source: YamlText, start: number, end: number, places: Places): Range {
  let outermost = source;
  while (outermost.inside?.source !== undefined) outermost = outermost.inside.source;
  const shift = places.lineOf(outermost) - outermost.line;
  const range = rangeInText(source, start, end);
  return shift === 0 ? range : moved(range, shift);
}

function moved({ start, end }: Range, lines: number): Range {
  return { start: { ...start, line: start.line + lines }, end: { ...end, line: end.line + lines } };
}
