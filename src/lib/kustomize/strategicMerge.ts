import { noItems, yamlStyle } from '../../kube/yamlNode.ts';
import { tags } from '../../kube/yamlScalar.ts';
import { mergeListByKeys } from './mergeList.ts';
import { isSettled } from './settled.ts';
import {
  mergeKeysOf,
  schemaOfField,
  schemaOfObject,
  type MergeSchema,
  type MergeSchemas,
} from './mergeSchema.ts';
import {
  clearField,
  fieldOf,
  fieldsOf,
  isNull,
  isStringScalar,
  isYaml11NonString,
  keyIndex,
  mutableItems,
  own,
  setField,
  type Edit,
  type Node,
} from './node.ts';
import { fail } from './problem.ts';
import { compareBytes } from './resource.ts';

export interface MergeContext {
  readonly schemas: MergeSchemas;
  readonly edit: Edit;
}

/** A null that stays: it was written out in the object and the patch says nothing about it. */
const keptNull = Symbol('kept null');
type Merged = Node | typeof keptNull | undefined;

/**
 * The object with a strategic merge patch applied as kyaml does: mappings are merged, lists that have merge keys in the
 * OpenAPI definitions are merged by them with the patch's elements first, others replaced; `$patch` directives are
 * carried out; null deletes. Undefined when the patch deletes the object. Throws BuildFailure where types clash.
 */
export function mergeStrategically(context: MergeContext, object: Node, patch: Node): Node | undefined {
  const { edit } = context;
  const copy = copyToMerge(context, object, patch, undefined);
  const merged = walk(context, copy, copyTree(patch, edit), undefined);
  // Upstream drops what takes the place of the whole object, so `$patch: replace` at the top changes nothing.
  return merged === undefined || merged === keptNull ? undefined : copy;
}

/** A copy whose mappings and lists the Edit owns, so that they can be changed in place. */
function copyTree(node: Node, edit: Edit): Node {
  if (node.kind === 'scalar') return node;
  const copy = own(node, edit);
  copy.items = node.items.length === 0 ? noItems : node.items.map((item) => copyTree(item, edit));
  return copy;
}

/** A copy of what the merge may change; what the patch says nothing about and is settled stays shared. */
function copyToMerge(context: MergeContext, node: Node, patch: Node | undefined, given: MergeSchema): Node {
  const { schemas, edit } = context;
  if (node.kind === 'scalar' || (patch === undefined && isSettled(schemas, node, given))) return node;
  const schema = given ?? schemaOfObject(schemas, node) ?? schemaOfObject(schemas, patch);
  if (node.kind !== 'map') return copyList(context, node, patch, mergeKeysOf(schema));
  const copy = own(node, edit);
  const items = mutableItems(copy);
  const patched = fieldsOf(patch);
  for (let index = 0; index + 1 < items.length; index += 2) {
    const { text } = items[index] as Node;
    const field = schemaOfField(schemas, schema, text);
    items[index + 1] = copyToMerge(context, items[index + 1] as Node, patched(text), field);
  }
  return copy;
}

/** Elements that the patch does not name by their one key need no copy when they are settled. */
function copyList(
  context: MergeContext,
  list: Node,
  patch: Node | undefined,
  merge: ReturnType<typeof mergeKeysOf>,
): Node {
  const { schemas, edit } = context;
  const [key, ...others] = merge?.keys ?? [];
  if (key === undefined || others.length > 0) return copyTree(list, edit);
  const named = new Set(patch?.items.map((item) => fieldOf(item, key)?.text ?? ''));
  const copy = own(list, edit);
  copy.items = list.items.map((item) => {
    const name = fieldOf(item, key)?.text ?? '';
    const isShared = name !== '' && !named.has(name) && isSettled(schemas, item, merge?.elements);
    return isShared ? item : copyTree(item, edit);
  });
  return copy;
}

/** Merges `patch` into `object`, which is changed in place unless something else takes its place. */
function walk(
  context: MergeContext,
  object: Node | undefined,
  patch: Node | undefined,
  given: MergeSchema,
): Merged {
  const { schemas, edit } = context;
  // Not copied: the merge leaves it as it is.
  if (patch === undefined && object !== undefined && object.kind !== 'scalar' && object.owner !== edit)
    return object;
  const schema = given ?? schemaOfObject(schemas, object) ?? schemaOfObject(schemas, patch);
  const kind = isNull(object) ? (isNull(patch) ? 'map' : patch?.kind) : object?.kind;
  if (!isNull(object) && !isNull(patch) && object?.kind !== patch?.kind)
    fail(
      'build-invalid-patch',
      `the patch has a ${nameOfKind(patch)} where the object has a ${nameOfKind(object)}`,
      patch as Node,
    );
  if (kind === 'map') return walkMap(context, object, patch, schema);
  if (kind === 'scalar') return patch ?? object;
  const keys = mergeKeysOf(schema);
  copyStyle(object, patch);
  if (keys === undefined) return patch ?? object;
  return walkList(context, object, patch, keys);
}

function nameOfKind(node: Node | undefined): string {
  return node?.kind === 'map' ? 'mapping' : node?.kind === 'seq' ? 'list' : 'value';
}

/** An empty mapping or list takes the style of what is merged into it. */
function copyStyle(object: Node | undefined, patch: Node | undefined): void {
  if (object !== undefined && patch !== undefined && object.kind !== 'scalar' && object.items.length === 0)
    object.style = patch.style;
}

function walkMap(
  context: MergeContext,
  object: Node | undefined,
  patch: Node | undefined,
  schema: MergeSchema,
): Merged {
  const target = visitMap(object, patch, context.edit);
  if (target === undefined || target === keptNull) return target;
  const objectField = fieldsOf(target);
  const patchField = fieldsOf(patch);
  const added = keysOf(patch).filter((name) => objectField(name) === undefined);
  for (const name of new Set([...keysOf(target), ...added.sort(compareBytes)])) {
    const before = objectField(name);
    const change = patchField(name);
    const merged = walk(context, before, change, schemaOfField(context.schemas, schema, name));
    if (merged === keptNull) continue;
    if (merged === undefined || merged.tag === tags.null) clearField(target, name, context.edit);
    else if (merged !== before)
      setField(
        target,
        name,
        own(merged, context.edit),
        context.edit,
        merged === change ? keyStyleOf(patch, name) : 0,
      );
    else if (merged.kind === 'scalar') quoteKept(target, name, merged, context.edit);
  }
  return target;
}

function keysOf(map: Node | undefined): readonly string[] {
  if (map?.kind !== 'map') return [];
  const keys: string[] = [];
  for (let index = 0; index < map.items.length; index += 2) keys.push((map.items[index] as Node).text);
  return keys;
}

/** A value that stays is set again upstream, and so gets the quotes that a value of its text needs. */
function quoteKept(target: Node, name: string, value: Node, edit: Edit): void {
  if (isStringScalar(value) && value.style === 0 && isYaml11NonString(value.text))
    mutableItems(target)[keyIndex(target, name) + 1] = { ...own(value, edit), style: yamlStyle.doubleQuoted };
}

function keyStyleOf(map: Node | undefined, name: string): number {
  if (map === undefined) return 0;
  return map.items[keyIndex(map, name)]?.style ?? 0;
}

function visitMap(object: Node | undefined, patch: Node | undefined, edit: Edit): Merged {
  copyStyle(object, patch);
  if (object === undefined || object.tag === tags.null) {
    if (patch !== undefined && patch.kind === 'map' && takeDirective(patch, edit) === 'delete')
      return undefined;
    if (patch === undefined && object !== undefined && object.text !== '') return keptNull;
    return patch;
  }
  if (patch === undefined) return object;
  if (patch.tag === tags.null) return undefined;
  const directive = takeDirective(patch, edit);
  return directive === 'delete' ? undefined : directive === 'replace' ? patch : object;
}

type Directive = 'merge' | 'replace' | 'delete';

/** Reads the `$patch` directive of a mapping and removes it. */
function takeDirective(patch: Node, edit: Edit): Directive {
  const directive = fieldOf(patch, '$patch');
  if (directive === undefined) return 'merge';
  const value = requireDirective(directive);
  clearField(patch, '$patch', edit);
  return value;
}

function requireDirective(node: Node): Directive {
  const { text } = node;
  if (text === 'merge' || text === 'replace' || text === 'delete') return text;
  return fail(
    'build-invalid-patch',
    `unknown $patch directive ${JSON.stringify(text)}`,
    node,
    'use merge, replace or delete',
  );
}

function walkList(
  context: MergeContext,
  object: Node | undefined,
  patch: Node | undefined,
  merge: { readonly keys: readonly string[]; readonly elements: MergeSchema },
): Merged {
  const target = visitList(object, patch);
  if (target === undefined) return undefined;
  const mergeElements = (before: Node | undefined, change: Node | undefined, schema: MergeSchema) => {
    const merged = walk(context, before, change, schema);
    return merged === keptNull ? undefined : merged;
  };
  return mergeListByKeys({ ...merge, edit: context.edit, merge: mergeElements }, target, patch);
}

function visitList(object: Node | undefined, patch: Node | undefined): Node | undefined {
  if (isNull(object)) return patch;
  if (patch === undefined) return object;
  if (patch.tag === tags.null) return undefined;
  const directive = takeListDirective(patch);
  return directive === 'delete' ? undefined : directive === 'replace' ? patch : object;
}

/** Reads the directive of a list, an element that has nothing but `$patch`, and removes it. */
function takeListDirective(patch: Node): Directive {
  const element = patch.items.find((item) => item.kind === 'map' && keyIndex(item, '$patch') >= 0);
  if (element === undefined || element.items.length > 2) return 'merge';
  const value = requireDirective(fieldOf(element, '$patch') as Node);
  const kept = mutableItems(patch).filter(
    (item) =>
      !isNull(item) &&
      !(item.kind === 'map' && item.items.length === 0) &&
      fieldOf(item, '$patch')?.text !== value,
  );
  patch.items = kept;
  return value;
}
