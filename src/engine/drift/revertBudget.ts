/** What to do about an object that drifted. */
export type RevertDecision =
  | { readonly type: 'revert' }
  | { readonly type: 'later'; readonly delayMs: number }
  /** Somebody changes it again each time: two managers would fight without end. */
  | { readonly type: 'stop' };

const pauseMs = 60_000;
const windowMs = 10 * 60_000;
const mostReverts = 3;

/** How often drift is reverted at once: each object at most once a minute, and three times in ten minutes at most. */
export class RevertBudget {
  readonly #reverts = new Map<string, readonly number[]>();

  decide(key: string, now: number): RevertDecision {
    const recent = (this.#reverts.get(key) ?? []).filter((at) => now - at < windowMs);
    this.#reverts.set(key, recent);
    if (recent.length >= mostReverts) return { type: 'stop' };
    const last = recent.at(-1);
    if (last === undefined || now - last >= pauseMs) return { type: 'revert' };
    return { type: 'later', delayMs: pauseMs - (now - last) };
  }

  reverted(key: string, now: number): void {
    this.#reverts.set(key, [...(this.#reverts.get(key) ?? []), now]);
  }
}
