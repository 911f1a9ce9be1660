import { formatRef, type ObjectRef } from '../../kube/object.ts';
import { asPlumbError, plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { fluxFinalizer } from '../../flux/finalizer.ts';
import { timeoutOf } from '../../flux/kustomization.ts';
import { rightsOf } from '../../flux/rights.ts';
import type { ChangeSet } from '../../ssa/plan.ts';
import { pruneStale } from '../../ssa/pruneStale.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import type { RunOutcome } from '../../ssa/runOutcome.ts';
import { onTarget } from '../../ssa/targetCluster.ts';
import { waitUntilGone } from '../../ssa/waitUntilGone.ts';
import { openTarget, pruneRulesOf } from './applyPolicyOf.ts';
import { allLines } from './changeLines.ts';
import { InventoryKeeper } from './inventory.ts';
import type { KustomizationRun } from './kustomizationRun.ts';

/**
 * Ends a Kustomization that is being deleted: its objects go or stay as its deletion policy says, then its finalizer.
 * A failed delete keeps the finalizer and is tried again. Follows kustomize-controller's finalize (contract 1.11).
 */
export async function finalizeKustomization(run: KustomizationRun): Promise<RunOutcome> {
  const { ctx, object: kustomization } = run;
  const { lastAppliedRevision, lastAppliedOriginRevision } = kustomization.status ?? {};
  run.revision = lastAppliedRevision ?? '';
  run.originRevision = lastAppliedOriginRevision ?? '';
  let changeSet: ChangeSet = [];
  if (deletesObjects(kustomization)) {
    if (await canAct(run)) changeSet = await deleteObjects(run);
    else {
      const list = run.inventory.map(formatRef).join('\n');
      run.event('error', `unable to prune objects: \n${list}`);
      ctx.log.error('objects left behind: their service account is gone', {
        ref: kustomization.metadata.name,
      });
    }
  }
  run.setFinalizers((kustomization.metadata.finalizers ?? []).filter((name) => name !== fluxFinalizer));
  await run.finish();
  return { result: 'deleted', reason: '', message: '', changeSet, next: { type: 'done' } };
}

/** Tells whether the objects go with the Kustomization. A suspended one leaves them, as does one that never applied any. */
export function deletesObjects(kustomization: Kustomization): boolean {
  const { suspend, deletionPolicy = 'MirrorPrune', prune } = kustomization.spec;
  if (suspend === true) return false;
  if ((kustomization.status?.inventory?.entries ?? []).length === 0) return false;
  switch (deletionPolicy) {
    case 'MirrorPrune':
      return prune;
    case 'Delete':
    case 'WaitForTermination':
      return true;
    case 'Orphan':
      return false;
  }
}

/**
 * Without its service account nobody may delete the objects: they are left, and the finalizer goes all the same. Upstream takes any
 * error for that; a server that does not answer, or may not, is no reason to leave objects behind.
 */
async function canAct({ ctx, object }: KustomizationRun): Promise<boolean> {
  const { serviceAccount } = rightsOf(object, ctx.profile);
  if (serviceAccount === undefined) return true;
  const ref: ObjectRef = { group: '', version: 'v1', kind: 'ServiceAccount', ...serviceAccount };
  const answer = await ctx.cluster.get(ref, ctx.signal);
  if (answer.type === 'ok') return true;
  if (answer.refusal.httpStatus === 404) return false;
  throw plumbError('ReconciliationFailed', {
    subject: formatRef(ref),
    message: `cannot be read, so the objects of ${object.metadata.name} wait for their deletion: ${answer.refusal.message}`,
    hint: 'it is tried again; the right to get ServiceAccounts is needed',
  });
}

async function deleteObjects(run: KustomizationRun): Promise<ChangeSet> {
  const { ctx, object: kustomization } = run;
  const target = await openTarget(ctx, kustomization);
  try {
    const on: RunContext = onTarget(ctx, target);
    const keeper = new InventoryKeeper(run);
    const deleted = await pruneStale(on, run.inventory, {
      ...pruneRulesOf(kustomization),
      onChanged: keeper.settled,
      beforeDefinitions: () => keeper.recordSettled(),
    }).catch((error: unknown) => {
      run.event('error', 'pruning for deleted resource failed');
      throw error;
    });
    if (deleted.length > 0) run.event('info', allLines(deleted));
    if (kustomization.spec.deletionPolicy === 'WaitForTermination') await waitForEnd(run, on, deleted);
    return deleted;
  } finally {
    target.close();
  }
}

async function waitForEnd(run: KustomizationRun, on: RunContext, deleted: ChangeSet): Promise<void> {
  const refs = deleted.filter(({ action }) => action === 'deleted').map(({ ref }) => ref);
  try {
    await waitUntilGone(on, refs, timeoutOf(run.object));
  } catch (error) {
    if (asPlumbError(error).kind === 'cancelled') throw error;
    const message = 'failed to wait for resources termination';
    run.ctx.log.error(message, { error });
    run.event('error', message);
  }
}
