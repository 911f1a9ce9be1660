import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';

/** A Kubernetes object as plain JSON; unknown fields stay. Never mutate one you were given. */
export interface KubeObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** The members of metadata that Plumb reads; the rest stays in place untyped. */
export interface ObjectMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
}

/** Names one object. `namespace` is absent for cluster-scoped objects; `group` is '' for the core group. */
export interface ObjectRef {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Tells whether the value has apiVersion, kind and metadata.name as non-empty strings. */
export function isKubeObject(value: JsonValue | undefined): value is KubeObject {
  if (!isJsonObject(value) || !isJsonObject(value['metadata'])) return false;
  return [value['apiVersion'], value['kind'], value['metadata']['name']].every(
    (part) => typeof part === 'string' && part !== '',
  );
}

/** The reference to an object, namespace as it stands in the object. */
export function refOf(object: KubeObject): ObjectRef {
  const { group, version } = parseApiVersion(object.apiVersion);
  const { name, namespace } = object.metadata;
  return {
    group,
    version,
    kind: object.kind,
    name,
    ...(namespace !== undefined && namespace !== '' && { namespace }),
  };
}

/** `apps/v1` → group `apps`, version `v1`; `v1` → group ''. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `apps` and `v1` → `apps/v1`; '' and `v1` → `v1`. */
export function apiVersionOf(ref: { readonly group: string; readonly version: string }): string {
  return ref.group === '' ? ref.version : `${ref.group}/${ref.version}`;
}

/** A key that two references share when they name the same object; the version does not count. */
export function refKey(ref: Omit<ObjectRef, 'version'>): string {
  return `${ref.group}/${ref.kind}/${ref.namespace ?? ''}/${ref.name}`;
}

/** `Kind/namespace/name`, or `Kind/name` for cluster-scoped objects: how Flux and Plumb name objects in texts. */
export function formatRef(ref: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string {
  return ref.namespace === undefined ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`;
}
