import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { joinPointer } from './jsonPointer.ts';
import { fieldsBelow, listElements, type FieldPath, type FieldSet } from './managedFields.ts';

/** One leaf that differs. `path` names list items by their keys, `pointer` by their place in the value that has it. */
export interface FieldDifference {
  readonly path: FieldPath;
  /** Into `after` where it has the field, else into `before`. */
  readonly pointer: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/**
 * The leaves in which two versions of an object differ. Items of lists with keys are compared by key, as the server merges
 * them; a changed order alone is one difference, at the list. `owned` are the field sets of the owners, which tell the keys.
 */
export function diffFields(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  owned: readonly FieldSet[],
): readonly FieldDifference[] {
  const found: FieldDifference[] = [];
  walk({ before, after, owned, path: [], beforePointer: '', afterPointer: '' }, found);
  return found;
}

interface Place {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  readonly owned: readonly FieldSet[];
  readonly path: FieldPath;
  readonly beforePointer: string;
  readonly afterPointer: string;
}

function walk(place: Place, found: FieldDifference[]): void {
  const { before, after } = place;
  if (before === after || equalJson(before, after)) return;
  if (isMapOrMissing(before) && isMapOrMissing(after) && hasMembers(before, after))
    return walkMaps(place, before ?? {}, after ?? {}, found);
  if (isListOrMissing(before) && isListOrMissing(after) && hasItems(before, after))
    return walkLists(place, before ?? [], after ?? [], found);
  found.push({
    path: place.path,
    pointer: after === undefined ? place.beforePointer : place.afterPointer,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  });
}

function walkMaps(place: Place, before: JsonObject, after: JsonObject, found: FieldDifference[]): void {
  for (const name of new Set([...Object.keys(after), ...Object.keys(before)])) {
    walk(
      {
        before: before[name],
        after: after[name],
        owned: below(place.owned, `f:${name}`),
        path: [...place.path, `f:${name}`],
        beforePointer: joinPointer(place.beforePointer, name),
        afterPointer: joinPointer(place.afterPointer, name),
      },
      found,
    );
  }
}

function walkLists(
  place: Place,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  found: FieldDifference[],
): void {
  const beforeElements = listElements(before, place.owned);
  const afterElements = listElements(after, place.owned);
  const count = found.length;
  const beforeIndex = new Map(beforeElements.map((element, index) => [element, index]));
  const afterIndex = new Map(afterElements.map((element, index) => [element, index]));
  for (const element of new Set([...afterElements, ...beforeElements])) {
    const [old, now] = [beforeIndex.get(element), afterIndex.get(element)];
    walk(
      {
        before: old === undefined ? undefined : before[old],
        after: now === undefined ? undefined : after[now],
        owned: below(place.owned, element),
        path: [...place.path, element],
        beforePointer: `${place.beforePointer}/${old ?? ''}`,
        afterPointer: `${place.afterPointer}/${now ?? ''}`,
      },
      found,
    );
  }
  // Every item is the same, so the order differs.
  if (found.length === count) found.push({ path: place.path, pointer: place.afterPointer, before, after });
}

/** The pointer of a path in a value, or undefined where the value has no such field. */
export function pointerOf(
  value: JsonValue | undefined,
  path: FieldPath,
  owned: readonly FieldSet[],
): string | undefined {
  let pointer = '';
  let node = value;
  let sets = owned;
  for (const element of path) {
    if (Array.isArray(node)) {
      const index = listElements(node as readonly JsonValue[], sets).indexOf(element);
      if (index < 0) return undefined;
      pointer += `/${index}`;
      node = (node as readonly JsonValue[])[index];
    } else {
      const name = element.slice(2);
      if (!isJsonObject(node) || node[name] === undefined) return undefined;
      pointer = joinPointer(pointer, name);
      node = node[name];
    }
    sets = below(sets, element);
  }
  return pointer;
}

/** The value at a path, or undefined. */
export function valueAt(
  value: JsonValue | undefined,
  path: FieldPath,
  owned: readonly FieldSet[],
): JsonValue | undefined {
  let node = value;
  let sets = owned;
  for (const element of path) {
    if (Array.isArray(node)) {
      const items = node as readonly JsonValue[];
      node = items[listElements(items, sets).indexOf(element)];
    } else node = isJsonObject(node) ? node[element.slice(2)] : undefined;
    if (node === undefined) return undefined;
    sets = below(sets, element);
  }
  return node;
}

function below(owned: readonly FieldSet[], element: string): readonly FieldSet[] {
  return owned.flatMap((set) => fieldsBelow(set, element));
}

function isMapOrMissing(value: JsonValue | undefined): value is JsonObject | undefined {
  return value === undefined || isJsonObject(value);
}

function isListOrMissing(value: JsonValue | undefined): value is readonly JsonValue[] | undefined {
  return value === undefined || Array.isArray(value);
}

/** An empty map that is added or removed is itself the leaf. */
function hasMembers(before: JsonObject | undefined, after: JsonObject | undefined): boolean {
  if (before === undefined && after === undefined) return false;
  return before === undefined || after === undefined ? Object.keys(before ?? after ?? {}).length > 0 : true;
}

function hasItems(
  before: readonly JsonValue[] | undefined,
  after: readonly JsonValue[] | undefined,
): boolean {
  if (before === undefined && after === undefined) return false;
  return before === undefined || after === undefined ? (before ?? after ?? []).length > 0 : true;
}
