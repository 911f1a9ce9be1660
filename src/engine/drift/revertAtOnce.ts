import type { Logger } from '../../base/logger.ts';
import { asPlumbError } from '../../base/plumbError.ts';
import { inventoryOf } from '../../flux/kustomization.ts';
import { formatRef, type ObjectRef, refKey } from '../../kube/object.ts';
import type { Change } from '../../ssa/plan.ts';
import type { Clock } from '../../ssa/runContext.ts';
import type { WorkloadPlan } from '../plans/planWorkload.ts';
import { driftedIn } from './driftedObjects.ts';
import { RevertBudget } from './revertBudget.ts';

export interface RevertAtOnceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Plans what a run of the workload would do. */
  readonly plan: (ref: ObjectRef) => Promise<WorkloadPlan>;
  readonly reconcile: (ref: ObjectRef) => Promise<unknown>;
  /** Called when it gives up on a workload: the user decides who is right. */
  readonly onStopped: (ref: ObjectRef, object: ObjectRef, manager: string) => void;
}

const ownManager = 'kustomize-controller';

/** Reverts the drift of some workloads as soon as it is seen, within a budget, where the interval would do it later. */
export class RevertAtOnce {
  readonly #options: RevertAtOnceOptions;
  readonly #workloads = new Map<string, ObjectRef>();
  readonly #budget = new RevertBudget();
  readonly #again = new Set<string>();
  readonly #closing = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();

  constructor(options: RevertAtOnceOptions) {
    this.#options = options;
  }

  isOn(ref: ObjectRef): boolean {
    return this.#workloads.has(refKey(ref));
  }

  start(ref: ObjectRef): void {
    this.#workloads.set(refKey(ref), ref);
    this.#look(ref);
  }

  stop(ref: ObjectRef): void {
    this.#workloads.delete(refKey(ref));
  }

  /** Reverts nothing any more; what waits ends. */
  close(): void {
    this.#workloads.clear();
    this.#closing.abort();
  }

  /** Something in the cluster changed; what it belongs to is found out by looking. */
  changed(): void {
    for (const ref of this.#workloads.values()) this.#look(ref);
  }

  /** One look at a workload at a time; changes that come meanwhile make it look once more. */
  #look(ref: ObjectRef): void {
    const key = refKey(ref);
    if (this.#busy.has(key)) {
      this.#again.add(key);
      return;
    }
    const work = this.#revert(ref)
      .catch((error: unknown) => {
        if (asPlumbError(error).kind !== 'cancelled' && !this.#closing.signal.aborted)
          this.#options.log.warn('drift not reverted', { ref: formatRef(ref), error: String(error) });
      })
      .finally(() => {
        this.#busy.delete(key);
        if (this.#again.delete(key) && this.isOn(ref)) this.#look(ref);
      });
    this.#busy.set(key, work);
  }

  async #revert(ref: ObjectRef): Promise<void> {
    const { clock, plan, reconcile, onStopped } = this.#options;
    const planned = await plan(ref);
    const { kustomization, artifact } = planned;
    // Something new to apply is not drift: the run that applies it comes by itself.
    if (kustomization.status?.lastAppliedRevision !== artifact.revision) return;
    const drifted = driftedIn(planned.plan.changes, inventoryOf(kustomization), true);
    if (drifted.size === 0 || !this.isOn(ref)) return;
    const decisions = [...drifted].map((key) => ({ key, ...this.#budget.decide(key, clock.now()) }));
    const stopped = decisions.find(({ type }) => type === 'stop');
    if (stopped !== undefined) {
      const change = planned.plan.changes.find((each) => refKey(each.ref) === stopped.key);
      this.stop(ref);
      onStopped(ref, change?.ref ?? ref, change === undefined ? 'unknown' : otherManagerOf(change));
      return;
    }
    const delays = decisions.map((decision) => (decision.type === 'later' ? decision.delayMs : 0));
    const delayMs = Math.max(...delays);
    if (delayMs > 0) {
      await clock.sleep(delayMs, this.#closing.signal);
      this.#again.add(refKey(ref));
      return;
    }
    for (const { key } of decisions) this.#budget.reverted(key, clock.now());
    await reconcile(ref);
  }
}

/** Who set what drifted, as far as the server recorded it: an object that is gone has nobody's name. */
function otherManagerOf({ fields }: Change): string {
  const owners = fields.flatMap((field) => field.owners).filter(({ manager }) => manager !== ownManager);
  const latest = owners.reduce<(typeof owners)[number] | undefined>(
    (best, owner) => (best === undefined || (owner.time ?? '') > (best.time ?? '') ? owner : best),
    undefined,
  );
  return latest?.manager ?? 'unknown';
}
