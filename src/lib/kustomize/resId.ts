import { namespacedByType } from './clusterScope.gen.ts';

/** Group, version and kind; in a selector an empty part matches everything. */
export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What names an object to kustomize. */
export class ResId implements Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly isClusterScoped: boolean;
  #key: string | undefined;
  #exactKey: string | undefined;
  #sortKey: string | undefined;

  constructor({ group, version, kind }: Gvk, name: string, namespace: string, clusterScoped: boolean) {
    this.group = group;
    this.version = version;
    this.kind = kind;
    this.name = name;
    this.namespace = namespace;
    this.isClusterScoped = clusterScoped;
  }

  /** Equal for ids that upstream takes for equal: same kind and name in the same effective namespace. */
  get key(): string {
    this.#key ??= `${effectiveNamespace(this)}\n${this.group}\n${this.version}\n${this.kind}\n${this.name}`;
    return this.#key;
  }

  /** Equal for ids that Go takes for equal: the namespace counts as written. */
  get exactKey(): string {
    this.#exactKey ??= `${this.key}\n${this.namespace}`;
    return this.#exactKey;
  }

  /** What upstream orders objects of one kind by. */
  get sortKey(): string {
    this.#sortKey ??= `${this.namespace || '~X'}|${this.name || '~N'}`;
    return this.#sortKey;
  }
}

/** Kinds whose scope the build learns beyond the built-in ones, by apiVersion and kind. */
export type Scopes = ReadonlyMap<string, boolean>;

export function gvkOf(apiVersion: string, kind: string): Gvk {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion, kind }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind };
}

/** True when the kind is known to have no namespace. */
export function isClusterScoped(gvk: Gvk, scopes: Scopes | undefined): boolean {
  const type = `${apiVersionOf(gvk)}/${gvk.kind}`;
  const namespaced = Object.hasOwn(namespacedByType, type) ? namespacedByType[type] : scopes?.get(type);
  return namespaced === false;
}

/** True for kinds whose scope is built in. */
export function isBuiltinKind(gvk: Gvk): boolean {
  return Object.hasOwn(namespacedByType, `${apiVersionOf(gvk)}/${gvk.kind}`);
}

export function apiVersionOf({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`;
}

export const noNamespace = '_non_namespaceable_';

/** The namespace that counts when ids are compared: '' is `default`, and none for cluster-scoped kinds. */
export function effectiveNamespace({ namespace, isClusterScoped: none }: ResId): string {
  if (none) return noNamespace;
  return namespace === '' ? 'default' : namespace;
}

/** True when every part that the selector has equals the id's. */
export function isSelected(gvk: Gvk, selector: Gvk): boolean {
  return (
    (selector.group === '' || selector.group === gvk.group) &&
    (selector.version === '' || selector.version === gvk.version) &&
    (selector.kind === '' || selector.kind === gvk.kind)
  );
}

/** How kustomize names an object in texts, shortened: `Deployment.v1.apps/web.prod`. */
export function formatResId(id: ResId): string {
  const namespace = id.namespace === '' ? '' : `${id.namespace}/`;
  return `${id.kind} ${namespace}${id.name}`;
}
