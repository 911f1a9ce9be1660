const windowMs = 5 * 60_000;
const maximumRestarts = 3;
const firstDelayMs = 500;

/**
 * How long to wait before the engine is started again after it ended by itself, or undefined to give up:
 * at most three times in five minutes, waiting longer each time. `ends` holds the times it ended, oldest first.
 */
export function restartDelayMs(ends: readonly number[], now: number): number | undefined {
  const recent = ends.filter((end) => now - end < windowMs).length;
  if (recent > maximumRestarts) return undefined;
  return firstDelayMs * 4 ** Math.max(0, recent - 1);
}
