import type { BuiltObject, Origins } from '../kube/builtObject.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import { applyPlan } from '../ssa/applyPlan.ts';
import type { ApplyPolicy } from '../ssa/applyPolicy.ts';
import { normalizeObject } from '../ssa/normalize.ts';
import type { Action, Plan } from '../ssa/plan.ts';
import { planApply } from '../ssa/planApply.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { refusedError } from './refusedError.ts';

/** What an apply does, or did, to one object. `unverified`: the server cannot judge it before an earlier stage is in place. */
export interface StagedObject {
  readonly ref: ObjectRef;
  readonly action: 'created' | 'configured' | 'unchanged' | 'unverified';
}

/** The field manager of the flux command line; the controllers own the same fields beside it afterwards. */
export const cliFieldManager = 'flux';

/** As upstream's command line applies (contract 7.1): nobody's object, and no field is taken over from kubectl. */
const cliPolicy: ApplyPolicy = {
  owner: { fieldManager: cliFieldManager, group: 'fluxcd.io' },
  keepsManagers: true,
};

/** Dry-runs the objects as `applyStaged` would apply them. Read-only. Throws AccessDenied or ReconciliationFailed with the server's words. */
export async function planStaged(
  ctx: RunContext,
  objects: readonly KubeObject[],
): Promise<readonly StagedObject[]> {
  const { changes } = await plan(ctx, objects);
  return changes.map(({ ref, action, refusal }) => ({
    ref,
    action: refusal === undefined ? wordFor(action) : 'unverified',
  }));
}

/**
 * Applies in the stages of every apply, waiting for definitions and classes. Unchanged objects are not written; nothing is
 * recorded and nothing pruned; a second call finishes what was interrupted. Throws as `planStaged`, and HealthCheckFailed.
 */
export async function applyStaged(
  ctx: RunContext,
  objects: readonly KubeObject[],
): Promise<readonly StagedObject[]> {
  const inventory = { beforeStage: () => Promise.resolve(), changed: () => undefined };
  const options = { ...cliPolicy, approval: 'unattended', inventory } as const;
  const changeSet = await applyPlan(ctx, await plan(ctx, objects), options);
  ctx.signal.throwIfAborted();
  return changeSet.map(({ ref, action }) => ({ ref, action: wordFor(action) }));
}

/** `12 created, 3 unchanged`: what happened, most telling word first. */
export function summarizeStaged(objects: readonly StagedObject[]): string {
  const counts = (['created', 'configured', 'unverified', 'unchanged'] as const)
    .map((action) => [action, objects.filter((object) => object.action === action).length] as const)
    .filter(([, count]) => count > 0);
  return counts.map(([action, count]) => `${count} ${action}`).join(', ');
}

/** What is skipped on its own request stays as it is, what is recreated is written. */
function wordFor(action: Action): StagedObject['action'] {
  if (action === 'created' || action === 'unchanged') return action;
  return action === 'skipped' ? 'unchanged' : 'configured';
}

/** An object may need what an earlier stage is about to write; any other refusal stops everything. */
async function plan(ctx: RunContext, objects: readonly KubeObject[]): Promise<Plan> {
  const built = objects.map((object): BuiltObject => ({
    object: normalizeObject(object).object,
    origins: nowhere,
  }));
  const planned = await planApply(ctx, { objects: built, checksum: '' }, [], cliPolicy);
  for (const { ref, refusal, verified } of planned.changes) {
    const mayBeEarly = !verified && refusal?.httpStatus === 404;
    if (refusal !== undefined && !mayBeEarly) throw refusedError(ref, 'dry-run', refusal);
  }
  return planned;
}

/** No line of a file stands for what is generated. */
const nowhere: Origins = { at: () => undefined, entries: () => [] };
