import type { Resource } from './resource.ts';

/** One step of a kustomization. It gives new objects for those it changes and leaves out those it deletes. */
export interface Transformer {
  /** Upstream's name of the step, as buildMetadata writes it. */
  readonly type: string;
  transform(objects: readonly Resource[]): readonly Resource[];
}

/**
 * A step that looks at one object at a time. What it made of an object is kept, so that a later build with the same
 * step and the same object costs nothing.
 */
export function perObject(type: string, change: (object: Resource) => Resource | undefined): Transformer {
  const changeOnce = remembered(change);
  return { type, transform: (objects) => mapObjects(objects, changeOnce) };
}

/** The function with its results kept for as long as the objects they were made from. */
export function remembered<T>(change: (object: Resource) => T): (object: Resource) => T {
  const results = new WeakMap<Resource, { readonly value: T }>();
  return (object) => {
    let result = results.get(object);
    if (result === undefined) {
      result = { value: change(object) };
      results.set(object, result);
    }
    return result.value;
  };
}

/** The list with every object exchanged; the list itself when none changed. */
export function mapObjects(
  objects: readonly Resource[],
  change: (object: Resource) => Resource | undefined,
): readonly Resource[] {
  const result: Resource[] = [];
  let isSame = true;
  for (const object of objects) {
    const changed = change(object);
    isSame &&= changed === object;
    if (changed !== undefined) result.push(changed);
  }
  return isSame ? objects : result;
}
