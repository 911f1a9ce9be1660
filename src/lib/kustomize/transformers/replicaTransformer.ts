import { tags } from '../../../kube/yamlScalar.ts';
import { concernsKind, setFieldsAt } from '../fieldSpec.ts';
import { placeOf, valueOf, type ReplicaInput } from '../kustomizationShape.ts';
import { fail } from '../problem.ts';
import { isSelected, type ResId } from '../resId.ts';
import type { Resource } from '../resource.ts';
import { changeEach, type Transformer } from '../transformer.ts';
import type { FieldSpec } from '../transformerConfig.ts';
import { setScalarText } from './setEntry.ts';

/** Sets the number of replicas of the objects with a name. */
export function replicaTransformer(replica: ReplicaInput, fieldSpecs: readonly FieldSpec[]): Transformer {
  const name = valueOf(replica.name);
  const count = String(replica.count?.value ?? 0);
  const place = placeOf(replica.count, replica.node);
  const concerns = (object: Resource, spec: FieldSpec): boolean => {
    const matches = (id: ResId) => id.name === name && isSelected(id, spec);
    return matches(object.id) || object.previousIds.some(matches);
  };
  const scale = changeEach((object) => {
    const specs = fieldSpecs.filter((spec) => concerns(object, spec) && concernsKind(spec, object));
    if (specs.length === 0) return object;
    return object.edited((root, edit) =>
      specs.reduce(
        (result, spec) =>
          setFieldsAt(result, spec, {
            edit,
            place,
            create: { kind: 'scalar', tag: tags.int },
            set: (node) => setScalarText(node, count, tags.int, place, edit),
          }),
        root,
      ),
    );
  });
  return {
    type: 'ReplicaCountTransformer',
    transform: (objects) => {
      if (!fieldSpecs.some((spec) => objects.some((object) => concerns(object, spec))))
        fail(
          'build-patch-target',
          `there is nothing to scale with the name ${name}`,
          placeOf(replica.name, replica.node),
          'the name is the one in the base, without prefix and suffix of this kustomization; kinds: Deployment, StatefulSet, ReplicaSet, ReplicationController',
        );
      return scale(objects);
    },
  };
}
