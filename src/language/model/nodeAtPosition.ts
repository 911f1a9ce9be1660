import type { Position } from '../../base/position.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import { fieldsOf, itemsOf, rangeOf } from './yamlAccess.ts';

/** The innermost field or element at a position of a document. */
export interface NodePlace {
  readonly path: readonly (string | number)[];
  /** The key or value that the position is in. */
  readonly node: YamlNode;
  readonly isKey: boolean;
}

/** Finds what stands at a position; undefined between the lines, and behind aliases, which stand elsewhere. */
export function nodeAtPosition(root: YamlNode, position: Position): NodePlace | undefined {
  return find(root, position, []);
}

function find(node: YamlNode, position: Position, path: readonly (string | number)[]): NodePlace | undefined {
  if (!contains(node, position)) return undefined;
  if (node.kind === 'map') {
    for (const { name, key, value } of fieldsOf(node)) {
      if (contains(key, position)) return { path: [...path, name], node: key, isKey: true };
      const found = find(value, position, [...path, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const [index, item] of itemsOf(node).entries()) {
    const found = find(item, position, [...path, index]);
    if (found !== undefined) return found;
  }
  return node.kind === 'seq' ? undefined : { path, node, isKey: false };
}

function contains(node: YamlNode, { line, character }: Position): boolean {
  const { start, end } = rangeOf(node);
  const isBefore = line < start.line || (line === start.line && character < start.character);
  return !isBefore && (line < end.line || (line === end.line && character <= end.character));
}
