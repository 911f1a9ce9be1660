import { refKey, type ObjectRef } from '../../kube/object.ts';
import type { Action, ChangeSet, Inventory } from '../../ssa/plan.ts';
import type { KustomizationRun } from './kustomizationRun.ts';

/**
 * Keeps status.inventory true to the cluster through a run, so that a kill at any point leaves no orphan:
 * the union is written before each stage's first write, and narrowed when the run ends, however it ends.
 */
export class InventoryKeeper {
  readonly #run: KustomizationRun;
  /** What the status recorded when the run began. */
  readonly recorded: Inventory;
  readonly #union = new Map<string, ObjectRef>();
  readonly #applied = new Map<string, { readonly ref: ObjectRef; readonly action: Action }>();
  readonly #settled = new Set<string>();

  constructor(run: KustomizationRun) {
    this.#run = run;
    this.recorded = run.inventory;
    for (const ref of this.recorded) this.#union.set(refKey(ref), ref);
  }

  /** Records objects that are about to be written; nothing is sent when they are recorded already. */
  readonly beforeStage = async (refs: readonly ObjectRef[]): Promise<void> => {
    const added = refs.filter((ref) => !this.#union.has(refKey(ref)));
    if (added.length === 0) return;
    for (const ref of added) this.#union.set(refKey(ref), ref);
    this.#run.setInventory([...this.#union.values()]);
    await this.#run.flush();
  };

  /** Takes note of what was done to an object. */
  readonly changed = (ref: ObjectRef, action: Action): void => {
    this.#applied.set(refKey(ref), { ref, action });
  };

  /** What was done to the objects so far, in that order. */
  get applied(): ChangeSet {
    return [...this.#applied.values()];
  }

  /** Takes note that a stale object needs no more care: it is gone, or left alone on purpose. */
  readonly settled = (ref: ObjectRef): void => {
    this.#settled.add(refKey(ref));
  };

  /** Writes the inventory without what is settled by now, and nothing else. */
  async recordSettled(): Promise<void> {
    this.#run.setInventory(this.#run.inventory.filter((ref) => !this.#settled.has(refKey(ref))));
    await this.#run.flushInventory();
  }

  /** The inventory after a complete apply: what was applied, in apply order, and stale objects whose end is not sure. */
  complete(changeSet: ChangeSet, stale: Inventory): void {
    const survivors = stale.filter((ref) => !this.#settled.has(refKey(ref)));
    this.#run.setInventory([...changeSet.map(({ ref }) => ref), ...survivors]);
  }

  /** The inventory after an apply that failed: what was recorded or written, except what prune has settled. */
  narrow(): void {
    const kept = new Map(this.recorded.map((ref) => [refKey(ref), ref]));
    for (const [key, { ref, action }] of this.#applied) if (action !== 'skipped') kept.set(key, ref);
    for (const key of this.#settled) kept.delete(key);
    if (kept.size === 0 && this.#run.status.inventory === undefined) return;
    this.#run.setInventory([...kept.values()]);
  }
}
