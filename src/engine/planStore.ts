import { randomUUID } from 'node:crypto';
import { plumbError } from '../base/plumbError.ts';

const keptPlans = 16;

/** Plans by id: what was shown to the user, and what the engine keeps behind it. Each is used once; old ones are forgotten. */
export class PlanStore<T> {
  readonly #plans = new Map<string, T>();

  /** Keeps what `make` builds for a new id. */
  add(make: (id: string) => T): T {
    const id = randomUUID();
    const plan = make(id);
    this.#plans.set(id, plan);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > keptPlans && oldest !== undefined) this.#plans.delete(oldest);
    return plan;
  }

  /** Takes the plan out. Throws PlanOutdated for an id that is unknown or was used. */
  take(id: string): T {
    const plan = this.#plans.get(id);
    this.#plans.delete(id);
    if (plan !== undefined) return plan;
    throw plumbError('PlanOutdated', {
      message: `plan ${id} is unknown: it was used, or the engine was restarted`,
      hint: 'plan again and approve the new plan',
    });
  }
}
