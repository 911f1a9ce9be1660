import { tags } from '../../kube/yamlScalar.ts';
import {
  mergeKeysOf,
  schemaOfField,
  schemaOfObject,
  type MergeSchema,
  type MergeSchemas,
} from './mergeSchema.ts';
import { fieldOf, isEmpty, isStringScalar, isYaml11NonString, type Node } from './node.ts';

/**
 * True where a strategic merge with a patch that says nothing leaves the node as it is: no nulls that would go, no texts
 * that would get quotes, no lists that would lose or move elements. False says nothing.
 */
export function isSettled(schemas: MergeSchemas, node: Node, given: MergeSchema): boolean {
  if (node.tag === tags.null || node.share !== undefined) return false;
  if (node.kind === 'scalar')
    return !isStringScalar(node) || node.style !== 0 || !isYaml11NonString(node.text);
  if (node.kind === 'alias') return false;
  const schema = given ?? schemaOfObject(schemas, node);
  if (node.kind === 'seq') return isSettledList(schemas, node.items, mergeKeysOf(schema));
  for (let index = 0; index + 1 < node.items.length; index += 2) {
    const field = schemaOfField(schemas, schema, (node.items[index] as Node).text);
    if (!isSettled(schemas, node.items[index + 1] as Node, field)) return false;
  }
  return true;
}

function isSettledList(
  schemas: MergeSchemas,
  items: readonly Node[],
  merge: ReturnType<typeof mergeKeysOf>,
): boolean {
  if (merge === undefined || items.length === 0) return true;
  const { keys, elements } = merge;
  return keys.length === 0
    ? areDistinctValues(items)
    : haveDistinctKeys(items, keys) && items.every((item) => isSettled(schemas, item, elements));
}

function areDistinctValues(items: readonly Node[]): boolean {
  const isValue = ({ kind, tag, text }: Node) => kind === 'scalar' && tag !== tags.null && text !== '';
  return items.every(isValue) && new Set(items.map(({ text }) => text)).size === items.length;
}

/** Every element has the same of the keys, one at least, and no two the same values. */
function haveDistinctKeys(items: readonly Node[], keys: readonly string[]): boolean {
  const rows = new Set<string>();
  let hasKeys: string | undefined;
  for (const item of items) {
    if (item.kind !== 'map') return false;
    const values = keys.map((key) => {
      const field = fieldOf(item, key);
      return isEmpty(field) ? '' : (field?.text ?? '');
    });
    const has = values.map((value) => (value === '' ? '-' : '+')).join('');
    hasKeys ??= has;
    if (has !== hasKeys || !has.includes('+')) return false;
    rows.add(JSON.stringify(values));
  }
  return rows.size === items.length;
}
