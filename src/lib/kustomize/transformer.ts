import { isEmpty } from './node.ts';
import type { Resource } from './resource.ts';

/** One step of a kustomization. It gives new objects for those it changes and leaves out those it deletes. */
export interface Transformer {
  /** Upstream's name of the step, as buildMetadata writes it. */
  readonly type: string;
  /** Merges by the definitions of kinds. */
  readonly usesSchemas?: boolean;
  /** What the step makes of one object, where it looks at one at a time; undefined deletes it. */
  readonly change?: (object: Resource) => Resource | undefined;
  transform(objects: readonly Resource[]): readonly Resource[];
}

/**
 * A step that looks at one object at a time. What it made of the objects is kept for the next build, which so works on
 * new objects only.
 */
export function perObject(type: string, change: (object: Resource) => Resource | undefined): Transformer {
  return { type, change, transform: changeEach(change) };
}

/** The steps with those that follow each other and look at one object at a time made one: nothing in between is kept. */
export function joinSteps(steps: readonly Transformer[]): readonly Transformer[] {
  return steps.reduce<readonly Transformer[]>((joined, step) => {
    const before = joined[joined.length - 1];
    const { change } = step;
    const earlier = before?.change;
    if (earlier === undefined || change === undefined) return [...joined, step];
    const both = perObject(step.type, (object) => {
      const changed = earlier(object);
      return changed === undefined || isEmpty(changed.root) ? undefined : change(changed);
    });
    return [...joined.slice(0, -1), both];
  }, []);
}

/** The function of a step that looks at one object at a time. */
export function changeEach(
  change: (object: Resource) => Resource | undefined,
): (objects: readonly Resource[]) => readonly Resource[] {
  const changeAll = onEach(change);
  return (objects) => exchanged(objects, changeAll(objects));
}

/**
 * The function for a whole list. The results of the last list are kept and taken over for the objects that are in the next
 * one, too; the list of results itself when all are.
 */
export function onEach<T>(change: (object: Resource) => T): (objects: readonly Resource[]) => readonly T[] {
  let before: readonly Resource[] = [];
  let results: readonly T[] = [];
  return (objects) => {
    if (objects === before) return results;
    const known = new Kept(before);
    const next: T[] = [];
    let isSame = objects.length === before.length;
    for (const [index, object] of objects.entries()) {
      const at = known.indexOf(object, index, objects[index + 1]);
      isSame &&= at === index;
      next.push(at < 0 ? change(object) : (results[at] as T));
    }
    before = objects;
    if (!isSame) results = next;
    return results;
  };
}

/** Finds objects in a list that is much like the one they come from. */
class Kept {
  readonly #objects: readonly Resource[];
  #indexes: Map<Resource, number> | undefined;

  constructor(objects: readonly Resource[]) {
    this.#objects = objects;
  }

  /** The object's position; `near` is the likely one. An object that took the place of another is not searched for. */
  indexOf(object: Resource, near: number, next: Resource | undefined): number {
    const objects = this.#objects;
    if (near < objects.length) {
      if (objects[near] === object) return near;
      if (this.#indexes === undefined && objects[near + 1] === next) return -1;
    }
    if (objects.length === 0) return -1;
    this.#indexes ??= new Map(objects.map((each, index) => [each, index]));
    return this.#indexes.get(object) ?? -1;
  }
}

/** As changeEach for a step that changes some objects only: the others stay as they are. */
export function changeSome(
  change: (object: Resource) => Resource | undefined,
): (objects: readonly Resource[], isChosen: (object: Resource) => boolean) => readonly Resource[] {
  const changeAll = onEach(change);
  return (objects, isChosen) => {
    const chosen = objects.filter(isChosen);
    const changed = changeAll(chosen);
    let at = 0;
    return mapObjects(objects, (object) => (object === chosen[at] ? changed[at++] : object));
  };
}

/** The list with every object exchanged; the list itself when none changed. */
export function mapObjects(
  objects: readonly Resource[],
  change: (object: Resource) => Resource | undefined,
): readonly Resource[] {
  return exchanged(objects, objects.map(change));
}

function exchanged(
  objects: readonly Resource[],
  results: readonly (Resource | undefined)[],
): readonly Resource[] {
  if (objects === results || results.every((result, index) => result === objects[index])) return objects;
  return results.includes(undefined)
    ? results.filter((result) => result !== undefined)
    : (results as readonly Resource[]);
}
