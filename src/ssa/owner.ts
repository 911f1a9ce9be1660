import type { KubeObject } from '../kube/object.ts';

/** On whose behalf objects are applied: the field manager, and the labels that say which object they belong to. */
export interface Owner {
  readonly fieldManager: string;
  /** The API group that prefixes labels and annotations: `kustomize.toolkit.fluxcd.io`. */
  readonly group: string;
  readonly name: string;
  readonly namespace: string;
}

/** What users can ask for on an object, by label or annotation. */
export type Wish = 'skip' | 'onlyCreate' | 'force' | 'merge' | 'keep';

/** `<group>/<key>: <value>`, any of which grants the wish. Follows kustomize-controller's apply and delete options. */
const wishes: Readonly<Record<Wish, readonly (readonly [key: string, value: string])[]>> = {
  skip: [
    ['reconcile', 'disabled'],
    ['ssa', 'ignore'],
  ],
  onlyCreate: [['ssa', 'ifnotpresent']],
  force: [['force', 'enabled']],
  merge: [['ssa', 'merge']],
  keep: [
    ['prune', 'disabled'],
    ['reconcile', 'disabled'],
    ['ssa', 'ignore'],
  ],
};

/** Tells whether a label or annotation of the object asks for that; letter case of the value does not count. */
export function asksFor(object: KubeObject | undefined, wish: Wish, owner: Owner): boolean {
  if (object === undefined) return false;
  const { labels = {}, annotations = {} } = object.metadata;
  return wishes[wish].some(([key, value]) =>
    [labels, annotations].some((map) => map[`${owner.group}/${key}`]?.toLowerCase() === value),
  );
}

/** The two labels that say whose object it is. */
export function ownerLabels({ group, name, namespace }: Owner): Readonly<Record<string, string>> {
  return { [`${group}/name`]: name, [`${group}/namespace`]: namespace };
}

/** Tells whether the object carries both labels of that owner. */
export function isOwnedBy(object: KubeObject, owner: Owner): boolean {
  const { labels = {} } = object.metadata;
  return Object.entries(ownerLabels(owner)).every(([key, value]) => labels[key] === value);
}
