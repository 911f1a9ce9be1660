import type { Logger } from '../base/logger.ts';
import { asPlumbError } from '../base/plumbError.ts';
import { getCondition, isReady } from '../flux/conditions.ts';
import { configsOf, sourceRefOf } from '../flux/references.ts';
import { conditionsOf } from '../flux/statusPatch.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import type { Clock } from '../ssa/runContext.ts';
import type { NextRun, RunOutcome } from '../ssa/runOutcome.ts';
import { Queue, type Slot } from './queue.ts';
import { hasTrigger, inOrder, isAtRevision, isConfig, needsOf, type Seen, seenOf } from './triggers.ts';
import type { WatchStore } from './watchStore.ts';

/** What a run may tell and ask while it runs. */
export interface LocalRun extends Slot {
  /** The revision it works on, as soon as it has read its source. */
  worksOn(revision: string): void;
}

export interface LocalReconcilerOptions {
  readonly store: Pick<WatchStore, 'get'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Kinds there is a controller for. */
  readonly isReconciled: (ref: ObjectRef) => boolean;
  /** Tells whether a change of the ConfigMap or Secret makes its readers run. */
  readonly isWatchedConfig: (object: KubeObject) => boolean;
  /** One run. What it throws counts as failed and is tried again with backoff. */
  readonly run: (ref: ObjectRef, running: LocalRun) => Promise<RunOutcome>;
  readonly onFinished: (ref: ObjectRef, outcome: RunOutcome) => void;
  /** Something newer is there for an object whose run is in progress; `by` says what. */
  readonly onSuperseded: (ref: ObjectRef, by: string) => void;
  /** Between 0 and 1; spreads intervals (contract 0.7). */
  readonly random: () => number;
}

/** Three times upstream's --concurrent: runs wait for the server most of the time. Waiting for health holds no slot. */
const slots = 12;
const jitter = 0.05;

type Settled = { readonly resolve: (outcome: RunOutcome) => void; readonly reject: (error: unknown) => void };

/** The controllers' main loop in local mode: decides from watch events and intervals what runs, one run per object at a time. */
export class LocalReconciler {
  readonly #options: LocalReconcilerOptions;
  readonly #queue: Queue;
  readonly #refs = new Map<string, ObjectRef>();
  readonly #seen = new Map<string, Seen>();
  /** ConfigMaps and Secrets whose readers run when they change, with their resourceVersions. */
  readonly #configs = new Map<string, string | undefined>();
  readonly #requests = new Map<string, Settled[]>();
  /** Requests that a run in progress answers if it works on their revision. */
  readonly #joined = new Map<string, (Settled & { readonly revision: string })[]>();
  /** What a first run waits for: the first runs of the sources and dependencies that are not ready. */
  readonly #held = new Map<string, Set<string>>();
  /** The revision each run in progress works on; undefined before it has read its source. */
  readonly #working = new Map<string, string | undefined>();
  /** A revision that came while a run was still reading its source. */
  readonly #expected = new Map<string, { readonly source: ObjectRef; readonly revision: string }>();
  #continuous = false;

  constructor(options: LocalReconcilerOptions) {
    this.#options = options;
    this.#queue = new Queue({ slots, clock: options.clock, run: (key, slot) => this.#run(key, slot) });
  }

  /** Runs everything once, as a controller does when it starts, and from then on by events and intervals. */
  start(objects: readonly KubeObject[], configs: readonly KubeObject[] = []): void {
    this.#continuous = true;
    for (const config of configs) this.#noteConfig(refOf(config), config);
    const ordered = inOrder(objects);
    this.#hold(ordered);
    for (const object of ordered) this.#consider(object);
  }

  /** Tells it what the watches saw. */
  changed(refs: readonly ObjectRef[]): void {
    if (!this.#continuous) return;
    for (const ref of refs) {
      const object = this.#options.store.get(ref);
      if (isConfig(ref)) {
        if (this.#noteConfig(ref, object)) this.#wakeReadersOfConfig(ref);
      } else if (object !== undefined) this.#consider(object);
      else if (this.#seen.delete(refKey(ref))) {
        this.#queue.forget(refKey(ref));
        this.#release(refKey(ref));
      }
    }
  }

  /**
   * Runs the object now and gives the outcome of the run that starts after this call. With `revision` a run in progress that works
   * on it will do.
   */
  reconcileNow(ref: ObjectRef, revision?: string): Promise<RunOutcome> {
    const key = refKey(ref);
    this.#refs.set(key, ref);
    return new Promise((resolve, reject) => {
      if (revision !== undefined && this.#queue.isRunning(key)) {
        this.#joined.set(key, [...(this.#joined.get(key) ?? []), { revision, resolve, reject }]);
        return;
      }
      this.#requests.set(key, [...(this.#requests.get(key) ?? []), { resolve, reject }]);
      this.#queue.enqueue(key);
    });
  }

  /** The outcome of the object's next run, whatever makes it run, or of the one in progress that works on the revision. */
  nextOutcome(ref: ObjectRef, revision: string): Promise<RunOutcome> {
    const key = refKey(ref);
    return new Promise((resolve, reject) => {
      if (this.#queue.isRunning(key))
        this.#joined.set(key, [...(this.#joined.get(key) ?? []), { revision, resolve, reject }]);
      else this.#requests.set(key, [...(this.#requests.get(key) ?? []), { resolve, reject }]);
    });
  }

  running(): readonly ObjectRef[] {
    return this.#queue.running().flatMap((key) => this.#refs.get(key) ?? []);
  }

  /** Starts nothing more; resolves when the runs in progress have ended. */
  async stop(): Promise<void> {
    this.#continuous = false;
    await this.#queue.stop();
    for (const waiting of [...this.#requests.values(), ...this.#joined.values()]) {
      for (const { reject } of waiting)
        reject(asPlumbError(new DOMException('the reconciler stopped', 'AbortError')));
    }
    this.#requests.clear();
    this.#joined.clear();
  }

  /** An object that has to wait for another one's first run is not run in vain before. The objects stand in dependency order. */
  #hold(ordered: readonly KubeObject[]): void {
    const pending = new Set<string>();
    for (const object of ordered) {
      const key = refKey(refOf(object));
      const blockers = needsOf(object)
        .map(refKey)
        .filter((other) => pending.has(other));
      if (blockers.length > 0) this.#held.set(key, new Set(blockers));
      if (this.#options.isReconciled(refOf(object)) && !isReady(conditionsOf(object))) pending.add(key);
    }
  }

  #release(key: string): void {
    for (const [held, blockers] of this.#held) {
      if (!blockers.delete(key) || blockers.size > 0) continue;
      this.#held.delete(held);
      this.#queue.enqueue(held);
    }
  }

  #consider(object: KubeObject): void {
    const ref = refOf(object);
    const key = refKey(ref);
    const before = this.#seen.get(key);
    const now = seenOf(object);
    this.#seen.set(key, now);
    this.#refs.set(key, ref);
    if (this.#options.isReconciled(ref) && hasTrigger(before, now) && !this.#held.has(key)) {
      this.#renew(ref, ref);
    }
    if (before === undefined) return;
    if (now.revision !== undefined && now.revision !== before.revision) this.#wakeReaders(ref, now.revision);
    if (now.version === before.version) return;
    // A run that had nothing to wait for goes from ready to ready, at another revision.
    const isNewlyReady = now.ready && (!before.ready || now.applied !== before.applied);
    this.#wakeDependents(ref, isNewlyReady ? 'all' : 'withExpression');
  }

  /** Tells whether the ConfigMap or Secret is another than before, or gone, and counts. */
  #noteConfig(ref: ObjectRef, object: KubeObject | undefined): boolean {
    const key = refKey(ref);
    const isWatched = object !== undefined && this.#options.isWatchedConfig(object);
    if (!isWatched) return this.#configs.delete(key);
    const { resourceVersion } = object.metadata;
    if (this.#configs.has(key) && this.#configs.get(key) === resourceVersion) return false;
    this.#configs.set(key, resourceVersion);
    return true;
  }

  #wakeReadersOfConfig(config: ObjectRef): void {
    for (const object of inOrder(this.#workloads()))
      if (
        configsOf(object).some((ref) => refKey(ref) === refKey(config)) &&
        !this.#held.has(refKey(refOf(object)))
      )
        this.#renew(refOf(object), config);
  }

  /** Workloads that read the source, in dependency order, unless they are at that revision or on the way to it (contract 1.2). */
  #wakeReaders(source: ObjectRef, revision: string): void {
    const readers = this.#workloads().filter((object) => {
      const read = sourceRefOf(object);
      return read !== undefined && refKey(read) === refKey(source) && !isAtRevision(object, revision);
    });
    for (const object of inOrder(readers)) {
      const key = refKey(refOf(object));
      if (this.#held.has(key) || this.#working.get(key) === revision) continue;
      if (this.#working.has(key) && this.#working.get(key) === undefined)
        this.#expected.set(key, { source, revision });
      else this.#renew(refOf(object), source);
    }
  }

  /** Takes note of the revision that the object's run in progress works on. */
  #worksOn(ref: ObjectRef, revision: string): void {
    const key = refKey(ref);
    const expected = this.#expected.get(key);
    this.#expected.delete(key);
    this.#working.set(key, revision);
    if (expected !== undefined && expected.revision !== revision) this.#renew(ref, expected.source);
  }

  #renew(ref: ObjectRef, by: ObjectRef): void {
    this.#supersede(ref, by);
    this.#queue.enqueue(refKey(ref));
  }

  #supersede(ref: ObjectRef, by: ObjectRef): void {
    if (this.#queue.isRunning(refKey(ref))) this.#options.onSuperseded(ref, formatRef(by));
  }

  /** Objects that wait for this one: no fixed pause where an event can wake. An expression may look at anything of it. */
  #wakeDependents(dependency: ObjectRef, which: 'all' | 'withExpression'): void {
    const wanted = refKey(dependency);
    for (const [key, { dependencies }] of this.#seen) {
      if (!dependencies.some((one) => one.key === wanted && (which === 'all' || one.hasExpression))) continue;
      const object = this.#objectOf(key);
      if (object === undefined) continue;
      const waits = getCondition(conditionsOf(object), 'Ready')?.reason === 'DependencyNotReady';
      if (waits) this.#queue.enqueue(key);
    }
  }

  #workloads(): readonly KubeObject[] {
    return [...this.#refs.keys()].flatMap((key) => this.#objectOf(key) ?? []);
  }

  /** As the watches know it; undefined where there is no controller for it. */
  #objectOf(key: string): KubeObject | undefined {
    const ref = this.#refs.get(key);
    return ref !== undefined && this.#options.isReconciled(ref) ? this.#options.store.get(ref) : undefined;
  }

  async #run(key: string, slot: Slot): Promise<NextRun> {
    const ref = this.#refs.get(key) as ObjectRef;
    const waiting = this.#requests.get(key) ?? [];
    this.#requests.delete(key);
    this.#working.set(key, undefined);
    try {
      const outcome = await this.#options.run(ref, {
        park: (wait) => slot.park(wait),
        worksOn: (revision) => this.#worksOn(ref, revision),
      });
      this.#release(key);
      this.#options.onFinished(ref, outcome);
      for (const { resolve } of [...waiting, ...this.#answeredBy(key)]) resolve(outcome);
      return this.#continuous ? this.#spread(outcome.next) : { type: 'done' };
    } catch (error) {
      this.#release(key);
      const failure = asPlumbError(error);
      if (failure.kind !== 'cancelled')
        this.#options.log.error('run failed', { ref: formatRef(ref), error: failure.message });
      for (const { reject } of waiting) reject(failure);
      return this.#continuous && failure.kind !== 'cancelled' ? { type: 'backoff' } : { type: 'done' };
    } finally {
      this.#working.delete(key);
      const left = this.#joined.get(key) ?? [];
      this.#joined.delete(key);
      for (const { revision: _, ...request } of left) {
        this.#requests.set(key, [...(this.#requests.get(key) ?? []), request]);
        this.#queue.enqueue(key);
      }
      // It ended before it read its source: the new revision is still to be had.
      if (this.#expected.delete(key)) this.#queue.enqueue(key);
    }
  }

  /** Takes the joined requests that the ended run of the object answers. */
  #answeredBy(key: string): readonly Settled[] {
    const joined = Map.groupBy(
      this.#joined.get(key) ?? [],
      ({ revision }) => revision === this.#working.get(key),
    );
    this.#joined.set(key, joined.get(false) ?? []);
    return joined.get(true) ?? [];
  }

  #spread(next: NextRun): NextRun {
    if (next.type !== 'after') return next;
    return { type: 'after', delay: next.delay * (1 + jitter * (2 * this.#options.random() - 1)) };
  }
}
