import { canonicalJson, isJsonObject, parseJson, type JsonObject, type JsonValue } from '../base/json.ts';
import type { KubeObject } from './object.ts';

/** One entry of `metadata.managedFields`, as the server wrote it. */
export interface ManagedFieldsEntry extends JsonObject {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly apiVersion?: string;
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldSet;
}

/**
 * A set of field paths in FieldsV1 form: `f:name`, `k:{…}` (item of a list with keys), `v:…` (item of a set), `i:n`, and `.`
 * for the node itself where it also has children. A node without children is a member.
 */
export interface FieldSet extends JsonObject {
  readonly [element: string]: FieldSet | undefined;
}

/** The elements of a path from the object's root, as in FieldsV1. */
export type FieldPath = readonly string[];

export const emptyFieldSet: FieldSet = {};

/** The managedFields of an object; none when the server sent none. */
export function managedFieldsOf(object: KubeObject): readonly ManagedFieldsEntry[] {
  const entries = object.metadata['managedFields'];
  return Array.isArray(entries) ? (entries as readonly JsonValue[]).filter(isJsonObject) : [];
}

/** Every path that is in one of the two sets. */
export function unionFields(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left;
  const union: Record<string, FieldSet> = {};
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const [inLeft, inRight] = [left[name], right[name]];
    if (inLeft === undefined || inRight === undefined) union[name] = (inLeft ?? inRight) as FieldSet;
    else if (name === '.') union[name] = emptyFieldSet;
    else union[name] = unionNodes(inLeft, inRight);
  }
  return union;
}

function unionNodes(left: FieldSet, right: FieldSet): FieldSet {
  if (isLeaf(left) && isLeaf(right)) return emptyFieldSet;
  if (isLeaf(left)) return { '.': emptyFieldSet, ...right };
  if (isLeaf(right)) return { '.': emptyFieldSet, ...left };
  return unionFields(left, right);
}

/**
 * Tells whether the path is in the set, or below a member that is owned as a whole (an atomic list, map or struct).
 * The path of a list's item stands for the item itself.
 */
export function coversPath(set: FieldSet, path: FieldPath): boolean {
  let node = set;
  for (const [index, element] of path.entries()) {
    const next = node[element];
    if (next === undefined) return index > 0 && isLeaf(node);
    node = next;
  }
  return isLeaf(node) || node['.'] !== undefined;
}

/** Tells whether the path, or anything below it, is in the set. */
export function touchesPath(set: FieldSet, path: FieldPath): boolean {
  let node = set;
  for (const [index, element] of path.entries()) {
    const next = node[element];
    if (next === undefined) return index > 0 && isLeaf(node);
    node = next;
  }
  return true;
}

/** What the set has below one element of a path: a list of none or one, to be joined with others'. */
export function fieldsBelow(set: FieldSet, element: string): readonly FieldSet[] {
  const below = set[element];
  return below === undefined ? [] : [below];
}

function isLeaf(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/**
 * Names the items of one list as FieldsV1 does: by key for lists with keys, by value for sets, else by index.
 * What kind of list it is shows in the field sets of those who own it; `nodes` are theirs at the list's path.
 */
export function listElements(items: readonly JsonValue[], nodes: readonly FieldSet[]): readonly string[] {
  const elements = new Set(nodes.flatMap((node) => Object.keys(node)));
  const keyNames = new Map<string, readonly string[]>();
  let isSet = false;
  for (const element of elements) {
    if (element.startsWith('v:')) isSet = true;
    if (!element.startsWith('k:')) continue;
    const names = Object.keys(keyOf(element)).sort();
    keyNames.set(names.join('\n'), names);
  }
  if (keyNames.size > 0) return items.map((item, index) => keyElement(item, [...keyNames.values()], index));
  return items.map((item, index) => (isSet ? `v:${canonicalJson(item)}` : `i:${index}`));
}

/** Prefers the longest key: a Service port is known by port and protocol, not by port alone. */
function keyElement(item: JsonValue, keys: readonly (readonly string[])[], index: number): string {
  const fitting = isJsonObject(item)
    ? keys.filter((names) => names.every((name) => item[name] !== undefined))
    : [];
  const names = fitting.reduce<readonly string[] | undefined>(
    (best, candidate) => (best === undefined || candidate.length > best.length ? candidate : best),
    undefined,
  );
  if (names === undefined || !isJsonObject(item)) return `i:${index}`;
  return `k:${canonicalJson(Object.fromEntries(names.map((name) => [name, item[name] ?? null])))}`;
}

function keyOf(element: string): JsonObject {
  const key = parseJson(element.slice(2));
  return isJsonObject(key) ? key : {};
}
