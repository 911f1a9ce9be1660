import { isPlumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { ControllerProfile } from '../../flux/controllerProfile.ts';
import { inventoryOf } from '../../flux/kustomization.ts';
import { sourceRefOf } from '../../flux/references.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import type { ClusterMode } from '../../protocol/views.ts';
import type { ClusterSession } from '../clusterSession.ts';
import type { EngineCore } from '../engineCore.ts';
import type { KnownWorkload, PlanFrom, WorkloadPlan } from '../plans/planWorkload.ts';
import type { WatchStore } from '../watchStore.ts';
import { driftedIn, type DriftedObjectsOptions } from './driftedObjects.ts';

type Planner = (
  ref: ObjectRef,
  from: PlanFrom,
  signal: AbortSignal,
  known: KnownWorkload | undefined,
) => Promise<WorkloadPlan>;

/** How long workloads are looked at with a policy of the controllers that was read once. */
const longestPolicyAgeMs = 10_000;

/**
 * Finds what drifted of a workload, for the trees, which look at every one of them in a row: from the open folder, else from the
 * revision that the source has. Where nothing was applied yet, nothing drifted.
 */
export function driftFinder(core: EngineCore, plan: Planner): DriftedObjectsOptions['find'] {
  let policy:
    { readonly readAt: number; readonly mode: ClusterMode; readonly profile: ControllerProfile } | undefined;

  /** As the watches have it, with the policy of a moment ago. */
  const knownOf = async (
    session: ClusterSession,
    store: WatchStore,
    kustomization: KubeObject,
    signal: AbortSignal,
  ): Promise<KnownWorkload> => {
    const now = core.deps.clock.now();
    const { mode } = session;
    if (policy?.mode !== mode || now - policy.readAt > longestPolicyAgeMs)
      policy = { readAt: now, mode, profile: await session.profile(signal) };
    const ref = sourceRefOf(kustomization);
    const source = ref === undefined ? undefined : store.get(ref);
    return { kustomization, profile: policy.profile, ...(source !== undefined && { source }) };
  };

  return async (ref, signal) => {
    const { session, store } = await core.connected();
    const object = store.get(ref);
    const applied = (object as Kustomization | undefined)?.status?.lastAppliedRevision;
    if (object !== undefined && applied === undefined) return new Set();
    const known = object === undefined ? undefined : await knownOf(session, store, object, signal);
    const inFolder =
      core.config.folders.length === 0
        ? undefined
        : await plan(ref, 'workingTree', signal, known).catch((error: unknown) => {
            if (isPlumbError(error, 'NotFound')) return undefined;
            throw error;
          });
    const planned = inFolder ?? (await plan(ref, 'source', signal, known));
    const isLastApplied =
      planned.folder === undefined &&
      planned.kustomization.status?.lastAppliedRevision === planned.artifact.revision;
    return driftedIn(planned.plan.changes, inventoryOf(planned.kustomization), isLastApplied);
  };
}
