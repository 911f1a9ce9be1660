import { formatDuration } from '../../base/duration.ts';
import { asPlumbError, plumbError } from '../../base/plumbError.ts';
import { conditionStatus } from '../../flux/conditions.ts';
import { isGateOn } from '../../flux/controllerProfile.ts';
import { timeoutOf } from '../../flux/kustomization.ts';
import { refOf } from '../../kube/object.ts';
import type { ChangeSet } from '../../ssa/plan.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import { waitUntilReady } from '../../ssa/waitUntilReady.ts';
import type { HealthExprs } from './healthExprs.ts';
import { healthTargets } from './healthTargets.ts';
import type { KustomizationRun } from './kustomizationRun.ts';

export interface HealthInput {
  readonly applied: ChangeSet;
  readonly exprs: HealthExprs;
  /** Something was written in this run. */
  readonly hasDrifted: boolean;
}

/**
 * Waits for the health the Kustomization asks for, parked: no slot of the queue is held meanwhile (contract 1.10).
 * Throws HealthCheckFailed, or HealthCheckCanceled when something newer was queued for the object.
 */
export async function checkHealth(run: KustomizationRun, on: RunContext, input: HealthInput): Promise<void> {
  const { ctx, object: kustomization } = run;
  const targets = healthTargets(kustomization, input.applied);
  if (targets === undefined) return run.remove('Healthy');
  const started = ctx.clock.now();
  const wasHealthy = conditionStatus(run.conditions, 'Healthy') === 'True';
  const timeout = timeoutOf(kustomization);
  const message = `Running health checks for revision ${run.revision} with a timeout of ${formatDuration(timeout)}`;
  run.progress(message);
  run.set({ type: 'Healthy', status: 'Unknown', reason: 'Progressing', message });
  const superseded = ctx.superseded?.(refOf(kustomization));
  const signal = superseded === undefined ? ctx.signal : AbortSignal.any([ctx.signal, superseded]);
  try {
    await run.showingProgress(() =>
      waitUntilReady({ ...on, signal }, targets, {
        timeout,
        failFast: !isGateOn(ctx.profile, 'DisableFailFastBehavior'),
        statusOf: input.exprs.statusOf,
      }),
    );
  } catch (error) {
    if (superseded?.aborted === true && !ctx.signal.aborted)
      throw plumbError('HealthCheckCanceled', { message: supersededBy(superseded), cause: error });
    const failure = asPlumbError(error);
    if (failure.kind === 'cancelled') throw error;
    const cause = failure.message;
    run.set({ type: 'Healthy', status: 'False', reason: 'HealthCheckFailed', message: cause });
    throw plumbError('HealthCheckFailed', {
      ...failure.details,
      message: `health check failed after ${formatDuration(ctx.clock.now() - started)}: ${cause}`,
      cause: error,
    });
  }
  const passed = `Health check passed in ${formatDuration(ctx.clock.now() - started)}`;
  const isNewRevision = run.status.lastAppliedRevision !== run.revision;
  if (!wasHealthy || (isNewRevision && input.hasDrifted)) run.event('info', passed);
  run.set({ type: 'Healthy', status: 'True', reason: 'Succeeded', message: passed });
}

/** What ended the wait, in upstream's words; the signal's reason names the object when there is one. */
function supersededBy(signal: AbortSignal): string {
  const by = typeof signal.reason === 'string' ? signal.reason : undefined;
  return by === undefined ? 'New reconciliation triggered' : `New reconciliation triggered by ${by}`;
}
