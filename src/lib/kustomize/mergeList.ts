import {
  fieldOf,
  isEmpty,
  isNull,
  keyIndex,
  mutableItems,
  newScalar,
  own,
  setField,
  type Edit,
  type Node,
} from './node.ts';
import { fail } from './problem.ts';
import type { MergeSchema } from './mergeSchema.ts';

/** How the elements of a list are merged. */
export interface ListMerge {
  readonly edit: Edit;
  /** The merge keys; none for a list of values. */
  readonly keys: readonly string[];
  readonly elements: MergeSchema;
  /** Merges one element into another. */
  merge(object: Node | undefined, patch: Node | undefined, schema: MergeSchema): Node | undefined;
}

/**
 * Merges the elements of two lists by their keys, in the order kyaml gives them: those of the patch first. The steps and
 * their oddities are upstream's: an element without the key that others have drops the elements before it.
 * `target` is changed in place; elements without merge keys are values, merged as a set.
 */
export function mergeListByKeys(merge: ListMerge, target: Node, patch: Node | undefined): Node | undefined {
  const sources = [patch, target];
  const keys = merge.keys.length === 0 ? [''] : merge.keys;
  let rows = merge.keys.length === 0 ? valuesOf(sources) : keyValuesOf(sources, keys);
  if (keys.length > 1) rows = completeRows(rows);
  const added: Node[] = [];
  const used = usedOf(rows, keys);
  let validKeys: readonly string[] = [];
  for (const row of rows) {
    let values: readonly string[];
    [validKeys, values] = usedKeys(used, row, keys);
    const element = mergeElement(merge, target, patch, validKeys, values);
    if (isNull(element) || element === undefined || (element.kind === 'map' && element.items.length === 0)) {
      for (const _ of validKeys) replaceElement(mutableItems(target), validKeys, values, undefined);
      continue;
    }
    replaceElement(added, validKeys, values, element);
  }
  if (rows.length > 0) target.items = appendElements(added, target.items, validKeys);
  return isNull(target) ? undefined : target;
}

/** Merges the elements of both lists that have the given keys, and makes sure the result has them. */
function mergeElement(
  merge: ListMerge,
  target: Node,
  patch: Node | undefined,
  keys: readonly string[],
  values: readonly string[],
): Node | undefined {
  const [usableKeys, usableValues] = usedKeys(usedOf([values], keys), values, keys);
  const before = findElement(target, usableKeys, usableValues);
  const change = patch === undefined ? undefined : findElement(patch, usableKeys, usableValues);
  const merged = merge.merge(before, change, merge.elements);
  if (merged === undefined || (isEmpty(merged) && merged.kind !== 'seq')) return merged;
  keys.forEach((key, index) => {
    const value = values[index] ?? '';
    if (merged.kind === 'map' && value !== '' && keyIndex(merged, key) < 0)
      setField(own(merged, merge.edit), key, newScalar(value, '', merged), merge.edit);
  });
  return merged;
}

/** The first element whose fields have the values; for the key '' the first element that is the value. */
function findElement(list: Node, keys: readonly string[], values: readonly string[]): Node | undefined {
  const key = keys[0] ?? '';
  if (key === '') return list.items.find((item) => item.text === (values[0] ?? ''));
  return list.items.find(
    (item) =>
      item.kind === 'map' && keys.every((name, index) => fieldOf(item, name)?.text === (values[index] ?? '')),
  );
}

/** The distinct combinations of key values, those of the first list first; '' where an element lacks a key. */
function keyValuesOf(lists: readonly (Node | undefined)[], keys: readonly string[]): readonly string[][] {
  const rows: string[][] = [];
  const seen = new Set<string>();
  for (const list of lists) {
    for (const item of list?.items ?? []) {
      const row = keys.map((key) => {
        const field = fieldOf(item, key);
        return isEmpty(field) ? '' : (field?.text ?? '');
      });
      const id = JSON.stringify(row);
      if (seen.has(id)) continue;
      seen.add(id);
      rows.push(row);
    }
  }
  return rows;
}

function valuesOf(lists: readonly (Node | undefined)[]): readonly string[][] {
  const values = new Set<string>();
  for (const list of lists) for (const item of list?.items ?? []) values.add(item.text);
  return [...values].map((value) => [value]);
}

/** Rows that agree where both have a value become the same row; each is compared as it was before its own turn. */
function completeRows(rows: readonly string[][]): readonly string[][] {
  const result = [...rows];
  for (let left = 0; left < result.length; left++) {
    const row = result[left] as string[];
    for (let right = 0; right < result.length; right++) {
      const combined = combine(row, result[right] as string[]);
      if (combined === undefined) continue;
      result[left] = combined;
      result[right] = combined;
    }
  }
  return result;
}

function combine(left: readonly string[], right: readonly string[]): string[] | undefined {
  let agrees = false;
  const result: string[] = [];
  for (let index = 0; index < left.length; index++) {
    const ours = left[index] ?? '';
    const theirs = right[index] ?? '';
    if (ours === theirs) agrees = true;
    else if (ours !== '' && theirs !== '') return undefined;
    result.push(ours === '' ? theirs : ours);
  }
  return agrees ? result : undefined;
}

/** The keys that some row has a value for. */
function usedOf(rows: readonly (readonly string[])[], keys: readonly string[]): ReadonlySet<string> {
  const used = new Set<string>();
  for (const values of rows)
    values.forEach((value, index) => {
      if (value !== '') used.add(keys[index] ?? '');
    });
  return used;
}

/** The used keys with the values of one row; all keys when none is used. */
function usedKeys(
  used: ReadonlySet<string>,
  row: readonly string[],
  keys: readonly string[],
): [keys: readonly string[], values: readonly string[]] {
  if (used.size === 0) return [keys, row];
  return [
    keys.filter((key) => used.has(key)),
    row.filter((value, index) => value !== '' || used.has(keys[index] ?? '')),
  ];
}

/** Puts `element` in the place of every element that has the key values, or behind all; undefined removes them. */
function replaceElement(
  list: Node[],
  keys: readonly string[],
  values: readonly string[],
  element: Node | undefined,
): void {
  const isForMappings = (keys[0] ?? '') !== '' && (values[0] ?? '') !== '';
  const kept: Node[] = [];
  let isFound = false;
  for (const item of list) {
    if (isNull(item) || (item.kind === 'map' && item.items.length === 0)) continue;
    if (item.kind !== 'map' && isForMappings) {
      kept.push(item);
      continue;
    }
    if (!matches(item, keys, values)) {
      if (values.length > 0) kept.push(item);
      continue;
    }
    isFound = true;
    if (element !== undefined) kept.push(element);
  }
  if (element !== undefined && !isNull(element) && !isFound) kept.push(element);
  if (kept.length > list.length && !isFound) list.push(element as Node);
  else {
    list.length = 0;
    for (const item of kept) list.push(item);
  }
}

function matches(item: Node, keys: readonly string[], values: readonly string[]): boolean {
  let found: Node | undefined;
  for (let index = 0; index < keys.length; index++) {
    if (index < values.length) found = matchField(item, keys[index] ?? '', values[index] ?? '');
    if (found === undefined) return false;
  }
  return true;
}

function matchField(item: Node, key: string, value: string): Node | undefined {
  if (key === '') {
    if (item.kind !== 'scalar')
      fail('build-invalid-patch', 'a list of values has an element that is none', item);
    return item.text === value ? item : undefined;
  }
  if (item.kind !== 'map') fail('build-invalid-patch', `a list element must be a mapping with ${key}`, item);
  const field = fieldOf(item, key);
  return field !== undefined && (value === '' || field.text === value) ? field : undefined;
}

function appendElements(result: Node[], elements: readonly Node[], keys: readonly string[]): readonly Node[] {
  for (const element of elements) {
    if ((keys[0] ?? '') === '') {
      replaceElement(result, [''], [element.text], element);
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      if (element.kind !== 'map' && !isNull(element))
        fail('build-invalid-patch', `a list element must be a mapping with ${key}`, element);
      const field = fieldOf(element, key);
      if (field === undefined) result.push(element);
      else values.push(field.text);
    }
    if (keys.length > 1) replaceElement(result, keys, values, undefined);
    replaceElement(result, keys, values, element);
  }
  return result;
}
