import type { ObjectRef } from '../kube/object.ts';

/** One entry of `status.inventory.entries`. */
export interface InventoryEntry {
  readonly id: string;
  readonly v: string;
}

const rbacKinds = ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'];
const rbacGroup = 'rbac.authorization.k8s.io';

/** `<namespace>_<name>_<group>_<kind>` with the version beside it; colons of RBAC names are written `__`. */
export function inventoryEntry(ref: ObjectRef): InventoryEntry {
  const name = isRbac(ref) ? ref.name.replaceAll(':', '__') : ref.name;
  return { id: [ref.namespace ?? '', name, ref.group, ref.kind].join('_'), v: ref.version };
}

/** The object an entry names, or undefined when the id is none. Follows cli-utils object.ParseObjMetadata. */
export function parseInventoryEntry(entry: InventoryEntry): ObjectRef | undefined {
  const first = entry.id.indexOf('_');
  const last = entry.id.lastIndexOf('_');
  const beforeGroup = entry.id.lastIndexOf('_', last - 1);
  if (first < 0 || beforeGroup <= first) return undefined;
  const namespace = entry.id.slice(0, first);
  const name = entry.id.slice(first + 1, beforeGroup).replaceAll('__', ':');
  const kind = entry.id.slice(last + 1);
  if (name === '' || name.includes('_') || kind === '') return undefined;
  const group = entry.id.slice(beforeGroup + 1, last);
  return { group, version: entry.v, kind, name, ...(namespace !== '' && { namespace }) };
}

function isRbac(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return ref.group === rbacGroup && rbacKinds.includes(ref.kind);
}
