import type { Place } from './node.ts';
import { fail } from './problem.ts';
import type { Resource } from './resource.ts';
import { formatResId, type ResId } from './resId.ts';

/** Both lists in one. Throws BuildFailure when an id would be there twice. */
export function appendObjects(
  objects: readonly Resource[],
  added: readonly Resource[],
  place: Place | undefined,
): readonly Resource[] {
  if (added.length === 0) return objects;
  const known = new Map<string, Resource>();
  for (const object of objects) if (!known.has(object.id.key)) known.set(object.id.key, object);
  for (const object of added) {
    const existing = known.get(object.id.key);
    if (existing !== undefined) failDuplicate(object, existing, place);
    known.set(object.id.key, object);
  }
  return objects.length === 0 ? added : [...objects, ...added];
}

function failDuplicate(object: Resource, existing: Resource, place: Place | undefined): never {
  const { source } = existing.root;
  const where = source === undefined ? '' : ` (also in ${source.path})`;
  return fail(
    'build-duplicate-object',
    `${formatResId(object.id)} is there twice${where}`,
    object.root.source === undefined ? (place ?? object.root) : object.root,
    'remove one, or rename one with a namePrefix or namespace of its own',
  );
}

/** The objects that have, or had, an id for which `matches` holds. */
export function objectsByAnyId(
  objects: readonly Resource[],
  matches: (id: ResId) => boolean,
): readonly Resource[] {
  return objects.filter((object) => matches(object.id) || object.previousIds.some(matches));
}

const indexes = new WeakMap<readonly Resource[], ReadonlyMap<string, readonly Resource[]>>();

/** The objects that have, or had, an id equal to the given one. */
export function objectsById(objects: readonly Resource[], id: ResId): readonly Resource[] {
  let index = indexes.get(objects);
  if (index === undefined) {
    index = indexById(objects);
    indexes.set(objects, index);
  }
  return index.get(id.key) ?? [];
}

function indexById(objects: readonly Resource[]): ReadonlyMap<string, readonly Resource[]> {
  const index = new Map<string, Resource[]>();
  for (const object of objects) {
    const keys = new Set([object.id.key, ...object.previousIds.map((id) => id.key)]);
    for (const key of keys) {
      const list = index.get(key);
      if (list === undefined) index.set(key, [object]);
      else list.push(object);
    }
  }
  return index;
}
