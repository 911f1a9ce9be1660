import type { Diagnostic } from '../../base/diagnostic.ts';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import { applyPolicyOf, openTarget, pruneRulesOf } from '../../controllers/kustomize/applyPolicyOf.ts';
import type { Unreadable } from '../../controllers/kustomize/decryption.ts';
import type { KustomizeContext } from '../../controllers/kustomize/kustomizeContext.ts';
import { readArtifact } from '../../controllers/source/readArtifact.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { Artifact } from '../../flux/artifact.ts';
import type { ControllerProfile } from '../../flux/controllerProfile.ts';
import { inventoryOf, sourceOf } from '../../flux/kustomization.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { DryRunCache } from '../../ssa/dryRunCache.ts';
import type { Plan } from '../../ssa/plan.ts';
import { planApply } from '../../ssa/planApply.ts';
import { previewPrune, type StaleObject } from '../../ssa/previewPrune.ts';
import { onTarget } from '../../ssa/targetCluster.ts';
import type { ClusterSession } from '../clusterSession.ts';
import type { EngineCore } from '../engineCore.ts';
import { readFluxObject } from '../fluxCommands.ts';
import type { RunContexts } from '../localRuns.ts';
import type { WatchStore } from '../watchStore.ts';
import { desiredOf } from './desiredCache.ts';
import { seenChangesOf } from '../drift/seenChanges.ts';
import { otherClaims } from './otherClaims.ts';
import { encryptedStandIn } from './encryptedStandIn.ts';
import { fluxConsequences } from './fluxConsequences.ts';
import { decryptionWarnings, trulyStale, unknownSecrets, withoutUnknown } from './unreadableParts.ts';
import { byRefKey, planFacts } from './planFacts.ts';
import { uncommittedNotes } from './uncommittedFiles.ts';
import { workingTreeArtifact, type WorkingTreeSource } from '../workspace/workingTreeArtifact.ts';
import { workspaceObjects } from '../workspace/workspaceObjects.ts';

/** Where a plan takes its files from; `preview` is the working tree with unsaved documents on top. */
export type PlanFrom = 'workingTree' | 'preview' | 'source';

/** A plan with everything an approval needs: what was shown is what can be applied. */
export interface WorkloadPlan {
  readonly ref: ObjectRef;
  readonly kustomization: Kustomization;
  readonly artifact: Artifact;
  /** The folder the files came from; absent for a revision fetched from the source. */
  readonly folder?: string;
  readonly plan: Plan;
  readonly stale: readonly StaleObject[];
  readonly identity: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  /** What could not be decrypted here: the plan says nothing about it, and cannot be applied. */
  readonly unreadable: readonly Unreadable[];
  readonly offeredLogins: readonly string[];
}

export interface PlanRequest {
  readonly core: EngineCore;
  readonly session: ClusterSession;
  readonly contexts: RunContexts;
  readonly ref: ObjectRef;
  readonly from: PlanFrom;
  readonly cache?: DryRunCache;
  /** The engine's watches, for plans that are asked for again and again. */
  readonly store?: WatchStore;
  /** What whoever plans many has at hand; read from the cluster when absent. */
  readonly known?: KnownWorkload;
  readonly signal: AbortSignal;
}

export interface KnownWorkload {
  readonly kustomization: KubeObject;
  readonly source?: KubeObject;
  readonly profile: ControllerProfile;
}

/**
 * What reconciling the Kustomization would change, from the folder or from the revision its source has. Read-only.
 * Throws NotFound when no folder stands in for the source or there is no such Kustomization.
 */
export async function planWorkload(request: PlanRequest): Promise<WorkloadPlan> {
  const { session, contexts, ref, signal } = request;
  requireKustomization(ref);
  // All are asked for at once; where both are refused, it is told of the Kustomization, whichever answer came first.
  const [read, policy] = await Promise.allSettled([
    readKustomization(request),
    request.known?.profile ?? session.profile(signal),
    // Kept by the workspace for when the source is known.
    request.from === 'source' ? undefined : request.core.workspace.saved(signal),
  ]);
  if (read.status === 'rejected') throw read.reason;
  if (policy.status === 'rejected') throw policy.reason;
  const { kustomization, isInCluster } = read.value;
  const profile = policy.value;
  const ctx = contexts.kustomize(signal, ref, profile);
  const { artifact, folder, untracked = [] } = await artifactFor(request, kustomization);
  const target = await openTarget(ctx, kustomization);
  try {
    const on = onTarget(ctx, target);
    const standIn = encryptedStandIn(async (live) => {
      const answer = await on.cluster.get(live, signal);
      return answer.type === 'ok' ? answer.value : undefined;
    });
    const built = await desiredOf(ctx, kustomization, artifact, { standIn });
    const desired = withoutUnknown(built);
    const recorded = inventoryOf(kustomization);
    // What the engine watches, it sees with its own rights on its own cluster.
    const store = on.cluster === ctx.cluster ? request.store : undefined;
    const [lastApplied, facts] = await Promise.all([
      lastAppliedObjects(ctx, request, kustomization, artifact, standIn),
      store === undefined ? {} : planFacts(ctx, store, recorded, request.core.config.namespace),
    ]);
    const planned = await planApply(on, desired, recorded, {
      ...applyPolicyOf(kustomization, ctx.profile),
      ...(lastApplied !== undefined && {
        lastApplied: (object: KubeObject) => lastApplied.get(refKey(refOf(object))),
      }),
      ...(request.cache !== undefined && { cache: request.cache }),
      ...facts,
    });
    const seen = store === undefined ? undefined : seenChangesOf(store, () => ctx.clock.now());
    const plan = { ...planned, changes: seen?.complete(planned.changes) ?? planned.changes };
    const wanted = plan.changes.filter(({ action }) => action !== 'skipped').map((change) => change.ref);
    const claimed = await otherClaims(ctx, kustomization, wanted, request.store);
    const previewed = await previewPrune(on, plan.stale, {
      ...pruneRulesOf(kustomization),
      consequencesOf: fluxConsequences,
    });
    const stale = trulyStale(previewed, unknownSecrets(built));
    return {
      ref,
      kustomization,
      artifact,
      ...(folder !== undefined && { folder }),
      plan,
      stale: kustomization.spec.prune ? stale : stale.map(orphaned),
      identity:
        kustomization.spec.serviceAccountName ?? profile.defaultServiceAccount ?? profile.serviceAccount,
      diagnostics: desired.diagnostics,
      unreadable: desired.unreadable,
      offeredLogins: desired.own.neededLogins,
      notes: uncommittedNotes(untracked, kustomization, desired.objects),
      warnings: [
        ...warningsOf(kustomization, isInCluster, desired.objects.length, plan),
        ...handedOver(plan, profile),
        ...claimed,
        ...decryptionWarnings(desired),
      ],
    };
  } finally {
    target.close();
  }
}

function requireKustomization(ref: ObjectRef): void {
  if (ref.kind === 'Kustomization') return;
  throw plumbError('InvalidConfiguration', {
    subject: formatRef(ref),
    message: `plans are made of Kustomizations; a ${ref.kind} cannot be planned yet`,
  });
}

/** The live object, whose inventory and spec count; the file's where the cluster has none yet. */
async function readKustomization({
  core,
  session,
  ref,
  known,
  signal,
}: PlanRequest): Promise<{ readonly kustomization: Kustomization; readonly isInCluster: boolean }> {
  if (known !== undefined)
    return { kustomization: known.kustomization as unknown as Kustomization, isInCluster: true };
  try {
    return {
      kustomization: (await readFluxObject(session.cluster, ref, signal)) as unknown as Kustomization,
      isInCluster: true,
    };
  } catch (error) {
    if (!isPlumbError(error, 'NotFound')) throw error;
    const snapshots = await core.workspace.edited(signal);
    const found = snapshots
      .flatMap((snapshot) => workspaceObjects(snapshot).objects)
      .find(({ object }) => refKey(refOf(object)) === refKey(ref));
    if (found === undefined) throw error;
    return { kustomization: found.object as unknown as Kustomization, isInCluster: false };
  }
}

async function artifactFor(
  request: PlanRequest,
  kustomization: Kustomization,
): Promise<Pick<WorkingTreeSource, 'artifact'> & Partial<WorkingTreeSource>> {
  const { core, session, contexts, ref, from, signal } = request;
  if (from !== 'source') return workingTreeArtifact(core, session, kustomization, from === 'preview', signal);
  const source =
    request.known?.source ?? (await readFluxObject(session.cluster, sourceOf(kustomization), signal));
  const artifact = await readArtifact(contexts.source(signal, ref), source);
  if (artifact !== undefined) return { artifact };
  throw plumbError('ArtifactNotFound', {
    subject: formatRef(refOf(source)),
    message: 'has no artifact yet',
    hint: `reconcile it first: plumb reconcile ${source.kind.toLowerCase()} ${source.metadata.name}`,
  });
}

/** What the last applied revision wanted, to tell drift from edits; undefined where that revision cannot be had. */
async function lastAppliedObjects(
  ctx: KustomizeContext,
  request: PlanRequest,
  kustomization: Kustomization,
  artifact: Artifact,
  standIn: (object: KubeObject) => Promise<KubeObject>,
): Promise<ReadonlyMap<string, KubeObject> | undefined> {
  const applied = kustomization.status?.lastAppliedRevision;
  if (applied === undefined || applied === '') return undefined;
  try {
    const recorded =
      applied === artifact.revision ? artifact : await appliedArtifact(request, kustomization, applied);
    if (recorded === undefined) return undefined;
    const desired = await desiredOf(ctx, kustomization, recorded, { standIn });
    return byRefKey(desired.objects.map(({ object }) => object));
  } catch (error) {
    if (isPlumbError(error, 'Cancelled')) throw error;
    // Without it managedFields decide: a commit that is gone, or one that does not build, is no reason to show nothing.
    ctx.log.debug('the last applied revision cannot be built', {
      ref: formatRef(request.ref),
      revision: applied,
      error: String(error),
    });
    return undefined;
  }
}

async function appliedArtifact(
  { contexts, session, ref, signal }: PlanRequest,
  kustomization: Kustomization,
  revision: string,
): Promise<Artifact | undefined> {
  const source = await readFluxObject(session.cluster, sourceOf(kustomization), signal);
  return await readArtifact(contexts.source(signal, ref), withRevision(source, revision));
}

function withRevision(source: KubeObject, revision: string): KubeObject {
  const status = source['status'] as { readonly artifact?: object } | undefined;
  return { ...source, status: { ...status, artifact: { ...status?.artifact, revision } } } as KubeObject;
}

function orphaned(stale: StaleObject): StaleObject {
  if (stale.verdict.type !== 'delete') return stale;
  return {
    ...stale,
    consequences: [],
    verdict: {
      type: 'keep',
      live: stale.verdict.live,
      reason: 'spec.prune is off: it only leaves the inventory',
    },
  };
}

/** The controllers themselves, when Git says how many of them run while this engine stands in for them. */
function handedOver(plan: Plan, { handedOverIn = [] }: ControllerProfile): readonly string[] {
  return plan.changes
    .filter(
      ({ ref, desired }) =>
        ref.kind === 'Deployment' &&
        handedOverIn.includes(ref.namespace ?? '') &&
        desired.metadata.labels?.['app.kubernetes.io/part-of'] === 'flux',
    )
    .map(({ ref }) => `${formatRef(ref)} is handed over to this Plumb: its replicas stay as they are`);
}

function warningsOf(
  kustomization: Kustomization,
  isInCluster: boolean,
  objects: number,
  plan: Plan,
): readonly string[] {
  const warnings: string[] = [];
  if (!isInCluster)
    warnings.push('this Kustomization is only in Git: nobody reconciles it until it is applied itself');
  if (kustomization.spec.suspend === true)
    warnings.push('this Kustomization is suspended: the cluster changes when it is resumed');
  if (objects === 0 && plan.stale.length > 0)
    warnings.push(
      kustomization.spec.prune
        ? `the build is empty: a reconcile prunes everything, ${plan.stale.length} objects`
        : `the build is empty: a reconcile leaves everything behind, ${plan.stale.length} objects`,
    );
  return warnings;
}
