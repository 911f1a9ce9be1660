import type { Logger } from '../base/logger.ts';
import type { ClusterClient, ListOptions, Refusal, WatchEvent } from '../clients/cluster/clusterClient.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import type { Clock } from '../ssa/runContext.ts';

type Kind = Pick<ObjectRef, 'group' | 'version' | 'kind'>;

/** What is known of one watched kind. */
export type WatchState = 'starting' | 'synced' | 'notServed' | 'refused' | 'interrupted';

export interface WatchStoreOptions {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with what changed; bursts of one tick come as one call. */
  readonly onChange: (refs: readonly ObjectRef[]) => void;
  /** Called with every version that a watch delivers, before anything else is done with it. */
  readonly onObject?: (object: KubeObject) => void;
}

interface Watched {
  readonly kind: Kind;
  readonly options: ListOptions;
  objects: Map<string, KubeObject>;
  state: WatchState;
  refusal?: Refusal;
  readonly ready: Promise<void>;
}

const notServedRetryMs = 10_000;

/** Live objects by kind, kept by watches. A kind that is not served yet is looked for again every ten seconds. */
export class WatchStore {
  readonly #options: WatchStoreOptions;
  readonly #watched = new Map<string, Watched>();
  /** The same by group and kind. */
  readonly #byKind = new Map<string, Watched[]>();
  readonly #abort = new AbortController();
  #changed = new Map<string, ObjectRef>();
  #notifying = false;
  readonly #listeners = new Set<(refs: readonly ObjectRef[]) => void>();
  readonly #followers = new Map<string, Set<(ref: ObjectRef) => void>>();

  constructor(options: WatchStoreOptions) {
    this.#options = options;
  }

  /** Starts watching unless it is watched already; resolves when the first list is in, or the server refused or does not serve it. */
  async ensure(kind: Kind, options: ListOptions = {}): Promise<WatchState> {
    const key = watchKey(kind, options);
    const watched = this.#watched.get(key) ?? this.#start(key, kind, options);
    await watched.ready;
    return watched.state;
  }

  /** The live object, from whichever watch knows it. */
  get(ref: Omit<ObjectRef, 'version'>): KubeObject | undefined {
    const key = refKey(ref);
    for (const { objects } of this.#ofKind(ref)) {
      const object = objects.get(key);
      if (object !== undefined) return object;
    }
    return undefined;
  }

  /** As `get`, while the watch that knows the object is connected. */
  getWatched(ref: Omit<ObjectRef, 'version'>): KubeObject | undefined {
    const watched = this.#ofKind(ref).filter(({ state }) => state === 'synced');
    return watched.find(({ objects }) => objects.has(refKey(ref)))?.objects.get(refKey(ref));
  }

  /** Every live object of the kind, once: a Kustomization that another one applies is seen by two watches. */
  list(kind: Omit<Kind, 'version'>): readonly KubeObject[] {
    const found = new Map<string, KubeObject>();
    for (const { objects } of this.#ofKind(kind))
      for (const [key, object] of objects) if (!found.has(key)) found.set(key, object);
    return [...found.values()];
  }

  /** The server's words where it refused to list the kind with these options. */
  refusalOf(kind: Kind, options: ListOptions = {}): Refusal | undefined {
    return this.#watched.get(watchKey(kind, options))?.refusal;
  }

  /** Tells the listener what changed, at once and for every event; the store holds the new state by then. */
  listen(listener: (refs: readonly ObjectRef[]) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /** As `listen`, for single objects by refKey: hundreds of runs may follow theirs, and each event concerns one of them. */
  follow(keys: Iterable<string>, listener: (ref: ObjectRef) => void): { dispose(): void } {
    const followed = [...keys];
    for (const key of followed)
      this.#followers.set(key, (this.#followers.get(key) ?? new Set()).add(listener));
    return {
      dispose: () => {
        for (const key of followed) {
          const left = this.#followers.get(key);
          left?.delete(listener);
          if (left?.size === 0) this.#followers.delete(key);
        }
      },
    };
  }

  stop(): void {
    this.#abort.abort();
  }

  #ofKind({ group, kind }: Omit<Kind, 'version'>): readonly Watched[] {
    return this.#byKind.get(`${group}/${kind}`) ?? [];
  }

  #start(key: string, kind: Kind, options: ListOptions): Watched {
    let settle = (): void => undefined;
    const ready = new Promise<void>((resolve) => (settle = resolve));
    const watched: Watched = { kind, options, objects: new Map(), state: 'starting', ready };
    this.#watched.set(key, watched);
    this.#byKind.set(`${kind.group}/${kind.kind}`, [...this.#ofKind(kind), watched]);
    this.#run(watched, settle).catch((error: unknown) => {
      if (this.#abort.signal.aborted) return settle();
      watched.state = 'interrupted';
      this.#options.log.warn('watch ended', { kind: kind.kind, error: String(error) });
      settle();
    });
    return watched;
  }

  async #run(watched: Watched, settle: () => void): Promise<void> {
    const { cluster, clock } = this.#options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const served = await cluster.servedKind(watched.kind);
      if (served === undefined) {
        watched.state = 'notServed';
        settle();
        await clock.sleep(notServedRetryMs, signal);
        continue;
      }
      const probe = await cluster.list(watched.kind, watched.options, signal);
      if (probe.type === 'refused') {
        watched.state = 'refused';
        watched.refusal = probe.refusal;
        settle();
        return;
      }
      this.#replace(watched, probe.value);
      watched.state = 'synced';
      settle();
      await cluster.watch(watched.kind, watched.options, (event) => this.#take(watched, event), signal);
    }
  }

  #take(watched: Watched, event: WatchEvent): void {
    const { onObject } = this.#options;
    if (event.type === 'changed') onObject?.(event.object);
    if (event.type === 'synced') for (const object of event.objects) onObject?.(object);
    switch (event.type) {
      case 'synced':
        this.#replace(watched, event.objects);
        watched.state = 'synced';
        return;
      case 'changed':
        watched.objects.set(refKey(refOf(event.object)), event.object);
        return this.#note([refOf(event.object)]);
      case 'deleted':
        watched.objects.delete(refKey(refOf(event.object)));
        return this.#note([refOf(event.object)]);
      case 'interrupted':
        watched.state = 'interrupted';
        this.#options.log.debug('watch interrupted', { kind: watched.kind.kind, message: event.message });
        return;
    }
  }

  #replace(watched: Watched, objects: readonly KubeObject[]): void {
    const before = watched.objects;
    watched.objects = new Map(objects.map((object) => [refKey(refOf(object)), object]));
    const gone = [...before].filter(([key]) => !watched.objects.has(key)).map(([, object]) => refOf(object));
    const changed = objects.filter((object) => {
      const known = before.get(refKey(refOf(object)));
      return known?.metadata.resourceVersion !== object.metadata.resourceVersion;
    });
    this.#note([...gone, ...changed.map(refOf)]);
  }

  #note(refs: readonly ObjectRef[]): void {
    if (refs.length > 0) for (const listener of [...this.#listeners]) listener(refs);
    for (const ref of refs) {
      const key = refKey(ref);
      for (const listener of [...(this.#followers.get(key) ?? [])]) listener(ref);
      this.#changed.set(key, ref);
    }
    if (this.#notifying || this.#changed.size === 0) return;
    this.#notifying = true;
    setImmediate(() => {
      this.#notifying = false;
      const changed = [...this.#changed.values()];
      this.#changed = new Map();
      if (!this.#abort.signal.aborted) this.#options.onChange(changed);
    });
  }
}

function watchKey(kind: Kind, options: ListOptions): string {
  return [
    kind.group,
    kind.version,
    kind.kind,
    options.namespace ?? '',
    options.labelSelector ?? '',
    options.fieldSelector ?? '',
  ].join('|');
}
