import { formatDuration, type DurationMs } from '../../base/duration.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { Answer, ClusterClient } from '../../clients/cluster/clusterClient.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import type { Clock } from '../../ssa/runContext.ts';
import {
  handledToken,
  plumbManager,
  readFluxObject,
  requestedAtAnnotation,
  requireWritten,
} from '../fluxCommands.ts';
import type { WritePermit } from '../guardedClient.ts';
import { isSuspended } from '../tree/syncState.ts';
import { overrideRecordOf, recordAnnotations, type OverrideRecord } from './overrideRecord.ts';

export interface OverrideOptions {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly ref: ObjectRef;
  readonly by: string;
  readonly where: string;
  readonly log: Logger;
  /** Called when it ends without being asked to. */
  readonly onEnded: (why: string) => void;
}

export interface Handshake {
  /** The object as the user saw it. */
  readonly shown: KubeObject;
  /** False: there is no running reconcile to wait for. */
  readonly isAnybodyLive: boolean;
  /** How long the running reconcile may take to end. */
  readonly patience: DurationMs;
}

/** A live override moves its end on by this; what lies in the past is of a process that is gone. */
const lifeMs = 15 * 60_000;
const renewMs = 5 * 60_000;
const tries = 5;

/**
 * Stands in for the controller of one object: suspended by handshake, watched while it lasts, restored at the end
 * (architecture, section 6).
 */
export class Override {
  readonly #options: OverrideOptions;
  readonly #record: OverrideRecord;
  readonly #over = new AbortController();
  #ended: PlumbError | undefined;
  /** The object's generation before and since it was suspended. */
  readonly generations: { readonly before: number | undefined; readonly since: number | undefined };

  private constructor(
    options: OverrideOptions,
    record: OverrideRecord,
    generations: Override['generations'],
  ) {
    this.#options = options;
    this.#record = record;
    this.generations = generations;
  }

  /** In local mode nobody else reconciles the object: nothing of it is written. */
  static beside(options: OverrideOptions): Override {
    const record = { by: options.by, where: options.where, since: '', until: '' };
    return new Override(options, record, { before: undefined, since: undefined });
  }

  /**
   * Suspends the object and asks for a reconcile in one patch, then waits until the controllers have answered: their running
   * reconcile has ended by then. Throws PlanOutdated when the object changed since it was shown, ModeForbids when nobody answers;
   * a wait that fails or is cancelled restores what was before.
   */
  static async start(options: OverrideOptions, handshake: Handshake, signal: AbortSignal): Promise<Override> {
    const { cluster, clock, ref, by, where } = options;
    const { shown, isAnybodyLive, patience } = handshake;
    const now = clock.now();
    const token = new Date(now).toISOString();
    // What a Plumb that is gone left behind is not what was there before.
    const left = overrideRecordOf(shown);
    const previousSuspend = left === undefined ? suspendOf(shown) : left.previousSuspend;
    const record: OverrideRecord = {
      by,
      where,
      since: token,
      until: new Date(now + lifeMs).toISOString(),
      ...(previousSuspend !== undefined && { previousSuspend }),
    };
    const annotations = { ...recordAnnotations(record), [requestedAtAnnotation]: token };
    const suspended = await patchLatest(cluster, ref, signal, (live) => {
      const isShown =
        live.metadata.uid === shown.metadata.uid && live.metadata.generation === shown.metadata.generation;
      if (isShown) return { metadata: { annotations }, spec: { suspend: true } };
      throw plumbError('PlanOutdated', {
        subject: formatRef(ref),
        message: 'the object changed since the override was shown',
        hint: 'look at it again, then start the override anew',
      });
    });
    const generations = { before: shown.metadata.generation, since: suspended.metadata.generation };
    const override = new Override(options, record, generations);
    const answered = Promise.withResolvers<undefined>();
    override.#follow((object) => {
      if (!isAnybodyLive || handledToken(object) === token) answered.resolve(undefined);
    });
    const over = new AbortController();
    const waiting = AbortSignal.any([signal, override.#over.signal, over.signal]);
    try {
      await Promise.race([answered.promise, unanswered(clock, ref, patience, waiting)]);
    } catch (error) {
      await override.end();
      throw error;
    } finally {
      over.abort();
    }
    void override.#keepAlive();
    return override;
  }

  /** The right to write what the object stands for, while it is overridden. */
  readonly permit: WritePermit = {
    require: () => {
      if (this.#ended !== undefined) throw this.#ended;
    },
    own: (_ref, write) => write(),
  };

  /** Stops writing and restores spec.suspend. What somebody else has made of the object meanwhile stays. */
  async end(): Promise<void> {
    const wasOpen = this.#stop('it was ended');
    const { cluster, ref } = this.#options;
    const live = await cluster.get(ref);
    if (live.type === 'refused' || overrideRecordOf(live.value)?.where !== this.#record.where) return;
    await restore(cluster, ref, wasOpen && isSuspended(live.value));
  }

  /** Stops writing, without a word to the cluster. */
  close(why: string): void {
    if (this.#stop(why)) this.#options.onEnded(why);
  }

  /** Ends at once when the suspend is gone or the object is to be deleted: its controller works again, or nobody may. */
  #follow(onObject: (object: KubeObject) => void): void {
    const { cluster, ref } = this.#options;
    const { name, namespace } = ref;
    const look = (object: KubeObject): void => {
      if (object.metadata.deletionTimestamp !== undefined) this.close('its deletion was requested');
      else if (!isSuspended(object)) {
        this.close('somebody resumed it, as a parent does whose Git says so');
        this.#forget();
      } else onObject(object);
    };
    const options = { fieldSelector: `metadata.name=${name}`, ...(namespace !== undefined && { namespace }) };
    const watching = cluster.watch(
      ref,
      options,
      (event) => {
        if (event.type === 'changed') look(event.object);
        if (event.type === 'synced') event.objects.forEach(look);
        if (event.type === 'deleted' || (event.type === 'synced' && event.objects.length === 0))
          this.close('it was deleted');
      },
      this.#over.signal,
    );
    watching.catch((error: unknown) => this.close(`it can no longer be watched: ${String(error)}`));
  }

  /** Takes the record off an object that its controller reconciles again; its spec is no longer ours. */
  #forget(): void {
    const { ref, log } = this.#options;
    this.end().catch((error: unknown) =>
      log.warn('the record of an override stays', { ref: formatRef(ref), error: String(error) }),
    );
  }

  async #keepAlive(): Promise<void> {
    const { cluster, clock, ref } = this.#options;
    for (;;) {
      try {
        await clock.sleep(renewMs, this.#over.signal);
      } catch {
        return; // Ended: the sleep was aborted.
      }
      const until = new Date(clock.now() + lifeMs).toISOString();
      const body = { metadata: { annotations: recordAnnotations({ ...this.#record, until }) } };
      try {
        const options = { type: 'merge', fieldManager: plumbManager } as const;
        requireWritten(ref, 'kept overridden', await cluster.patch(ref, body, options));
      } catch (error) {
        this.close(`it can no longer be kept: ${String(error)}`);
      }
    }
  }

  #stop(why: string): boolean {
    if (this.#ended !== undefined) return false;
    this.#ended = plumbError('PlanOutdated', {
      subject: formatRef(this.#options.ref),
      message: `the override is over: ${why}`,
      hint: 'nothing more was written; start it again if it is still needed',
    });
    this.#over.abort(this.#ended);
    return true;
  }
}

/** Takes the record away and, where asked, sets spec.suspend as the record says it was. */
export async function restore(cluster: ClusterClient, ref: ObjectRef, withSuspend: boolean): Promise<void> {
  await patchLatest(cluster, ref, undefined, (live) => {
    const record = overrideRecordOf(live);
    if (record === undefined) return undefined;
    return {
      metadata: { annotations: recordAnnotations(undefined) },
      ...(withSuspend && { spec: { suspend: record.previousSuspend ?? null } }),
    };
  });
}

function suspendOf(object: KubeObject): boolean | undefined {
  const { suspend } = object['spec'] as { readonly suspend?: boolean };
  return suspend;
}

/** A patch of the object as it is, made anew when somebody got in between: controllers write its status all the time. */
async function patchLatest(
  cluster: ClusterClient,
  ref: ObjectRef,
  signal: AbortSignal | undefined,
  make: (live: KubeObject) => JsonObject | undefined,
): Promise<KubeObject> {
  for (let turn = 1; ; turn++) {
    const live = await readFluxObject(cluster, ref, signal);
    const body = make(live);
    if (body === undefined) return live;
    const resourceVersion = live.metadata.resourceVersion ?? null;
    const locked = { ...body, metadata: { ...(body['metadata'] as JsonObject), resourceVersion } };
    const answer: Answer = await cluster.patch(
      ref,
      locked,
      { type: 'merge', fieldManager: plumbManager },
      signal,
    );
    const isConflict = answer.type === 'refused' && answer.refusal.httpStatus === 409;
    if (!isConflict || turn === tries) return requireWritten(ref, 'overridden', answer);
  }
}

/** Fails when the signal aborts, or after the time a controller may need to answer. */
async function unanswered(
  clock: Clock,
  ref: ObjectRef,
  patience: DurationMs,
  signal: AbortSignal,
): Promise<never> {
  await clock.sleep(patience, signal).catch(() => signal.throwIfAborted());
  throw plumbError('ModeForbids', {
    subject: formatRef(ref),
    message: `no controller answered within ${formatDuration(patience)}, so it may still be reconciling`,
    hint: 'look at the controllers; nothing was written and the object is as it was',
  });
}
