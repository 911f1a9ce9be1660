import { noItems, type YamlNode } from '../../kube/yamlNode.ts';
import { tags } from '../../kube/yamlScalar.ts';
import { asNode, keyIndex, type Node } from './node.ts';
import { fail } from './problem.ts';

/** More nodes than the largest list of custom resource definitions has; an alias bomb has millions. */
const maxNodes = 2_000_000;

interface Expansion {
  readonly done: Map<YamlNode, Node>;
  readonly sizes: Map<Node, number>;
  readonly open: Set<YamlNode>;
}

/**
 * The document with aliases and merge keys replaced by what they stand for, as kyaml does when it reads resources:
 * a mapping's own keys win over merged ones, and of a list of mappings to merge the first wins.
 * Throws BuildFailure for an alias inside what it stands for, and for documents that grow without bound.
 */
export function expandAliases(root: YamlNode): Node {
  const expansion: Expansion = { done: new Map(), sizes: new Map(), open: new Set() };
  const expanded = expand(expansion, root);
  if (sizeOf(expansion, expanded) > maxNodes)
    fail('build-invalid-file', 'the document grows too much when its aliases are expanded', root);
  return expanded;
}

function expand(expansion: Expansion, node: YamlNode): Node {
  const known = expansion.done.get(node);
  if (known !== undefined) return known;
  if (expansion.open.has(node))
    fail('build-invalid-file', `the anchor ${node.anchor ?? node.text} contains itself`, node);
  expansion.open.add(node);
  const result = expandOne(expansion, node);
  expansion.open.delete(node);
  expansion.done.set(node, result);
  return result;
}

function expandOne(expansion: Expansion, node: YamlNode): Node {
  switch (node.kind) {
    case 'scalar':
      return asNode(node);
    case 'alias':
      return node.target === undefined
        ? fail('build-invalid-file', `the anchor ${node.text} is not defined`, node)
        : expand(expansion, node.target);
    case 'seq':
      return copyWith(
        node,
        node.items.map((item) => expand(expansion, item)),
      );
    case 'map':
      return copyWith(
        node,
        mergedItems(node).map((item) => expand(expansion, item)),
      );
  }
}

function copyWith(node: YamlNode, items: readonly Node[]): Node {
  return { ...asNode(node), anchor: undefined, items: items.length === 0 ? noItems : items };
}

/** The keys and values of a mapping with its merge key carried out. */
function mergedItems(node: YamlNode): readonly YamlNode[] {
  const merges = node.items.filter((item, index) => index % 2 === 0 && item.tag === tags.merge);
  const [merge] = merges;
  if (merge === undefined) return node.items;
  if (merges.length > 1) fail('build-invalid-file', 'a mapping has two merge keys', node);
  const cleared = keyIndex(asNode(node), '<<');
  const own = node.items.filter((_, index) => index !== cleared && index !== cleared + 1);
  const value = node.items[node.items.indexOf(merge) + 1] as YamlNode;
  const result = [...own];
  const positions = firstPositions(result);
  for (const source of [...mappingsToMerge(value), { ...node, items: own }]) {
    const first = firstPositions(source.items);
    for (const [key, at] of first) {
      const entry = [source.items[at] as YamlNode, source.items[at + 1] as YamlNode] as const;
      const position = positions.get(key) ?? result.length;
      positions.set(key, position);
      [result[position], result[position + 1]] = entry;
    }
  }
  return result;
}

/** Where each key of a mapping stands first among its items. */
function firstPositions(items: readonly YamlNode[]): Map<string, number> {
  const positions = new Map<string, number>();
  for (let index = 0; index + 1 < items.length; index += 2) {
    const { text } = items[index] as YamlNode;
    if (!positions.has(text)) positions.set(text, index);
  }
  return positions;
}

function mappingsToMerge(value: YamlNode): readonly YamlNode[] {
  if (value.kind === 'map') return [value];
  if (value.kind === 'alias') {
    const { target } = value;
    if (target?.kind !== 'map') fail('build-invalid-file', 'only mappings can be merged with <<', value);
    return mergeReady(target);
  }
  if (value.kind !== 'seq') fail('build-invalid-file', 'only mappings can be merged with <<', value);
  const result: YamlNode[] = [];
  for (const item of value.items) {
    if (item.kind === 'seq') fail('build-invalid-file', 'a list of lists cannot be merged with <<', item);
    result.unshift(...mappingsToMerge(item));
  }
  return result;
}

/** A mapping that merges others itself is merged with their keys. */
function mergeReady(target: YamlNode): readonly YamlNode[] {
  return [{ ...target, items: mergedItems(target) }];
}

function sizeOf(expansion: Expansion, node: Node): number {
  const known = expansion.sizes.get(node);
  if (known !== undefined) return known;
  const size = node.items.reduce((sum, item) => sum + sizeOf(expansion, item), 1);
  expansion.sizes.set(node, size);
  return size;
}
