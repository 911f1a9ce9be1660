import { plumbError } from '../base/plumbError.ts';
import { formatRef, refOf, type KubeObject } from '../kube/object.ts';
import { refusedError } from './refusals.ts';
import type { RunContext } from './runContext.ts';

const goneTimeoutMs = 5 * 60_000;
const firstPauseMs = 100;
const longestPauseMs = 2000;

/**
 * Deletes exactly this object in the background and waits until it is gone; one of the same name that is not it counts as gone.
 * Throws ReconciliationFailed when a finalizer holds it for five minutes, Cancelled when the run is.
 */
export async function deleteAndWait(ctx: RunContext, object: KubeObject): Promise<void> {
  const ref = refOf(object);
  const { uid } = object.metadata;
  const deleted = await ctx.cluster.delete(ref, {
    propagationPolicy: 'Background',
    preconditions: { ...(uid !== undefined && { uid }) },
  });
  if (deleted.type === 'refused' && deleted.refusal.httpStatus !== 404)
    throw refusedError(
      ref,
      `${formatRef(ref)} immutable field detected, failed to delete object: ${deleted.refusal.message}`,
      deleted.refusal,
    );
  const until = ctx.clock.now() + goneTimeoutMs;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    const answer = await ctx.cluster.get(ref, ctx.signal);
    if (answer.type === 'refused' && answer.refusal.httpStatus === 404) return;
    if (answer.type === 'ok' && answer.value.metadata.uid !== uid) return;
    if (ctx.clock.now() >= until)
      throw plumbError('ReconciliationFailed', {
        message: `${formatRef(ref)} immutable field detected, failed to wait for object to be deleted: still there after 5 minutes`,
        hint: `see which finalizer holds it: ${(object.metadata.finalizers ?? []).join(', ')}`,
      });
    await ctx.clock.sleep(pause, ctx.signal);
  }
}
