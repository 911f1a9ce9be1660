import type { KubeObject, ObjectRef } from '../kube/object.ts';
import { refKey } from '../kube/object.ts';
import { withOwnClouds } from '../clients/kms/userClouds.ts';
import { loadUserKeys, ownKeyPlaces } from '../clients/kms/userKeys.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { ArtifactStore } from '../controllers/source/artifactStore.ts';
import { readArtifact } from '../controllers/source/readArtifact.ts';
import type { SourceContext } from '../controllers/source/sourceContext.ts';
import type { KustomizeContext } from '../controllers/kustomize/kustomizeContext.ts';
import { type ControllerProfile, defaultProfile } from '../flux/controllerProfile.ts';
import { coreEvent, type FluxEvent } from '../flux/events.ts';
import type { FetchRemotes } from '../lib/kustomize/loader.ts';
import { EventRecorder } from '../ssa/eventRecorder.ts';
import { resendingClient } from '../ssa/resendingClient.ts';
import type { RunContext } from '../ssa/runContext.ts';
import type { EngineCore } from './engineCore.ts';
import type { ObjectFollower } from '../ssa/followObjects.ts';
import { isSecretKind, sharedFollower } from './inventoryWatches.ts';
import type { WatchStore } from './watchStore.ts';
import { elsewhere, guardedClient } from './guardedClient.ts';
import type { ClusterSession } from './clusterSession.ts';
import { remoteFetcher } from './remoteBases.ts';
import type { LocalRun } from './localReconciler.ts';
import type { Override } from './override/override.ts';
import type { Overrides } from './override/overrides.ts';
import type { Slot } from './queue.ts';
import { folderArtifact } from './workspace/workingTreeArtifact.ts';

/** What all runs on one cluster share: artifacts in memory and the recorder of events. */
export class RunContexts {
  readonly artifacts = new ArtifactStore();
  readonly #core: EngineCore;
  readonly #session: ClusterSession;
  readonly #overrides: Overrides;
  readonly #recorder: EventRecorder;
  readonly #writing: ClusterClient;
  readonly #superseded = new Map<string, AbortController>();
  readonly #follower: ObjectFollower;
  readonly #store: WatchStore;
  readonly #fetchRemotes: FetchRemotes;

  constructor(core: EngineCore, session: ClusterSession, store: WatchStore, overrides: Overrides) {
    this.#core = core;
    this.#fetchRemotes = remoteFetcher(core.deps);
    this.#overrides = overrides;
    this.#session = session;
    this.#writing = guardedClient(session.cluster, session.localPermit);
    this.#store = store;
    this.#follower = sharedFollower(store, session.cluster, core.config.namespace);
    this.#recorder = new EventRecorder(this.#writing, core.deps.clock, core.deps.log);
  }

  /** For a source controller's run, or for fetching what a source's status names. */
  source(
    signal: AbortSignal,
    ref: ObjectRef,
    slot?: Slot,
    profile: ControllerProfile = defaultProfile,
  ): SourceContext {
    return {
      ...this.#base(signal, ref, slot),
      git: this.#core.deps.git,
      artifacts: this.artifacts,
      runtimeNamespace: profile.runtimeNamespace,
      recordEvent: (event) => this.#record(event),
    };
  }

  /** For a run of the kustomize controller, or for a plan of one. */
  kustomize(
    signal: AbortSignal,
    ref: ObjectRef,
    profile: ControllerProfile,
    running?: LocalRun,
    isRequested = true,
  ): KustomizeContext {
    const override = this.#overrides.of(ref);
    const newer = new AbortController();
    // A plan waits for nothing: it must not stand in for a run in progress.
    if (running !== undefined) this.#superseded.set(refKey(ref), newer);
    return {
      ...this.#base(signal, ref, running),
      ...(running !== undefined && { onRevision: (revision) => running.worksOn(revision) }),
      ...(!isRequested && override === undefined && { watchedFlux: (object) => this.#watchedFlux(object) }),
      follower: this.#follower,
      // Secrets are watched as metadata only.
      watched: (object) => (isSecretKind(object) ? undefined : this.#store.get(object)),
      profile: this.#withSuspended(profile),
      builds: this.#core.builds,
      unwrappedKeys: this.#core.unwrappedKeys,
      requireSopsMac: this.#core.config.requireSopsMac === true,
      fetchRemotes: this.#fetchRemotes,
      ownKeys: async () => (await loadUserKeys(ownKeyPlaces())).ring,
      ...(this.#core.config.useOwnCloudLogin === true && {
        withOwnLogins: (ring) => withOwnClouds(ring, ownKeyPlaces()),
      }),
      fetchArtifact: (source, fetchSignal) =>
        readArtifact(this.source(fetchSignal, ref, undefined, profile), source),
      recordEvent: (event) => this.#record(event),
      superseded: () => newer.signal,
      ...(override !== undefined && this.#overridden(override, signal)),
    };
  }

  #watchedFlux(ref: ObjectRef): KubeObject | undefined {
    const object = this.#store.getWatched(ref);
    return object !== undefined && this.#session.isCurrent(object) ? object : undefined;
  }

  #withSuspended(profile: ControllerProfile): ControllerProfile {
    const keptSuspended = this.#overrides.suspended();
    return keptSuspended.length === 0 ? profile : { ...profile, keptSuspended };
  }

  /** With the right to write that the override gives, and the open folder in place of the source. */
  #overridden(
    override: Override,
    signal: AbortSignal,
  ): Pick<KustomizeContext, 'cluster' | 'guarded' | 'fetchArtifact' | 'isOverridden' | 'recordEvent'> {
    const guarded = guardedClient(this.#session.cluster, override.permit);
    const { clock, log } = this.#core.deps;
    const recorder = new EventRecorder(guarded, clock, log);
    return {
      cluster: resendingClient(guarded, { clock, signal }),
      guarded: (cluster) => guardedClient(cluster, elsewhere(override.permit)),
      isOverridden: () => true,
      fetchArtifact: (source, fetchSignal) => folderArtifact(this.#core, source, fetchSignal),
      recordEvent: (event) => recorder.record(coreEvent(event, clock.now(), process.hrtime.bigint())),
    };
  }

  /** Something newer was queued for the object: the run in progress stops waiting. */
  supersede(ref: ObjectRef, by: string): void {
    this.#superseded.get(refKey(ref))?.abort(by);
  }

  #base(signal: AbortSignal, ref: ObjectRef, slot: Slot | undefined): RunContext {
    const { clock, log } = this.#core.deps;
    return {
      cluster: resendingClient(this.#writing, { clock, signal }),
      guarded: (cluster) => guardedClient(cluster, elsewhere(this.#session.localPermit)),
      clock,
      log,
      signal,
      ...(slot !== undefined && { park: (wait) => slot.park(wait) }),
      onStage: (event) => {
        if (event.type === 'started') this.#core.emit({ type: 'stageStarted', ref, stage: event.stage });
        else
          this.#core.emit({
            type: 'stageFinished',
            ref,
            stage: event.stage,
            elapsedMs: event.elapsedMs,
            failed: event.failed,
          });
      },
    };
  }

  #record(event: FluxEvent): void {
    const now = this.#core.deps.clock.now();
    this.#recorder.record(coreEvent(event, now, process.hrtime.bigint()));
  }

  get session(): ClusterSession {
    return this.#session;
  }
}
