import type { DurationMs } from '../../base/duration.ts';
import { formatDuration } from '../../base/duration.ts';
import type { PlumbError } from '../../base/plumbError.ts';
import { intervalOf, retryIntervalOf } from '../../flux/kustomization.ts';
import { getCondition } from '../../flux/conditions.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import type { ChangeSet } from '../../ssa/plan.ts';
import type { NextRun, RunOutcome } from '../../ssa/runOutcome.ts';
import type { KustomizationRun } from './kustomizationRun.ts';

/** Why a run stops before or after its work, in the terms upstream's reconciler distinguishes (contract 1.2). */
export type Ending =
  | { readonly type: 'succeeded' }
  /** Only a change of the object helps, or of the controllers' policy; then the generation does not count as observed. */
  | {
      readonly type: 'stalled';
      readonly reason: string;
      readonly message: string;
      readonly hint?: string;
      readonly isObserved: boolean;
    }
  /** Something else comes first; `event` is told about it when there is one. */
  | {
      readonly type: 'waiting';
      readonly reason: string;
      readonly message: string;
      readonly event?: string;
      readonly hint?: string;
      readonly delay: DurationMs;
    }
  /** Tried again at the retry interval, or with backoff before the work began. */
  | { readonly type: 'failed'; readonly error: PlumbError; readonly next: 'retryInterval' | 'backoff' }
  /** A newer revision ended the wait for health. */
  | { readonly type: 'superseded'; readonly message: string };

/** Marks, tells and patches the ending, and says when the object is looked at again. */
export async function endRun(
  run: KustomizationRun,
  ending: Ending,
  changeSet: ChangeSet,
): Promise<RunOutcome> {
  mark(run, ending);
  tell(run, ending);
  const isThere = await run.finish();
  if (ending.type === 'succeeded' && isThere) tellSuccess(run);
  const ready = getCondition(run.conditions, 'Ready');
  const { revision } = run;
  return {
    result: !isThere ? 'gone' : ending.type === 'succeeded' ? 'succeeded' : 'failed',
    reason: ready?.reason ?? '',
    message: ready?.message ?? '',
    ...(revision !== '' && { revision }),
    ...failureOf(ending),
    ...(run.warnings.length > 0 && { warnings: run.warnings }),
    changeSet,
    next: isThere ? nextRun(run, ending) : { type: 'done' },
  };
}

function mark(run: KustomizationRun, ending: Ending): void {
  switch (ending.type) {
    case 'succeeded':
      return;
    case 'stalled':
      run.notReady(ending.reason, ending.message);
      run.stall(ending.reason, ending.message);
      if (ending.isObserved) run.setStatus({ observedGeneration: run.object.metadata.generation });
      return;
    case 'waiting':
      return run.notReady(ending.reason, ending.message);
    case 'failed':
      return run.notReady(ending.error.reason, messageOf(ending.error));
    case 'superseded':
      return run.notReady('HealthCheckCanceled', ending.message);
  }
}

function tell(run: KustomizationRun, ending: Ending): void {
  switch (ending.type) {
    case 'succeeded':
      return;
    case 'stalled':
      return run.event('error', ending.message);
    case 'waiting':
      if (ending.event !== undefined) run.event('info', ending.event);
      return;
    case 'failed':
      if (ending.next === 'retryInterval') run.event('error', messageOf(ending.error));
      return;
    case 'superseded':
      return run.event('info', `Health checks canceled due to new reconciliation: ${ending.message}`);
  }
}

function tellSuccess(run: KustomizationRun): void {
  const interval = formatDuration(intervalOf(run.object));
  run.event('info', `Reconciliation finished in ${formatDuration(run.elapsed())}, next run in ${interval}`, {
    metadata: { [`${kustomizeGroup}/commit_status`]: 'update' },
  });
}

function nextRun(run: KustomizationRun, ending: Ending): NextRun {
  switch (ending.type) {
    case 'succeeded':
      return { type: 'after', delay: intervalOf(run.object) };
    case 'stalled':
      return { type: 'done' };
    case 'waiting':
      return { type: 'after', delay: ending.delay };
    case 'failed':
      return ending.next === 'backoff'
        ? { type: 'backoff' }
        : { type: 'after', delay: retryIntervalOf(run.object) };
    case 'superseded':
      return { type: 'after', delay: 0 };
  }
}

function failureOf(ending: Ending): Pick<RunOutcome, 'errorKind' | 'hint'> {
  switch (ending.type) {
    case 'succeeded':
      return {};
    case 'stalled':
      return { errorKind: 'stalled', ...(ending.hint !== undefined && { hint: ending.hint }) };
    case 'waiting':
      return { errorKind: 'waiting', ...(ending.hint !== undefined && { hint: ending.hint }) };
    case 'failed':
      return {
        errorKind: ending.error.kind,
        ...(ending.error.hint !== undefined && { hint: ending.error.hint }),
      };
    case 'superseded':
      return { errorKind: 'cancelled' };
  }
}

/** Ready's message: the error without the subject, which is the object itself or stands in the message. */
function messageOf(error: PlumbError): string {
  return error.message;
}
