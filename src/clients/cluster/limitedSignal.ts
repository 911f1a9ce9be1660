/** A signal with an end of its own. */
export interface LimitedSignal {
  readonly signal: AbortSignal;
  isTimedOut(): boolean;
  /** Ends the timer and lets go of the other signals. */
  dispose(): void;
}

/**
 * A signal that aborts after the time, or as soon as one of the others does; to be disposed of. Every request has one: those of
 * AbortSignal.timeout would live and fire long after their request.
 */
export function limitedBy(timeoutMs: number, ...others: readonly (AbortSignal | undefined)[]): LimitedSignal {
  const controller = new AbortController();
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    controller.abort();
  }, timeoutMs);
  const stop = (): void => controller.abort();
  for (const other of others) {
    if (other?.aborted === true) stop();
    other?.addEventListener('abort', stop, { once: true });
  }
  return {
    signal: controller.signal,
    isTimedOut: () => isTimedOut,
    dispose() {
      clearTimeout(timer);
      for (const other of others) other?.removeEventListener('abort', stop);
    },
  };
}
