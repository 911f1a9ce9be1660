import { openTarget, applyPolicyOf, pruneRulesOf } from '../../controllers/kustomize/applyPolicyOf.ts';
import { InventoryKeeper } from '../../controllers/kustomize/inventory.ts';
import { KustomizationRun } from '../../controllers/kustomize/kustomizationRun.ts';
import type { KustomizeContext } from '../../controllers/kustomize/kustomizeContext.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { plumbError } from '../../base/plumbError.ts';
import { formatRef } from '../../kube/object.ts';
import type { RunView } from '../../protocol/views.ts';
import { applyPlan } from '../../ssa/applyPlan.ts';
import type { ChangeSet } from '../../ssa/plan.ts';
import { pruneStale } from '../../ssa/pruneStale.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import { onTarget } from '../../ssa/targetCluster.ts';
import { readFluxObject } from '../fluxCommands.ts';
import type { WorkloadPlan } from './planWorkload.ts';

/**
 * Applies an approved plan as shown, without pruning. Of the Kustomization only the inventory is written: conditions and
 * revisions stay those of the last full run. Throws PlanOutdated when the world moved since the plan was shown.
 */
export async function applyApproved(ctx: KustomizeContext, planned: WorkloadPlan): Promise<RunView> {
  return runApproved(ctx, planned, async ({ on, keeper, kustomization }) => {
    const policy = applyPolicyOf(kustomization, ctx.profile);
    const changeSet = await applyPlan(on, planned.plan, {
      ...policy,
      approval: 'approved',
      inventory: keeper,
    });
    // Stale objects are another decision: they stay recorded until a prune settles them.
    keeper.complete(changeSet, planned.plan.stale);
    return { changeSet, message: `applied ${planned.artifact.revision} as shown` };
  });
}

/** Deletes the stale objects of an approved plan that were shown as deleted, and nothing else. */
export async function pruneApproved(ctx: KustomizeContext, planned: WorkloadPlan): Promise<RunView> {
  return runApproved(ctx, planned, async ({ on, keeper, kustomization }) => {
    const shown = planned.stale
      .filter(({ verdict }) => verdict.type === 'delete' || verdict.type === 'gone')
      .map(({ ref }) => ref);
    const changeSet = await pruneStale(on, shown, {
      ...pruneRulesOf(kustomization),
      onChanged: keeper.settled,
      beforeDefinitions: () => keeper.recordSettled(),
    });
    keeper.narrow();
    return { changeSet, message: `pruned ${changeSet.length} objects` };
  });
}

interface ApprovedRun {
  readonly on: RunContext;
  readonly keeper: InventoryKeeper;
  readonly kustomization: Kustomization;
}

async function runApproved(
  ctx: KustomizeContext,
  planned: WorkloadPlan,
  work: (run: ApprovedRun) => Promise<{ readonly changeSet: ChangeSet; readonly message: string }>,
): Promise<RunView> {
  const kustomization = await currentKustomization(ctx, planned);
  const run = new KustomizationRun(ctx, kustomization, true);
  const keeper = new InventoryKeeper(run);
  const target = await openTarget(ctx, kustomization);
  try {
    const { changeSet, message } = await work({
      on: onTarget(ctx, target),
      keeper,
      kustomization,
    });
    return {
      ref: planned.ref,
      ready: true,
      reason: 'Succeeded',
      message,
      revision: planned.artifact.revision,
      changeSet,
      elapsedMs: run.elapsed(),
    };
  } catch (error) {
    keeper.narrow();
    throw error;
  } finally {
    await run.flush();
    target.close();
  }
}

/** A plan with stand-ins was to look at. Throws SecretEncrypted. */
export function requireReadable({ ref, unreadable }: WorkloadPlan): void {
  const [first] = unreadable;
  if (first === undefined) return;
  throw plumbError('SecretEncrypted', {
    subject: formatRef(ref),
    message: `${first.ref === undefined ? first.path : formatRef(first.ref)} could not be decrypted, so this plan cannot be applied: ${first.reason}`,
    hint: 'provide the key (SOPS_AGE_KEY_FILE, or the Secret of spec.decryption) and plan again',
  });
}

/** The Kustomization as it is now. Throws PlanOutdated when its spec changed since the plan was made. */
async function currentKustomization(ctx: KustomizeContext, planned: WorkloadPlan): Promise<Kustomization> {
  const object = (await readFluxObject(ctx.cluster, planned.ref, ctx.signal)) as unknown as Kustomization;
  const { uid, generation } = object.metadata;
  const shown = planned.kustomization.metadata;
  if (shown.uid === uid && shown.generation === generation) return object;
  throw plumbError('PlanOutdated', {
    subject: formatRef(planned.ref),
    message: 'the Kustomization itself changed since the plan was shown',
    hint: 'plan again and look at the new plan',
  });
}
