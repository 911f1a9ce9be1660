import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../ssa/runContext.ts';

const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. A sleep rejects with AbortError when the signal fires. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    sleep(Math.min(Math.max(0, ms), longestTimerMs), undefined, signal === undefined ? {} : { signal }),
};
