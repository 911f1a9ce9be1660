import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { parseApiVersion, refKey, refOf } from '../../kube/object.ts';
import type { FollowedRef } from '../../ssa/followObjects.ts';
import type { ChangeSet, ChangeSetEntry } from '../../ssa/plan.ts';

/**
 * The objects a run waits for: with spec.wait all it applied, skipped ones aside; else those of spec.healthChecks.
 * Never the Kustomization itself. Undefined when no health check is asked for.
 */
export function healthTargets(
  kustomization: Kustomization,
  changeSet: ChangeSet,
): readonly FollowedRef[] | undefined {
  const { wait, healthChecks = [] } = kustomization.spec;
  if (wait !== true && healthChecks.length === 0) return undefined;
  const refs =
    wait === true
      ? changeSet.filter(({ action }) => action !== 'skipped').map(followed)
      : healthChecks.map(({ apiVersion, kind, name, namespace }) => {
          const ref = {
            ...parseApiVersion(apiVersion || 'apps/v1'),
            kind,
            name,
            ...(namespace !== undefined && namespace !== '' && { namespace }),
          };
          const applied = changeSet.find((entry) => refKey(entry.ref) === refKey(ref));
          return applied === undefined ? ref : { ...followed(applied), ...ref };
        });
  if (refs.length === 0) return undefined;
  const self = refKey(refOf(kustomization));
  return refs.filter((ref) => refKey(ref) !== self);
}

/** The object as the run left it: what is older says nothing about its health. */
function followed({ ref, version }: ChangeSetEntry): FollowedRef {
  return { ...ref, ...(version !== undefined && { since: version }) };
}
