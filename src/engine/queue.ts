import type { DurationMs } from '../base/duration.ts';
import type { Clock } from '../ssa/runContext.ts';
import type { NextRun } from '../ssa/runOutcome.ts';

export interface QueueOptions {
  /** Runs at once; a parked run does not count. */
  readonly slots: number;
  readonly clock: Clock;
  /** One run. Never throws: failures are turned into a NextRun by the caller. */
  readonly run: (key: string, slot: Slot) => Promise<NextRun>;
}

/** Lets a run give its slot back while it only waits (for health, on watches). */
export interface Slot {
  park<T>(wait: () => Promise<T>): Promise<T>;
}

/** 750 ms doubling up to 15 min, as the controllers (contract 0.7). */
const firstBackoffMs = 750;
const longestBackoffMs = 15 * 60_000;

/**
 * A work queue keyed by object: a key runs once at a time, requests that come while it runs make it run once more,
 * at most `slots` run at once. Follows client-go's workqueue, with parking in addition.
 */
export class Queue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, AbortController>();
  readonly #failures = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  readonly #resuming: (() => void)[] = [];
  #busy = 0;
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Runs the key as soon as a slot is free; a later run that was scheduled for it is dropped. */
  enqueue(key: string): void {
    if (this.#stopped) return;
    this.#unschedule(key);
    if (this.#running.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#pump();
  }

  /** Runs the key after the delay unless something enqueues it before. */
  enqueueAfter(key: string, delay: DurationMs): void {
    if (this.#stopped) return;
    this.#unschedule(key);
    const timer = new AbortController();
    this.#timers.set(key, timer);
    this.#options.clock.sleep(delay, timer.signal).then(
      () => {
        if (timer.signal.aborted) return;
        this.#timers.delete(key);
        this.enqueue(key);
      },
      () => undefined, // Aborted: something else decided about this key.
    );
  }

  /** Forgets what is scheduled for the key; a run in progress ends as it does. */
  forget(key: string): void {
    this.#unschedule(key);
    this.#waiting.delete(key);
    this.#again.delete(key);
    this.#failures.delete(key);
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  running(): readonly string[] {
    return [...this.#running];
  }

  /** Takes no more work; resolves when the runs in progress have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const key of [...this.#timers.keys()]) this.#unschedule(key);
    this.#waiting.clear();
    this.#again.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #unschedule(key: string): void {
    this.#timers.get(key)?.abort();
    this.#timers.delete(key);
  }

  #pump(): void {
    while (this.#busy < this.#options.slots) {
      const resume = this.#resuming.shift();
      if (resume !== undefined) {
        this.#busy++;
        resume();
        continue;
      }
      const [key] = this.#waiting;
      if (key === undefined) return;
      this.#waiting.delete(key);
      this.#running.add(key);
      this.#busy++;
      void this.#runOne(key);
    }
  }

  async #runOne(key: string): Promise<void> {
    const next = await this.#options.run(key, { park: (wait) => this.#park(wait) });
    this.#busy--;
    this.#running.delete(key);
    this.#settle(key, next);
    this.#pump();
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #park<T>(wait: () => Promise<T>): Promise<T> {
    this.#busy--;
    this.#pump();
    try {
      return await wait();
    } finally {
      await new Promise<void>((resolve) => {
        this.#resuming.push(resolve);
        this.#pump();
      });
    }
  }

  #settle(key: string, next: NextRun): void {
    if (this.#stopped) return;
    const failures = next.type === 'backoff' ? (this.#failures.get(key) ?? 0) + 1 : 0;
    if (failures > 0) this.#failures.set(key, failures);
    else this.#failures.delete(key);
    if (this.#again.delete(key)) {
      this.#waiting.add(key);
      return;
    }
    if (next.type === 'after') this.enqueueAfter(key, next.delay);
    if (next.type === 'backoff')
      this.enqueueAfter(key, Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1)));
  }
}
