import { plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { parseApiVersion, refKey, refOf } from '../../kube/object.ts';
import type { FollowedRef } from '../../ssa/followObjects.ts';
import type { ChangeSet, ChangeSetEntry } from '../../ssa/plan.ts';

/**
 * The objects a run waits for: with spec.wait all it applied, skipped ones aside; else those of spec.healthChecks.
 * Never the Kustomization itself. Undefined when no health check is asked for. Throws HealthCheckFailed for an apiVersion that is none.
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
          requireGroupVersion(apiVersion ?? '');
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

/** What is no API version names a kind that nobody will ever serve: to wait for it would be in vain. */
function requireGroupVersion(apiVersion: string): void {
  if (apiVersion.split('/').length <= 2) return;
  throw plumbError('HealthCheckFailed', {
    message: `unexpected GroupVersion string: ${apiVersion}`,
    hint: 'correct spec.healthChecks[].apiVersion of the Kustomization',
  });
}

/** The object as the run left it: what is older says nothing about its health. */
function followed({ ref, version }: ChangeSetEntry): FollowedRef {
  return { ...ref, ...(version !== undefined && { since: version }) };
}
