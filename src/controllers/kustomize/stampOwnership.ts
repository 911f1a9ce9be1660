import type { Diagnosed } from '../../base/diagnostic.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { ownershipLabels, withMetadata } from '../../flux/ownership.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { hiddenAt } from '../../kube/hiddenFields.ts';
import { isKubeObject } from '../../kube/object.ts';
import { isJsonObject } from '../../base/json.ts';
import { normalizeBuilt } from './normalizeBuilt.ts';

/**
 * The objects with the ownership labels of the Kustomization, normalised, and spec.commonMetadata over them, as upstream orders
 * it. The new labels have no line of their own: they take the object's.
 */
export function stampOwnership(
  objects: readonly BuiltObject[],
  kustomization: Kustomization,
): Diagnosed<readonly BuiltObject[]> {
  const { name, namespace } = kustomization.metadata;
  const { labels = {}, annotations = {} } = kustomization.spec.commonMetadata ?? {};
  const owner = ownershipLabels({ name, ...(namespace !== undefined && { namespace }) });
  const { value, diagnostics } = normalizeBuilt(
    objects.map((built) => ({ ...built, object: withMetadata(built.object, owner) })),
  );
  return {
    value: value.map((built) => ({ ...built, object: withMetadata(built.object, labels, annotations) })),
    diagnostics,
  };
}

/**
 * Lists are replaced by their items; what has no apiVersion, kind or name that is text, and kustomize's own files, are left
 * out without a word, as upstream does.
 */
export function expandObjects(objects: readonly BuiltObject[]): readonly BuiltObject[] {
  return objects.flatMap((built) => {
    const { object, origins } = built;
    const hidden = hiddenAt(built.hidden, '/items/0');
    const isList = String(object.kind).endsWith('List') && Array.isArray(object['items']);
    if (isList) {
      const items = object['items'] as readonly unknown[];
      return expandObjects(
        items.filter(isJsonObject).map((item, index) => ({
          object: item as BuiltObject['object'],
          ...(hidden !== undefined && { hidden }),
          origins: {
            at: (pointer) => origins.at(`/items/${index}${pointer}`),
            *entries() {
              const prefix = `/items/${index}/`;
              for (const [pointer, origin] of origins.entries())
                if (pointer.startsWith(prefix)) yield [pointer.slice(prefix.length - 1), origin] as const;
            },
          },
        })),
      );
    }
    if (!isKubeObject(object)) return [];
    const isKustomizeFile =
      object.kind.toLowerCase() === 'kustomization' &&
      object.apiVersion.startsWith('kustomize.config.k8s.io/');
    return isKustomizeFile ? [] : [built];
  });
}
