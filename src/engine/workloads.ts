import { onAbort } from '../base/onAbort.ts';
import { plumbError } from '../base/plumbError.ts';
import { buildDesired } from '../controllers/kustomize/buildDesired.ts';
import type { KustomizeContext } from '../controllers/kustomize/kustomizeContext.ts';
import { reconcileKustomization } from '../controllers/kustomize/reconcileKustomization.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { inventoryOf } from '../flux/kustomization.ts';
import { sourceRefOf } from '../flux/references.ts';
import { formatRef, type KubeObject, type ObjectRef, refOf } from '../kube/object.ts';
import type { FolderBuild, FolderQuery, RenderedManifest } from '../protocol/engine.ts';
import type {
  ClusterMode,
  DriftView,
  OverridePlan,
  OverrideReach,
  PlanView,
  RunView,
} from '../protocol/views.ts';
import { createDryRunCache, type DryRunCache } from '../ssa/dryRunCache.ts';
import type { ClusterSession } from './clusterSession.ts';
import { driftOf } from './drift/driftOf.ts';
import { DriftedObjects } from './drift/driftedObjects.ts';
import { driftFinder } from './drift/findDrifted.ts';
import { RevertAtOnce } from './drift/revertAtOnce.ts';
import type { EngineCore } from './engineCore.ts';
import { readFluxObject, requestReconcile, waitForRequest } from './fluxCommands.ts';
import { buildFolderFor } from './folderBuild.ts';
import { ensureLabelled, kustomizationLabel } from './inventoryWatches.ts';
import { LocalMode, runViewOfOutcome } from './localMode.ts';
import { RunContexts } from './localRuns.ts';
import type { Override } from './override/override.ts';
import { suspenderOf } from './override/overrideRecord.ts';
import { Overrides } from './override/overrides.ts';
import { PlanStore } from './planStore.ts';
import { encryptedStandIn } from './plans/encryptedStandIn.ts';
import { planView, manifestYaml } from './plans/planView.ts';
import { type KnownWorkload, type PlanFrom, planWorkload, type WorkloadPlan } from './plans/planWorkload.ts';
import { applyApproved, pruneApproved, requireReadable } from './plans/runPlan.ts';
import type { WatchStore } from './watchStore.ts';
import { workingTreeArtifact } from './workspace/workingTreeArtifact.ts';

interface Cluster {
  readonly session: ClusterSession;
  readonly store: WatchStore;
  readonly contexts: RunContexts;
  readonly overrides: Overrides;
  readonly dryRuns: DryRunCache;
}

interface StoredPlan {
  readonly id: string;
  readonly planned: WorkloadPlan;
}

/** The longest a dry-run's answer may serve a diff (architecture, section 9). */
const longestDryRunAgeMs = 10 * 60_000;

/** Everything the engine does with Kustomizations and their sources: plan, apply, prune, reconcile, drift. */
export class Workloads {
  readonly #core: EngineCore;
  readonly #plans = new PlanStore<StoredPlan>();
  #shared: Omit<Cluster, 'session' | 'store'> | undefined;
  #local: LocalMode | undefined;
  #reverting: RevertAtOnce | undefined;
  readonly #listener: { dispose(): void };
  /** What drifted, for the trees. */
  readonly drifted: DriftedObjects;

  constructor(core: EngineCore) {
    this.#core = core;
    this.drifted = new DriftedObjects({
      find: driftFinder(core, (ref, from, signal, known) => this.#planned(ref, from, signal, known)),
      onChange: () => core.emit({ type: 'treeChanged' }),
      log: core.deps.log,
      signal: core.closing.signal,
    });
    this.#listener = core.listen((event) => {
      if (event.type !== 'objectsChanged') return;
      this.#local?.changed(event.refs);
      this.#reverting?.changed();
    });
  }

  running(): readonly ObjectRef[] {
    return this.#local?.running() ?? [];
  }

  async plan(ref: ObjectRef, from: PlanFrom, signal: AbortSignal): Promise<PlanView> {
    const { session, overrides } = await this.#cluster();
    const planned = await this.#planned(ref, from, signal);
    const { id } = this.#plans.add((newId) => ({ id: newId, planned }));
    const view = planView(id, session.context, planned);
    const isOverrideNeeded = session.mode === 'observe' && overrides.of(ref) === undefined;
    const { live } = isOverrideNeeded ? await session.installation(signal) : { live: [] };
    const suspender = suspenderOf(planned.kustomization as unknown as KubeObject);
    return {
      ...view,
      warnings: [
        ...view.warnings,
        ...(suspender === undefined ? [] : [`it was suspended by ${suspender.manager}`]),
        ...(live.length === 0
          ? []
          : [
              'Flux reconciles it: an apply suspends it for one run, and what its own source says comes back after that',
            ]),
      ],
    };
  }

  /** From now on drift of the workload is reverted when it is seen, until local mode ends. Throws ModeForbids outside of it. */
  async revertAtOnce(ref: ObjectRef, signal: AbortSignal): Promise<void> {
    const { session, store } = await this.#cluster();
    const object = (await readFluxObject(session.cluster, ref, signal)) as unknown as Kustomization;
    session.localPermit.require();
    const kinds = Map.groupBy(
      inventoryOf(object),
      ({ group, version, kind }) => `${group}/${version}/${kind}`,
    );
    const { namespace } = this.#core.config;
    await Promise.all(
      [...kinds.values()].map(([kind]) =>
        ensureLabelled(store, kind as ObjectRef, kustomizationLabel, namespace),
      ),
    );
    this.#reverting?.start(ref);
  }

  /** Drift of the workload is reverted at its interval again. */
  revertAtInterval(ref: ObjectRef): void {
    this.#reverting?.stop(ref);
  }

  async planOverride(ref: ObjectRef, signal: AbortSignal): Promise<OverridePlan> {
    return (await this.#cluster()).overrides.plan(ref, signal);
  }

  async startOverride(planId: string, reach: OverrideReach, signal: AbortSignal): Promise<void> {
    return (await this.#cluster()).overrides.start(planId, reach, signal);
  }

  async endOverride(ref: ObjectRef, signal: AbortSignal): Promise<void> {
    return (await this.#cluster()).overrides.end(ref, signal);
  }

  async apply(planId: string, signal: AbortSignal): Promise<RunView> {
    return this.#writing(this.#plans.take(planId).planned, signal, (ctx, planned) =>
      applyApproved(ctx, planned),
    );
  }

  async prune(planId: string, signal: AbortSignal): Promise<RunView> {
    return this.#writing(this.#plans.take(planId).planned, signal, (ctx, planned) =>
      pruneApproved(ctx, planned),
    );
  }

  /** In local mode one run of our own; in observe mode the controllers are asked by annotation and waited for. */
  async reconcile(ref: ObjectRef, withSource: boolean, signal: AbortSignal): Promise<RunView> {
    const { session, contexts, overrides } = await this.#cluster();
    const object = await readFluxObject(session.cluster, ref, signal);
    const source = withSource ? sourceRefOf(object) : undefined;
    let revision: string | undefined;
    if (source !== undefined) {
      const fetched = await this.reconcile(source, false, signal);
      if (!fetched.ready) return fetched;
      ({ revision } = fetched);
    }
    if (this.#local !== undefined) {
      const run = await this.#local.reconcile(ref, signal, revision);
      await overrides.adopt(ref, signal);
      return run;
    }
    if (overrides.of(ref) !== undefined) {
      const started = this.#core.deps.clock.now();
      const ctx = contexts.kustomize(signal, ref, await session.profile(signal));
      const outcome = await reconcileKustomization(ctx, ref);
      await overrides.adopt(ref, signal);
      return runViewOfOutcome(ref, outcome, this.#core.deps.clock.now() - started);
    }
    const { live } = await session.installation(signal);
    if (live.length === 0) {
      throw plumbError('ModeForbids', {
        subject: formatRef(ref),
        message: `nobody reconciles ${session.context}: no Flux controller runs there, and Plumb is in observe mode`,
        hint: 'switch to local mode (plumb … --local, or "Plumb: Choose Who Reconciles…") to let Plumb reconcile it',
      });
    }
    await session.requireBound(signal);
    const token = await requestReconcile(session.cluster, ref, this.#core.deps.clock, signal);
    return waitForRequest(session.cluster, ref, token, this.#core.deps.clock, signal);
  }

  async render(ref: ObjectRef, signal: AbortSignal): Promise<readonly RenderedManifest[]> {
    const { session, contexts } = await this.#cluster();
    const kustomization = (await readFluxObject(session.cluster, ref, signal)) as unknown as Kustomization;
    const { artifact } = await workingTreeArtifact(this.#core, session, kustomization, true, signal);
    const ctx = contexts.kustomize(signal, ref, await session.profile(signal));
    const desired = await buildDesired(ctx, kustomization, artifact, {
      standIn: encryptedStandIn(() => Promise.resolve(undefined)),
    });
    return desired.objects.map(({ object }) => ({ ref: refOf(object), yaml: manifestYaml(object) }));
  }

  async buildFolder(ref: ObjectRef, query: FolderQuery, signal: AbortSignal): Promise<FolderBuild> {
    const { session, contexts } = await this.#cluster();
    const object = await readFluxObject(session.cluster, ref, signal);
    const ctx = contexts.kustomize(signal, ref, await session.profile(signal));
    return buildFolderFor(ctx, object as unknown as Kustomization, query);
  }

  async drift(uri: string, signal: AbortSignal): Promise<DriftView> {
    const connection = await this.#core.connection();
    if (connection.type === 'none') {
      return {
        uri,
        version: this.#core.workspace.document(uri)?.version ?? 0,
        marks: [],
        onlyInCluster: [],
        onlyInGit: [],
        message: connection.error.message,
      };
    }
    await this.#core.watchFlux(connection.store);
    const workloads = connection.store.list({ group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' });
    return driftOf({
      core: this.#core,
      uri,
      workloads,
      plan: (ref) => this.#planned(ref, 'preview', signal),
    });
  }

  async setMode(mode: ClusterMode, signal: AbortSignal): Promise<void> {
    const { session, store, contexts, overrides } = await this.#cluster();
    if (mode === session.mode && (mode === 'observe' || this.#local !== undefined)) return;
    await overrides.endAll();
    if (mode === 'observe') return this.#leaveLocal();
    const local = await LocalMode.enter(this.#core, session, store, contexts, signal);
    this.#local = local;
    this.#reverting = new RevertAtOnce({
      clock: this.#core.deps.clock,
      log: this.#core.deps.log,
      plan: (ref) => this.#planned(ref, 'source', local.over),
      reconcile: (ref) => local.reconcile(ref, local.over),
      onStopped: (ref, object, manager) => this.#core.emit({ type: 'revertStopped', ref, object, manager }),
    });
    onAbort(local.over, () => void this.#localEnded(local));
    this.#core.emit({
      type: 'modeChanged',
      cluster: await session.view(signal),
      why: 'switched to local mode',
    });
  }

  async close(): Promise<void> {
    this.#listener.dispose();
    try {
      await this.#shared?.overrides.endAll();
    } finally {
      await this.#leaveLocal();
    }
  }

  async #planned(
    ref: ObjectRef,
    from: PlanFrom,
    signal: AbortSignal,
    known?: KnownWorkload,
  ): Promise<WorkloadPlan> {
    const { session, store, contexts, dryRuns } = await this.#cluster();
    const isOften = this.#core.config.schedule === 'continuous';
    return planWorkload({
      core: this.#core,
      session,
      contexts,
      ref,
      from,
      cache: dryRuns,
      ...(isOften && { store }),
      ...(known !== undefined && { known }),
      signal,
    });
  }

  /**
   * In observe mode an approved write is an override for one run; where nobody reconciles the Leases are taken for it instead,
   * and given back.
   */
  async #writing(
    planned: WorkloadPlan,
    signal: AbortSignal,
    write: (ctx: KustomizeContext, planned: WorkloadPlan) => Promise<RunView>,
  ): Promise<RunView> {
    requireReadable(planned);
    const { session, store, contexts, overrides } = await this.#cluster();
    const { ref } = planned;
    const work = async (current: WorkloadPlan): Promise<RunView> =>
      write(contexts.kustomize(signal, ref, await session.profile(signal)), current);
    if (this.#local !== undefined || overrides.of(ref) !== undefined) {
      const run = await work(planned);
      await overrides.adopt(ref, signal);
      return run;
    }
    if ((await session.installation(signal)).live.length > 0) {
      const shown = planned.kustomization as unknown as KubeObject;
      const { generations } = await overrides.startShown(ref, shown, signal);
      try {
        return await work(withGeneration(planned, generations));
      } finally {
        await overrides.end(ref, this.#core.closing.signal);
      }
    }
    await session.enterLocal(signal);
    try {
      // Watched, so that a controller's writes are seen.
      await this.#core.watchFlux(store);
      return await work(planned);
    } finally {
      await session.leaveLocal();
    }
  }

  /** Local mode ended by itself: its runs end, and nothing starts any more. The mode change was told already. */
  async #localEnded(local: LocalMode): Promise<void> {
    if (this.#local === local) {
      this.#reverting?.close();
      this.#local = this.#reverting = undefined;
    }
    await this.#shared?.overrides.endAll();
    await local.leave();
    this.#core.emit({ type: 'treeChanged' });
  }

  async #leaveLocal(): Promise<void> {
    const local = this.#local;
    this.#reverting?.close();
    this.#local = this.#reverting = undefined;
    await local?.leave();
  }

  async #cluster(): Promise<Cluster> {
    const { session, store } = await this.#core.connected();
    if (this.#shared === undefined) {
      const { uid } = await session.identify();
      const overrides = new Overrides(this.#core, session);
      this.#shared ??= {
        overrides,
        contexts: new RunContexts(this.#core, session, store, overrides),
        dryRuns: createDryRunCache({ clusterUid: uid, maxAge: longestDryRunAgeMs }),
      };
    }
    return { session, store, ...this.#shared };
  }
}

/** The plan as it was shown, of the object as its own suspension left it. */
function withGeneration(planned: WorkloadPlan, { before, since }: Override['generations']): WorkloadPlan {
  const { kustomization } = planned;
  const { metadata } = kustomization;
  if (metadata.generation !== before || since === undefined) return planned;
  return { ...planned, kustomization: { ...kustomization, metadata: { ...metadata, generation: since } } };
}
