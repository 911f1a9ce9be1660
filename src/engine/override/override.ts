import { formatDuration, type DurationMs } from '../../base/duration.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import { isPlumbError, plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { ClusterClient } from '../../clients/cluster/clusterClient.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import type { Clock } from '../../ssa/runContext.ts';
import { handledToken, requestedAtAnnotation } from '../fluxCommands.ts';
import type { WritePermit } from '../guardedClient.ts';
import { isSuspended } from '../tree/syncState.ts';
import { overrideRecordOf, recordAnnotations, type OverrideRecord } from './overrideRecord.ts';
import { patchLatest } from './patchLatest.ts';

export interface OverrideOptions {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
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
/** Writing stops this long before others may take the process for gone. */
const marginMs = 60_000;
const renewMs = 5 * 60_000;
const retryMs = 30_000;

/**
 * Stands in for the controller of one object: suspended by handshake, watched while it lasts, restored at the end
 * (architecture, section 6).
 */
export class Override {
  readonly #options: OverrideOptions;
  /** Absent in local mode, where nothing of it stands on the object. */
  readonly #record: OverrideRecord | undefined;
  readonly #over = new AbortController();
  #ended: PlumbError | undefined;
  #local: WritePermit | undefined;
  /** False once somebody else has decided about spec.suspend, or the object is to be deleted. */
  #restoresSuspend = true;
  #renewedWallMs: number;
  #renewedMonotonicMs: number;
  /** The object's generation before and since it was suspended. */
  readonly generations: { readonly before: number | undefined; readonly since: number | undefined };

  private constructor(
    options: OverrideOptions,
    record: OverrideRecord | undefined,
    generations: Override['generations'],
  ) {
    this.#options = options;
    this.#record = record;
    this.generations = generations;
    this.#renewedWallMs = options.clock.now();
    this.#renewedMonotonicMs = options.monotonicMs();
  }

  get ref(): ObjectRef {
    return this.#options.ref;
  }

  /** Tells whether the object is suspended for it. */
  get suspends(): boolean {
    return this.#record !== undefined;
  }

  /** In local mode nobody else reconciles the object: it stays as it is, and the Leases are the right to write. */
  static beside(options: OverrideOptions, local: WritePermit): Override {
    const override = new Override(options, undefined, { before: undefined, since: undefined });
    override.#local = local;
    return override;
  }

  /**
   * Suspends the object and asks for a reconcile in one patch, then waits until the controllers have answered: their running
   * reconcile has ended by then. Throws PlanOutdated when the object changed since it was shown, ModeForbids when nobody answers;
   * a wait that fails or is cancelled restores what was before.
   */
  static async start(options: OverrideOptions, handshake: Handshake, signal: AbortSignal): Promise<Override> {
    const { cluster, clock, ref, by, where } = options;
    const { shown, isAnybodyLive, patience } = handshake;
    const token = new Date(clock.now()).toISOString();
    const now = serverNow(options);
    // What a Plumb that is gone left behind is not what was there before.
    const left = overrideRecordOf(shown);
    const previousSuspend = left === undefined ? suspendOf(shown) : left.previousSuspend;
    const record: OverrideRecord = {
      by,
      where,
      since: new Date(now).toISOString(),
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
    // The wait may be longer than the life of a record.
    void override.#keepAlive(record);
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
    return override;
  }

  /** The right to write what the object stands for, while it is overridden. After a sleep others may have ended it. */
  readonly permit: WritePermit = {
    require: () => {
      if (!this.#isRenewed()) this.#giveUp('it was not kept in time, as after a sleep');
      if (this.#ended !== undefined) throw this.#ended;
      this.#local?.require();
    },
    own: (ref, write) => this.#local?.own(ref, write) ?? write(),
  };

  /** Stops writing and restores spec.suspend. What somebody else has made of the object meanwhile stays. */
  async end(): Promise<void> {
    this.#stop('it was ended');
    const { cluster, ref } = this.#options;
    const where = this.#record?.where;
    if (where === undefined) return;
    try {
      await patchLatest(cluster, ref, undefined, (live) => {
        const record = overrideRecordOf(live);
        if (record?.where !== where) return undefined;
        return restored(record, this.#restoresSuspend && isSuspended(live));
      });
    } catch (error) {
      // Gone is given back as well.
      if (!isPlumbError(error, 'NotFound')) throw error;
    }
  }

  /** Stops writing, without a word to the cluster. */
  #close(why: string): void {
    if (this.#stop(why)) this.#options.onEnded(why);
  }

  /** Ends at once when the suspend is gone or the object is to be deleted: its controller works again, or nobody may. */
  #follow(onObject: (object: KubeObject) => void): void {
    const { cluster, ref } = this.#options;
    const { name, namespace } = ref;
    const look = (object: KubeObject): void => {
      if (object.metadata.deletionTimestamp !== undefined) {
        this.#restoresSuspend = false;
        this.#close('its deletion was requested');
      } else if (!isSuspended(object)) {
        this.#restoresSuspend = false;
        this.#giveUp('somebody resumed it, as a parent does whose Git says so');
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
          this.#close('it was deleted');
      },
      this.#over.signal,
    );
    watching.catch((error: unknown) => this.#giveUp(`it can no longer be watched: ${String(error)}`));
  }

  /** Stops writing and gives the object back, as far as it is still ours. */
  #giveUp(why: string): void {
    if (this.#ended !== undefined) return;
    this.#close(why);
    const { ref, log } = this.#options;
    this.end().catch((error: unknown) =>
      log.warn('the record of an override stays', { ref: formatRef(ref), error: String(error) }),
    );
  }

  async #keepAlive(record: OverrideRecord): Promise<void> {
    const { clock } = this.#options;
    let pause = renewMs;
    for (;;) {
      try {
        await clock.sleep(pause, this.#over.signal);
      } catch {
        return; // Ended: the sleep was aborted.
      }
      if (!this.#isRenewed()) return this.#giveUp('it was not kept in time, as after a sleep');
      pause = (await this.#renew(record)) ? renewMs : retryMs;
    }
  }

  /** One renewal that fails is nothing; the deadline decides. */
  async #renew(record: OverrideRecord): Promise<boolean> {
    const { clock, monotonicMs, cluster, ref, log } = this.#options;
    const [wall, monotonic] = [clock.now(), monotonicMs()];
    const until = new Date(serverNow(this.#options) + lifeMs).toISOString();
    try {
      const kept = await patchLatest(cluster, ref, this.#over.signal, (live) => {
        if (overrideRecordOf(live)?.where !== record.where) return undefined;
        return { metadata: { annotations: recordAnnotations({ ...record, until }) } };
      });
      if (overrideRecordOf(kept)?.where !== record.where) this.#close('somebody took its record away');
    } catch (error) {
      log.warn('an override could not be kept for now', { ref: formatRef(ref), error: String(error) });
      return false;
    }
    this.#renewedWallMs = wall;
    this.#renewedMonotonicMs = monotonic;
    return true;
  }

  #isRenewed(): boolean {
    if (this.#record === undefined) return true;
    const { clock, monotonicMs } = this.#options;
    const wall = clock.now() - this.#renewedWallMs;
    const monotonic = monotonicMs() - this.#renewedMonotonicMs;
    return Math.max(wall, monotonic) < lifeMs - marginMs;
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
    return record === undefined ? undefined : restored(record, withSuspend);
  });
}

function restored({ previousSuspend }: OverrideRecord, withSuspend: boolean): JsonObject {
  return {
    metadata: { annotations: recordAnnotations(undefined) },
    ...(withSuspend && { spec: { suspend: previousSuspend ?? null } }),
  };
}

/** Other Plumbs compare with the server's clock; a laptop's may be wrong by hours. */
function serverNow({ cluster, clock }: OverrideOptions): number {
  return cluster.serverTime()?.getTime() ?? clock.now();
}

function suspendOf(object: KubeObject): boolean | undefined {
  const { suspend } = object['spec'] as { readonly suspend?: boolean };
  return suspend;
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
