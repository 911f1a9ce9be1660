import { isJsonObject } from '../base/json.ts';
import { parseApiVersion, type KubeObject } from './object.ts';

/** The kinds that a CustomResourceDefinition has served, as `group/version/kind`; none for any other object. */
export function definedKinds(object: KubeObject): readonly string[] {
  const { spec } = object as KubeObject & { readonly spec?: unknown };
  const isDefinition =
    object.kind === 'CustomResourceDefinition' &&
    parseApiVersion(object.apiVersion).group === 'apiextensions.k8s.io';
  if (!isDefinition || !isJsonObject(spec)) return [];
  const { group, names, versions } = spec;
  const kind = isJsonObject(names) ? names['kind'] : undefined;
  if (typeof group !== 'string' || typeof kind !== 'string' || !Array.isArray(versions)) return [];
  return versions.flatMap((version) => {
    const name = isJsonObject(version) && version['served'] === true ? version['name'] : undefined;
    return typeof name === 'string' ? [`${group}/${name}/${kind}`] : [];
  });
}
