import { hostname } from 'node:os';
import { plumbError } from '../../base/plumbError.ts';
import type { Answer, ClusterClient } from '../../clients/cluster/clusterClient.ts';
import type { Clock } from '../../ssa/runContext.ts';
import { leaseRef, liveInOtherInstallations } from './installation.ts';
import type { LeaseTarget } from './leaseNames.ts';
import { leaseSpecOf, occupied, plumbHolderPrefix } from './liveness.ts';

/** Upstream's timing (contract 0.11). */
const leaseDurationMs = 35_000;
const renewDeadlineMs = 30_000;
const retryPeriodMs = 5_000;
const missedDeadline = 'the Leases were not renewed in time, as after a sleep';

export interface LeaseHolderOptions {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  /** Milliseconds that never jump and, unlike the wall clock, may stand still while the machine sleeps. */
  readonly monotonicMs: () => number;
  readonly identity: string;
  /** Called once when the Leases are no longer ours; the engine stops writing. */
  readonly onLost: (why: string) => void;
}

/** An identity for this process: `plumb_<host>_<random>`. */
export function newHolderIdentity(random: string): string {
  return `${plumbHolderPrefix}${hostname()}_${random}`;
}

/** All Leases of an installation, held together or not at all, renewed until released or lost. */
export class LeaseHolder {
  readonly #options: LeaseHolderOptions;
  readonly #abort = new AbortController();
  #targets: readonly LeaseTarget[] = [];
  #renewedWallMs = 0;
  #renewedMonotonicMs = 0;
  #state: 'idle' | 'held' | 'over' = 'idle';
  #renewing: Promise<void> = Promise.resolve();
  #releasing: Promise<void> | undefined;

  private constructor(options: LeaseHolderOptions) {
    this.#options = options;
  }

  /** Takes every Lease or none. Throws ModeForbids naming who holds one that is being renewed, here or in another installation. */
  static async acquire(
    options: LeaseHolderOptions,
    targets: readonly LeaseTarget[],
    signal: AbortSignal,
  ): Promise<LeaseHolder> {
    const holder = new LeaseHolder(options);
    const taken: LeaseTarget[] = [];
    try {
      for (const target of targets) {
        signal.throwIfAborted();
        await holder.#take(target, signal);
        taken.push(target);
      }
      // Two installations have no Lease in common: of two that start at once, one at least sees the other's by now.
      const live = await liveInOtherInstallations(options.cluster, targets, signal);
      if (live.length > 0) throw occupied(options.cluster.server, live);
    } catch (error) {
      for (const target of taken) await holder.#giveUp(target);
      throw error;
    }
    holder.#targets = targets;
    holder.#markRenewed();
    holder.#state = 'held';
    holder.#renewing = holder.#keepRenewing();
    return holder;
  }

  get identity(): string {
    return this.#options.identity;
  }

  /** True while a write is allowed: held, and renewed within the deadline on both clocks (a laptop sleeps). Checked before every write. */
  mayWrite(): boolean {
    if (this.#state !== 'held') return false;
    const wall = this.#options.clock.now() - this.#renewedWallMs;
    const monotonic = this.#options.monotonicMs() - this.#renewedMonotonicMs;
    return wall <= renewDeadlineMs && monotonic <= renewDeadlineMs;
  }

  /** True while a write is allowed; the Leases are over at the first answer that is not. */
  stillHeld(): boolean {
    if (this.mayWrite()) return true;
    this.#lose(missedDeadline);
    return false;
  }

  /** Gives every Lease up as the controllers do: holder '', duration 1 s. What another took stays theirs. */
  release(): Promise<void> {
    this.#state = 'over';
    this.#abort.abort();
    this.#releasing ??= this.#renewing.then(async () => {
      await Promise.all(this.#targets.map((target) => this.#giveUp(target)));
    });
    return this.#releasing;
  }

  async #keepRenewing(): Promise<void> {
    while (this.#state === 'held') {
      try {
        await this.#options.clock.sleep(retryPeriodMs, this.#abort.signal);
      } catch {
        return; // Released: the sleep was aborted.
      }
      await this.#renewOnce();
    }
  }

  async #renewOnce(): Promise<void> {
    // After a sleep nobody knows who reconciled meanwhile, even when the Leases still carry our name.
    if (!this.stillHeld()) return;
    try {
      await Promise.all(this.#targets.map((target) => this.#renew(target)));
      this.#markRenewed();
    } catch (error) {
      // One failed renewal is nothing; the deadline decides.
      if (!this.mayWrite())
        this.#lose(
          `the Leases could not be renewed: ${error instanceof Error ? error.message : String(error)}`,
        );
    }
  }

  async #renew(target: LeaseTarget): Promise<void> {
    const lease = await this.#read(target);
    if (lease?.holder !== this.#options.identity) {
      this.#lose(
        `${target.leaseName} was taken by ${lease?.holder === undefined || lease.holder === '' ? 'somebody' : lease.holder}`,
      );
      return;
    }
    requireOk(target, await this.#write(target, { renewTime: this.#now() }, lease.resourceVersion));
  }

  async #take(target: LeaseTarget, signal: AbortSignal): Promise<void> {
    const { cluster, identity } = this.#options;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: leaseDurationMs / 1000,
      acquireTime: this.#now(),
      renewTime: this.#now(),
    };
    const lease = await this.#read(target);
    if (lease === undefined) {
      const { namespace, name } = leaseRef(target);
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: namespace ?? '' },
        spec: { ...spec, leaseTransitions: 0 },
      };
      requireOk(target, await cluster.create(body, { fieldManager: 'plumb' }, signal));
      return;
    }
    const serverNow = cluster.serverTime()?.getTime() ?? this.#options.clock.now();
    if (
      lease.holder !== '' &&
      lease.holder !== identity &&
      lease.renewTimeMs + lease.durationSeconds * 1000 > serverNow
    ) {
      throw plumbError('ModeForbids', {
        subject: `Lease/${target.namespace}/${target.leaseName}`,
        message: `held by ${lease.holder}, which is renewing it`,
        hint: 'only one reconciler may run: scale the Flux controllers to zero or stop the other Plumb first',
      });
    }
    requireOk(
      target,
      await this.#write(target, { ...spec, leaseTransitions: lease.transitions + 1 }, lease.resourceVersion),
    );
  }

  async #giveUp(target: LeaseTarget): Promise<void> {
    try {
      const lease = await this.#read(target);
      if (lease?.holder !== this.#options.identity) return;
      await this.#write(
        target,
        { holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() },
        lease.resourceVersion,
      );
    } catch {
      // A cluster that cannot be reached lets the Lease run out by itself within 35 s.
    }
  }

  async #read(target: LeaseTarget) {
    const answer = await this.#options.cluster.get(leaseRef(target));
    if (answer.type === 'refused') {
      if (answer.refusal.httpStatus === 404) return undefined;
      return requireOk(target, answer);
    }
    const spec = answer.value['spec'] as { leaseTransitions?: number } | undefined;
    return {
      ...leaseSpecOf(answer.value),
      transitions: spec?.leaseTransitions ?? 0,
      resourceVersion: answer.value.metadata.resourceVersion ?? '',
    };
  }

  #write(
    target: LeaseTarget,
    spec: Readonly<Record<string, string | number>>,
    resourceVersion: string,
  ): Promise<Answer> {
    const body = { metadata: { resourceVersion }, spec };
    return this.#options.cluster.patch(leaseRef(target), body, { type: 'merge', fieldManager: 'plumb' });
  }

  #markRenewed(): void {
    this.#renewedWallMs = this.#options.clock.now();
    this.#renewedMonotonicMs = this.#options.monotonicMs();
  }

  #lose(why: string): void {
    if (this.#state !== 'held') return;
    this.#state = 'over';
    this.#abort.abort();
    this.#options.onLost(why);
  }

  /** MicroTime at the server's clock, so that a skewed laptop neither loses nor hogs a Lease. */
  #now(): string {
    const time = this.#options.cluster.serverTime() ?? new Date(this.#options.clock.now());
    return time.toISOString().replace('Z', '000Z');
  }
}

function requireOk(target: LeaseTarget, answer: Answer): undefined {
  if (answer.type === 'ok') return undefined;
  const { reason, message } = answer.refusal;
  const missingNamespace = reason === 'NotFound';
  throw plumbError(reason === 'Conflict' ? 'LeaseLost' : missingNamespace ? 'NotFound' : 'AccessDenied', {
    subject: `Lease/${target.namespace}/${target.leaseName}`,
    message: `cannot be written (${reason}): ${message}`,
    hint: missingNamespace
      ? `namespace ${target.namespace} does not exist: run plumb install or plumb bootstrap first`
      : 'local mode needs the rights to get, create and patch Leases in that namespace',
  });
}
