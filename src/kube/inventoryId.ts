import type { ObjectRef } from './object.ts';

/** One entry of `status.inventory.entries`. */
export interface InventoryEntry {
  /** `<namespace>_<name>_<group>_<kind>`; empty parts stay empty. */
  readonly id: string;
  /** The API version without its group. */
  readonly v: string;
}

const rbacGroup = 'rbac.authorization.k8s.io';
const rbacKinds = ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'];

/** The inventory entry of an object. Colons in names of RBAC objects are written as two underscores. */
export function inventoryEntryOf(ref: ObjectRef): InventoryEntry {
  const mayHaveColons = ref.group === rbacGroup && rbacKinds.includes(ref.kind);
  const name = mayHaveColons ? ref.name.replaceAll(':', '__') : ref.name;
  return { id: `${ref.namespace ?? ''}_${name}_${ref.group}_${ref.kind}`, v: ref.version };
}

/** The object an inventory entry names, or undefined when the id has not its four parts. */
export function refOfInventoryEntry({ id, v }: InventoryEntry): ObjectRef | undefined {
  // Read from both ends: only the name may hold underscores.
  const match = /^([^_]*)_(.+)_([^_]*)_([^_]+)$/.exec(id);
  if (match === null) return undefined;
  const [, namespace = '', name = '', group = '', kind = ''] = match;
  return {
    group,
    version: v,
    kind,
    ...(namespace !== '' && { namespace }),
    name: name.replaceAll('__', ':'),
  };
}
