import { isJsonObject } from '../base/json.ts';
import { refOf, type KubeObject, type ObjectRef } from './object.ts';

/** Tells whether it is a CustomResourceDefinition, of any version. */
export function isDefinition({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
}

/** The kinds that a CustomResourceDefinition has served, as `group/version/kind`; none for any other object. */
export function definedKinds(object: KubeObject): readonly string[] {
  const { spec } = object as KubeObject & { readonly spec?: unknown };
  if (!isDefinition(refOf(object)) || !isJsonObject(spec)) return [];
  const { group, names, versions } = spec;
  const kind = isJsonObject(names) ? names['kind'] : undefined;
  if (typeof group !== 'string' || typeof kind !== 'string' || !Array.isArray(versions)) return [];
  return versions.flatMap((version) => {
    const name = isJsonObject(version) && version['served'] === true ? version['name'] : undefined;
    return typeof name === 'string' ? [`${group}/${name}/${kind}`] : [];
  });
}
