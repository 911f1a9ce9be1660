import { sortByDependency } from '../../flux/dependencyGraph.ts';
import { ownerOf } from '../../flux/ownership.ts';
import { dependenciesOf, sourceRefOf } from '../../flux/references.ts';
import { type KubeObject, refKey, refOf } from '../../kube/object.ts';

/** A Kustomization that another one made. */
export interface Descendant {
  readonly object: KubeObject;
  /** 1 for what the root itself makes. */
  readonly depth: number;
}

/**
 * The Kustomizations below the root, by the labels of their owners, that read the same source: parents before their children, and
 * dependencies before their dependents. Whatever the labels say, none stands there twice.
 */
export function descendantsOf(root: KubeObject, all: readonly KubeObject[]): readonly Descendant[] {
  const children = Map.groupBy(all, parentKeyOf);
  const rootKey = refKey(refOf(root));
  const below = new Map<string, Descendant>();
  let parents = [rootKey];
  for (let depth = 1; parents.length > 0; depth++) {
    const made = parents.flatMap((key) => children.get(key) ?? []);
    const found = made.filter(
      (object) => refKey(refOf(object)) !== rootKey && !below.has(refKey(refOf(object))),
    );
    for (const object of found) below.set(refKey(refOf(object)), { object, depth });
    parents = found.map((object) => refKey(refOf(object)));
  }
  const { sorted } = sortByDependency([...below.keys()], (key) => {
    const { object } = below.get(key) as Descendant;
    return [parentKeyOf(object) ?? '', ...dependenciesOf(object).map(({ ref }) => refKey(ref))];
  });
  const source = sourceKeyOf(root);
  return sorted
    .map((key) => below.get(key) as Descendant)
    .filter(({ object }) => sourceKeyOf(object) === source);
}

function parentKeyOf(object: KubeObject): string | undefined {
  const parent = ownerOf(object);
  return parent === undefined ? undefined : refKey(parent);
}

function sourceKeyOf(object: KubeObject): string | undefined {
  const source = sourceRefOf(object);
  return source === undefined ? undefined : refKey(source);
}
