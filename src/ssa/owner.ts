import type { KubeObject } from '../kube/object.ts';

/** On whose behalf objects are applied. */
export interface Owner {
  readonly fieldManager: string;
  /** The API group that prefixes labels and annotations: `kustomize.toolkit.fluxcd.io`. */
  readonly group: string;
  /** The object that the labels of what is applied name; absent where nothing is labelled. */
  readonly object?: { readonly namespace: string; readonly name: string };
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

/** The two labels that say whose object it is; none of an owner that labels nothing. */
export function ownerLabels({ group, object }: Owner): Readonly<Record<string, string>> {
  if (object === undefined) return {};
  return { [`${group}/name`]: object.name, [`${group}/namespace`]: object.namespace };
}
