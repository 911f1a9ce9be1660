import type { ObjectRef } from '../../kube/object.ts';
import type { ChangeSet } from '../../ssa/plan.ts';
import { pruneStale } from '../../ssa/pruneStale.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import { pruneRulesOf } from './applyPolicyOf.ts';
import { allLines } from './changeLines.ts';
import type { InventoryKeeper } from './inventory.ts';
import type { KustomizationRun } from './kustomizationRun.ts';

/**
 * Deletes what is no longer in the build, where spec.prune says so, and tells about it. Without prune the stale objects
 * simply leave the inventory. Throws PruneFailed; what could not be deleted stays in the inventory.
 */
export async function pruneRun(
  run: KustomizationRun,
  on: RunContext,
  stale: readonly ObjectRef[],
  keeper: InventoryKeeper,
): Promise<ChangeSet> {
  if (run.object.spec.prune !== true) {
    for (const ref of stale) keeper.settled(ref);
    return [];
  }
  const pruned = await pruneStale(on, stale, {
    ...pruneRulesOf(run.object),
    onChanged: keeper.settled,
    beforeDefinitions: () => keeper.recordSettled(),
  });
  if (pruned.length > 0) run.event('info', allLines(pruned));
  return pruned;
}
