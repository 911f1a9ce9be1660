import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { parseApiVersion, refKey, refOf, type ObjectRef } from '../../kube/object.ts';
import type { ChangeSet } from '../../ssa/plan.ts';

/**
 * The objects a run waits for: with spec.wait all it applied, skipped ones aside; else those of spec.healthChecks.
 * Never the Kustomization itself. Undefined when no health check is asked for.
 */
export function healthTargets(
  kustomization: Kustomization,
  changeSet: ChangeSet,
): readonly ObjectRef[] | undefined {
  const { wait, healthChecks = [] } = kustomization.spec;
  if (wait !== true && healthChecks.length === 0) return undefined;
  const refs =
    wait === true
      ? changeSet.filter(({ action }) => action !== 'skipped').map(({ ref }) => ref)
      : healthChecks.map(({ apiVersion, kind, name, namespace }) => ({
          ...parseApiVersion(apiVersion || 'apps/v1'),
          kind,
          name,
          ...(namespace !== undefined && namespace !== '' && { namespace }),
        }));
  if (refs.length === 0) return undefined;
  const self = refKey(refOf(kustomization));
  return refs.filter((ref) => refKey(ref) !== self);
}
