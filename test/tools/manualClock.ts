import type { Clock } from '../../src/ssa/runContext.ts';

/** A clock that moves only when told: `advance` wakes what is due, in order, `sleepUntil` all at once and late, as a laptop does. */
export function manualClock(
  start = 0,
): Clock & { advance(ms: number): Promise<void>; sleepUntil(ms: number): void; sleeping(): number } {
  let now = start;
  let sleepers: { readonly due: number; readonly wake: () => void }[] = [];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { due: now + ms, wake: resolve };
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason as Error);
        });
        if (signal?.aborted === true) reject(signal.reason as Error);
        else sleepers.push(sleeper);
      }),
    sleeping: () => sleepers.length,
    sleepUntil(ms) {
      now += ms;
      for (const { wake } of sleepers.splice(0)) wake();
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const next = sleepers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        now = next.due;
        sleepers = sleepers.filter((other) => other !== next);
        next.wake();
      }
      now = end;
      await settle();
    },
  };
}
