import type { KubeObject, ObjectRef } from '../kube/object.ts';
import { isJsonObject } from '../base/json.ts';

export const kustomizeGroup = 'kustomize.toolkit.fluxcd.io';

/** The labels by which a Kustomization's objects are known. */
export function ownershipLabels(owner: {
  readonly name: string;
  readonly namespace?: string;
}): Readonly<Record<string, string>> {
  return {
    [`${kustomizeGroup}/name`]: owner.name,
    [`${kustomizeGroup}/namespace`]: owner.namespace ?? '',
  };
}

/** The Kustomization that the object's labels name; undefined when they name none. */
export function ownerOf(object: KubeObject): ObjectRef | undefined {
  const labels = object.metadata.labels ?? {};
  const name = labels[`${kustomizeGroup}/name`];
  const namespace = labels[`${kustomizeGroup}/namespace`];
  if (name === undefined || namespace === undefined) return undefined;
  return { group: kustomizeGroup, version: 'v1', kind: 'Kustomization', namespace, name };
}

/**
 * The object with labels set over its own; annotations likewise when given. Shares everything else. Where one of its own is no
 * text, all of them go, as upstream, which cannot read such a map.
 */
export function withMetadata(
  object: KubeObject,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>> = {},
): KubeObject {
  const merged = (name: 'labels' | 'annotations', values: Readonly<Record<string, string>>): object => {
    if (Object.keys(values).length === 0) return {};
    const own = object.metadata[name];
    const isReadable = isJsonObject(own) && Object.values(own).every((value) => typeof value === 'string');
    return { [name]: { ...(isReadable && own), ...values } };
  };
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...merged('labels', labels),
      ...merged('annotations', annotations),
    },
  };
}
