import type { DurationMs } from '../base/duration.ts';
import { plumbError } from '../base/plumbError.ts';
import { formatRef, refKey, type ObjectRef } from '../kube/object.ts';
import { followerOn } from './followObjects.ts';
import type { RunContext } from './runContext.ts';

/**
 * Waits until none of the objects is there any more, parked on watches. Read-only.
 * Throws HealthCheckFailed naming those that are left when the timeout ends.
 */
export async function waitUntilGone(
  ctx: RunContext,
  refs: readonly ObjectRef[],
  timeout: DurationMs,
): Promise<void> {
  const park = ctx.park ?? (<T>(wait: () => Promise<T>) => wait());
  const kinds = await Promise.all(refs.map((ref) => ctx.cluster.servedKind(ref)));
  // Objects of a kind that is no longer served are gone with it.
  const served = refs.filter((_, index) => kinds[index] !== undefined);
  if (served.length === 0) return;
  const left = new Map(served.map((ref) => [refKey(ref), ref]));
  await park(() => followUntilGone(ctx, served, left, timeout));
  ctx.signal.throwIfAborted();
  if (left.size === 0) return;
  throw plumbError('HealthCheckFailed', {
    message: `timeout waiting for the end of: [${[...left.values()].map(formatRef).join(', ')}]`,
    hint: 'look for finalizers on the objects that are left',
  });
}

async function followUntilGone(
  ctx: RunContext,
  refs: readonly ObjectRef[],
  left: Map<string, ObjectRef>,
  timeout: DurationMs,
): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([ctx.signal, done.signal]);
  const timer = ctx.clock.sleep(timeout, signal).then(
    () => done.abort(),
    () => undefined, // Decided or cancelled before.
  );
  const follower = ctx.follower ?? followerOn(ctx.cluster);
  try {
    await follower.follow(
      refs,
      (ref, object) => {
        if (object === undefined) left.delete(refKey(ref));
        else left.set(refKey(ref), ref);
        if (left.size === 0) done.abort();
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    done.abort();
    await timer;
  }
}
