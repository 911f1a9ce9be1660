import { asPlumbError, PlumbError } from '../base/plumbError.ts';
import type { RunContext } from './runContext.ts';

/**
 * Runs one step of a controller: reports its start and end, checks for cancellation and gives its failure the
 * condition reason, unless it already has one.
 */
export async function stage<T>(ctx: RunContext, reason: string, work: () => Promise<T> | T): Promise<T> {
  ctx.signal.throwIfAborted();
  const started = ctx.clock.now();
  const finished = (failed: boolean): void =>
    ctx.onStage?.({ type: 'finished', stage: reason, elapsedMs: ctx.clock.now() - started, failed });
  ctx.onStage?.({ type: 'started', stage: reason });
  try {
    const value = await work();
    finished(false);
    return value;
  } catch (error) {
    finished(true);
    throw withReason(asPlumbError(error), reason);
  }
}

function withReason(error: PlumbError, reason: string): PlumbError {
  if (error.details.reason !== undefined || error.kind === 'cancelled') return error;
  return new PlumbError(error.code, { ...error.details, reason, cause: error.details.cause ?? error });
}
