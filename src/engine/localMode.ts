import { onAbort } from '../base/onAbort.ts';
import { unlessAborted } from '../base/unlessAborted.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import type { ControllerProfile } from '../flux/controllerProfile.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { intervalOf } from '../flux/kustomization.ts';
import { sourceRefOf } from '../flux/references.ts';
import { type ObjectRef, refKey } from '../kube/object.ts';
import type { RunView } from '../protocol/views.ts';
import type { RunOutcome } from '../ssa/runOutcome.ts';
import type { ClusterSession } from './clusterSession.ts';
import { driftAnnotation, leavesDrift } from './drift/detectOnly.ts';
import { isReconciled, runController } from './controllers.ts';
import type { EngineCore } from './engineCore.ts';
import { LocalReconciler } from './localReconciler.ts';
import { configKinds, watchConfigs, watchedConfigs } from './configWatches.ts';
import type { RunContexts } from './localRuns.ts';
import { isStuck } from './stuckDependency.ts';
import type { WatchStore } from './watchStore.ts';

interface LocalModeOptions {
  readonly core: EngineCore;
  readonly session: ClusterSession;
  readonly store: WatchStore;
  readonly profile: ControllerProfile;
  readonly contexts: RunContexts;
  readonly over: AbortSignal;
}

/** How long a request waits for dependencies, as upstream's command line does. */
const dependencyPatienceMs = 5 * 60_000;

/** The engine as the controllers of one cluster, from taking the Leases to giving them back. */
export class LocalMode {
  readonly #core: EngineCore;
  readonly #session: ClusterSession;
  readonly #store: WatchStore;
  readonly #reconciler: LocalReconciler;
  readonly #stopping = new AbortController();
  /** Objects whose next run the user asked for. */
  readonly #requested = new Set<string>();
  /** Aborts when local mode ends by itself, with the reason; what runs then writes nothing more. */
  readonly over: AbortSignal;

  private constructor({ core, session, store, profile, contexts, over }: LocalModeOptions) {
    this.#core = core;
    this.#session = session;
    this.#store = store;
    this.over = over;
    onAbort(over, () => this.#stopping.abort(over.reason));
    const { signal } = this.#stopping;
    this.#reconciler = new LocalReconciler({
      store,
      clock: core.deps.clock,
      log: core.deps.log,
      random: Math.random,
      isReconciled,
      isWatchedConfig: watchedConfigs(profile),
      run: async (ref, running) => {
        const started = core.deps.clock.now();
        const isRequested = this.#requested.delete(refKey(ref));
        const left = isRequested ? undefined : driftLeft(store, ref);
        const run = { contexts, profile, signal, running, isRequested };
        const outcome = left ?? (await runController(run, ref));
        // Cut off by the end of local mode: whoever waits for the run is told that, not what it looked like from inside.
        if (outcome.result !== 'succeeded') over.throwIfAborted();
        core.emit({
          type: 'runFinished',
          run: runViewOfOutcome(ref, outcome, core.deps.clock.now() - started),
        });
        return outcome;
      },
      onFinished: () => core.emit({ type: 'treeChanged' }),
      onSuperseded: (ref, by) => contexts.supersede(ref, by),
    });
  }

  /** Takes the Leases, and with schedule `continuous` starts to reconcile everything. */
  static async enter(
    core: EngineCore,
    session: ClusterSession,
    store: WatchStore,
    contexts: RunContexts,
    signal: AbortSignal,
  ): Promise<LocalMode> {
    // Before the Leases: without the controllers' policy nothing is reconciled in their place.
    await session.profile(signal);
    const over = await session.enterLocal(signal);
    const profile = await session.profile(signal);
    const mode = new LocalMode({ core, session, store, profile, contexts, over });
    // Watched also where nothing is scheduled: a controller's writes must be seen.
    await core.watchFlux(store);
    if (core.config.schedule === 'continuous') {
      await watchConfigs(store, profile, core.config.namespace);
      mode.#reconciler.start(
        fluxKinds.flatMap((kind) => store.list(kind)),
        configKinds.flatMap((kind) => store.list(kind)),
      );
    }
    return mode;
  }

  changed(refs: readonly ObjectRef[]): void {
    this.#reconciler.changed(refs);
  }

  running(): readonly ObjectRef[] {
    return this.#reconciler.running();
  }

  /**
   * One run now, or one in progress that works on the revision; the object's outcome. With a revision, dependencies that are on
   * the way to it are waited for. The signal ends the caller's waiting; the
   * run is the cluster's and goes on.
   */
  async reconcile(ref: ObjectRef, signal: AbortSignal, revision?: string): Promise<RunView> {
    const started = this.#core.deps.clock.now();
    this.#requested.add(refKey(ref));
    try {
      let outcome = await unlessAborted(this.#reconciler.reconcileNow(ref, revision), signal);
      while (revision !== undefined && this.#isOnTheWay(ref, outcome, revision, started))
        outcome = await unlessAborted(this.#reconciler.nextOutcome(ref, revision), signal);
      return runViewOfOutcome(ref, outcome, this.#core.deps.clock.now() - started);
    } finally {
      this.#requested.delete(refKey(ref));
    }
  }

  /** As upstream's command line, a request that came with a new revision waits for the dependencies that have yet to get there. */
  #isOnTheWay(ref: ObjectRef, { reason }: RunOutcome, revision: string, since: number): boolean {
    const { config, deps } = this.#core;
    if (reason !== 'DependencyNotReady' || config.schedule !== 'continuous') return false;
    const object = this.#store.get(ref);
    const isInTime = deps.clock.now() - since < dependencyPatienceMs;
    return isInTime && object !== undefined && !isStuck(object, revision, (other) => this.#store.get(other));
  }

  /** Cancels what runs between two objects, waits for it, and gives the Leases back. */
  async leave(): Promise<void> {
    this.#stopping.abort();
    await this.#reconciler.stop();
    await this.#session.leaveLocal();
  }
}

/** The outcome of a scheduled run that would only revert drift, on a Kustomization that asks to leave it; else undefined. */
function driftLeft(store: WatchStore, ref: ObjectRef): RunOutcome | undefined {
  const object = store.get(ref);
  if (object?.kind !== 'Kustomization') return undefined;
  const source = sourceRefOf(object);
  const artifact = (source === undefined ? undefined : store.get(source))?.['status'] as
    { readonly artifact?: { readonly revision?: string } } | undefined;
  const kustomization = object as unknown as Kustomization;
  if (!leavesDrift(kustomization, artifact?.artifact?.revision)) return undefined;
  return {
    result: 'succeeded',
    reason: 'ReconciliationSucceeded',
    message: `drift is detected only: ${driftAnnotation}`,
    changeSet: [],
    next: { type: 'after', delay: intervalOf(kustomization) },
  };
}

/** A run as it is shown. */
export function runViewOfOutcome(ref: ObjectRef, outcome: RunOutcome, elapsedMs: number): RunView {
  return {
    ref,
    ready: outcome.result === 'succeeded',
    reason: outcome.reason,
    message: outcome.hint === undefined ? outcome.message : `${outcome.message} (${outcome.hint})`,
    ...(outcome.revision !== undefined && { revision: outcome.revision }),
    ...(outcome.warnings !== undefined && { warnings: outcome.warnings }),
    changeSet: outcome.changeSet.map(({ ref: changed, action }) => ({ ref: changed, action })),
    elapsedMs,
  };
}
