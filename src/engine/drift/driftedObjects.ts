import type { Logger } from '../../base/logger.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import { formatRef, type ObjectRef, refKey } from '../../kube/object.ts';
import type { Change } from '../../ssa/plan.ts';

export interface DriftedObjectsOptions {
  /** Plans the workload and says which objects left what was last applied, by refKey. */
  readonly find: (ref: ObjectRef, signal: AbortSignal) => Promise<ReadonlySet<string>>;
  /** Called when an answer differs from the one before. */
  readonly onChange: () => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A workload and what its answer depends on: asked again when the fingerprint is another. */
export interface LookedAt {
  readonly ref: ObjectRef;
  readonly fingerprint: string;
}

/**
 * Which objects of each workload drifted, for the trees: found in the background, one workload at a time, and found again when
 * the workload or one of its objects changed. Read-only.
 */
export class DriftedObjects {
  readonly #options: DriftedObjectsOptions;
  readonly #answers = new Map<string, ReadonlySet<string>>();
  readonly #seen = new Map<string, string>();
  readonly #queue = new Map<string, ObjectRef>();
  #working: Promise<void> | undefined;

  constructor(options: DriftedObjectsOptions) {
    this.#options = options;
  }

  /** The drifted objects of the workload by refKey; undefined while it is not known. */
  of(ref: ObjectRef): ReadonlySet<string> | undefined {
    return this.#answers.get(refKey(ref));
  }

  /** Takes note of the workloads as they are; returns at once. */
  review(workloads: readonly LookedAt[]): void {
    for (const { ref, fingerprint } of workloads) {
      const key = refKey(ref);
      if (this.#seen.get(key) === fingerprint) continue;
      this.#seen.set(key, fingerprint);
      this.#queue.set(key, ref);
    }
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** Resolves when nothing is left to find. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async #work(): Promise<void> {
    const { find, onChange, log, signal } = this.#options;
    for (const [key, ref] of this.#queue) {
      this.#queue.delete(key);
      if (signal.aborted) return;
      try {
        const found = await find(ref, signal);
        const before = this.#answers.get(key);
        this.#answers.set(key, found);
        if (before === undefined ? found.size > 0 : !equalSets(before, found)) onChange();
      } catch (error) {
        // A workload that cannot be planned says so where it is planned; here its drift is just not known.
        if (isPlumbError(error, 'Cancelled')) return;
        if (this.#answers.delete(key)) onChange();
        log.debug('drift is not known', { ref: formatRef(ref), error: String(error) });
      }
    }
  }
}

/**
 * The objects of a plan that left what was last applied: changed fields with that cause, or recorded objects that are gone.
 * `isLastApplied` says that the plan was made of the applied revision itself, so that every difference is drift.
 */
export function driftedIn(
  changes: readonly Change[],
  inventory: readonly ObjectRef[],
  isLastApplied: boolean,
): ReadonlySet<string> {
  const recorded = new Set(inventory.map(refKey));
  const drifted = changes.filter(({ ref, action, fields }) => {
    if (action === 'unchanged' || action === 'skipped') return false;
    if (action === 'created') return recorded.has(refKey(ref));
    return isLastApplied || fields.some(({ cause }) => cause === 'drifted' || cause === 'both');
  });
  return new Set(drifted.map(({ ref }) => refKey(ref)));
}

function equalSets(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((key) => right.has(key));
}
