import { isJsonObject } from '../base/json.ts';
import type { Logger } from '../base/logger.ts';
import { asPlumbError } from '../base/plumbError.ts';
import { getCondition, isReady, isReconciling } from '../flux/conditions.ts';
import { dependenciesOf, sourceRefOf } from '../flux/references.ts';
import { conditionsOf } from '../flux/statusPatch.ts';
import { sortByDependency } from '../flux/dependencyGraph.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import type { Clock } from '../ssa/runContext.ts';
import type { NextRun, RunOutcome } from '../ssa/runOutcome.ts';
import { requestedAtAnnotation } from './fluxCommands.ts';
import { Queue, type Slot } from './queue.ts';
import type { WatchStore } from './watchStore.ts';

export interface LocalReconcilerOptions {
  readonly store: WatchStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Kinds there is a controller for. */
  readonly isReconciled: (ref: ObjectRef) => boolean;
  /** One run. What it throws counts as failed and is tried again with backoff. */
  readonly run: (ref: ObjectRef, slot: Slot) => Promise<RunOutcome>;
  readonly onFinished: (ref: ObjectRef, outcome: RunOutcome) => void;
  /** Between 0 and 1; spreads intervals (contract 0.7). */
  readonly random: () => number;
}

/** Upstream's --concurrent. Waiting for health holds no slot. */
const slots = 4;
const jitter = 0.05;

interface Seen {
  readonly generation: number | undefined;
  readonly requestedAt: string | undefined;
  readonly deleting: boolean;
  readonly revision: string | undefined;
  readonly ready: boolean;
}

type Settled = { readonly resolve: (outcome: RunOutcome) => void; readonly reject: (error: unknown) => void };

/** The controllers' main loop in local mode: decides from watch events and intervals what runs, one run per object at a time. */
export class LocalReconciler {
  readonly #options: LocalReconcilerOptions;
  readonly #queue: Queue;
  readonly #refs = new Map<string, ObjectRef>();
  readonly #seen = new Map<string, Seen>();
  readonly #requests = new Map<string, Settled[]>();
  #continuous = false;

  constructor(options: LocalReconcilerOptions) {
    this.#options = options;
    this.#queue = new Queue({ slots, clock: options.clock, run: (key, slot) => this.#run(key, slot) });
  }

  /** Runs everything once, as a controller does when it starts, and from then on by events and intervals. */
  start(objects: readonly KubeObject[]): void {
    this.#continuous = true;
    for (const object of inOrder(objects)) this.#consider(object);
  }

  /** Tells it what the watches saw. */
  changed(refs: readonly ObjectRef[]): void {
    if (!this.#continuous) return;
    for (const ref of refs) {
      const object = this.#options.store.get(ref);
      if (object !== undefined) this.#consider(object);
      else if (this.#seen.delete(refKey(ref))) this.#queue.forget(refKey(ref));
    }
  }

  /** Runs the object now and gives the outcome of the run that starts after this call. */
  reconcileNow(ref: ObjectRef): Promise<RunOutcome> {
    const key = refKey(ref);
    this.#refs.set(key, ref);
    return new Promise((resolve, reject) => {
      this.#requests.set(key, [...(this.#requests.get(key) ?? []), { resolve, reject }]);
      this.#queue.enqueue(key);
    });
  }

  running(): readonly ObjectRef[] {
    return this.#queue.running().flatMap((key) => this.#refs.get(key) ?? []);
  }

  /** Starts nothing more; resolves when the runs in progress have ended. */
  async stop(): Promise<void> {
    this.#continuous = false;
    await this.#queue.stop();
    for (const waiting of this.#requests.values()) {
      for (const { reject } of waiting)
        reject(asPlumbError(new DOMException('the reconciler stopped', 'AbortError')));
    }
    this.#requests.clear();
  }

  #consider(object: KubeObject): void {
    const ref = refOf(object);
    const key = refKey(ref);
    const before = this.#seen.get(key);
    const now = seenOf(object);
    this.#seen.set(key, now);
    this.#refs.set(key, ref);
    if (this.#options.isReconciled(ref) && hasTrigger(before, now)) this.#queue.enqueue(key);
    if (before === undefined) return;
    if (now.revision !== undefined && now.revision !== before.revision) this.#wakeReaders(ref, now.revision);
    if (now.ready && !before.ready) this.#wakeDependents(ref);
  }

  /** Workloads that read the source, in dependency order, unless they are at that revision or on the way to it (contract 1.2). */
  #wakeReaders(source: ObjectRef, revision: string): void {
    const readers = this.#workloads().filter((object) => {
      const read = sourceRefOf(object);
      return read !== undefined && refKey(read) === refKey(source) && !isAtRevision(object, revision);
    });
    for (const object of inOrder(readers)) this.#queue.enqueue(refKey(refOf(object)));
  }

  /** Objects that wait for this one: no fixed pause where an event can wake. */
  #wakeDependents(dependency: ObjectRef): void {
    for (const object of this.#workloads()) {
      const waits = getCondition(conditionsOf(object), 'Ready')?.reason === 'DependencyNotReady';
      const depends = dependenciesOf(object).some(({ ref }) => refKey(ref) === refKey(dependency));
      if (waits && depends) this.#queue.enqueue(refKey(refOf(object)));
    }
  }

  #workloads(): readonly KubeObject[] {
    return [...this.#refs.values()].flatMap((ref) =>
      this.#options.isReconciled(ref) ? (this.#options.store.get(ref) ?? []) : [],
    );
  }

  async #run(key: string, slot: Slot): Promise<NextRun> {
    const ref = this.#refs.get(key) as ObjectRef;
    const waiting = this.#requests.get(key) ?? [];
    this.#requests.delete(key);
    try {
      const outcome = await this.#options.run(ref, slot);
      this.#options.onFinished(ref, outcome);
      for (const { resolve } of waiting) resolve(outcome);
      return this.#continuous ? this.#spread(outcome.next) : { type: 'done' };
    } catch (error) {
      const failure = asPlumbError(error);
      if (failure.kind !== 'cancelled')
        this.#options.log.error('run failed', { ref: formatRef(ref), error: failure.message });
      for (const { reject } of waiting) reject(failure);
      return this.#continuous && failure.kind !== 'cancelled' ? { type: 'backoff' } : { type: 'done' };
    }
  }

  #spread(next: NextRun): NextRun {
    if (next.type !== 'after') return next;
    return { type: 'after', delay: next.delay * (1 + jitter * (2 * this.#options.random() - 1)) };
  }
}

function hasTrigger(before: Seen | undefined, now: Seen): boolean {
  if (before === undefined) return true;
  return (
    now.generation !== before.generation ||
    now.requestedAt !== before.requestedAt ||
    now.deleting !== before.deleting
  );
}

function seenOf(object: KubeObject): Seen {
  const { generation, annotations, deletionTimestamp } = object.metadata;
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const artifact = isJsonObject(status['artifact']) ? status['artifact'] : {};
  return {
    generation,
    requestedAt: annotations?.[requestedAtAnnotation],
    deleting: deletionTimestamp !== undefined,
    revision: typeof artifact['revision'] === 'string' ? artifact['revision'] : undefined,
    ready: isReady(conditionsOf(object)),
  };
}

function isAtRevision(object: KubeObject, revision: string): boolean {
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const conditions = conditionsOf(object);
  return status['lastAttemptedRevision'] === revision && (isReady(conditions) || isReconciling(conditions));
}

function inOrder(objects: readonly KubeObject[]): readonly KubeObject[] {
  const byKey = new Map(objects.map((object) => [refKey(refOf(object)), object]));
  const before = (key: string): readonly string[] => {
    const object = byKey.get(key) as KubeObject;
    const source = sourceRefOf(object);
    return [...dependenciesOf(object).map(({ ref }) => ref), ...(source === undefined ? [] : [source])]
      .map(refKey)
      .filter((other) => byKey.has(other));
  };
  return sortByDependency([...byKey.keys()], before).sorted.map((key) => byKey.get(key) as KubeObject);
}
