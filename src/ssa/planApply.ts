import { mapLimit } from '../base/mapLimit.ts';
import { kindNotServed } from '../clients/cluster/clusterClient.ts';
import { applyStages, compareApplyOrder, stageOf, type ApplyStage } from '../kube/applyOrder.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { definedKinds } from '../kube/definedKinds.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import { admissionEpochs, type AdmissionEpoch } from './admissionEpoch.ts';
import type { ApplyPolicy, Live, PlanOptions } from './applyPolicy.ts';
import { callLimit } from './callLimit.ts';
import { compileIgnoreRules } from './ignoreRules.ts';
import { judgeObject, type Judging } from './judgeObject.ts';
import { readLiveObjects } from './liveObjects.ts';
import type { Change, Desired, Inventory, Plan } from './plan.ts';
import { inPruneOrder } from './pruneStale.ts';
import type { RunContext } from './runContext.ts';

/**
 * What an apply of the desired objects would do, by server-side dry-runs in parallel, and what of the inventory is stale.
 * Read-only. A refused object is a Change with a refusal, unverified while an earlier stage still has changes; the plan itself
 * throws only for what is about no object (ClusterUnreachable, AuthenticationFailed, Cancelled, InvalidConfiguration).
 */
export async function planApply(
  ctx: RunContext,
  desired: Desired,
  inventory: Inventory,
  options: PlanOptions,
): Promise<Plan> {
  // A cached answer may be older than an object that is not read.
  const recorded = options.cache === undefined ? new Set(inventory.map(refKey)) : undefined;
  const changes = await judgeAll(ctx, desired.objects, options, recorded);
  const staged = applyStages.flatMap((stage) =>
    changes.filter((change) => stageOf(change.ref, options.customStageKinds) === stage),
  );
  const wanted = new Set(changes.map(({ ref }) => refKey(ref)));
  return {
    changes: withUnverified(staged, options),
    stale: inPruneOrder(inventory.filter((ref) => !wanted.has(refKey(ref)))),
  };
}

/**
 * Judges the objects again, as when their stage comes. The changes stand in apply order within one stage. With `recorded`,
 * objects that are not among them are dry-run without being read first.
 */
export async function judgeAll(
  ctx: RunContext,
  objects: readonly BuiltObject[],
  options: PlanOptions,
  recorded?: ReadonlySet<string>,
): Promise<readonly Change[]> {
  const named = await Promise.all(
    objects.map(async (built) => ({ built, ref: await serverRef(ctx, refOf(built.object)) })),
  );
  named.sort((left, right) => compareApplyOrder(left.ref, right.ref));
  const known = new Map<string, Live>();
  for (const { built, ref } of named) {
    const object = options.watched?.(built.object);
    if (object !== undefined) known.set(refKey(ref), { type: 'present', object });
    else if (recorded?.has(refKey(ref)) === false) known.set(refKey(ref), { type: 'unread' });
  }
  const unknown = named.map(({ ref }) => ref).filter((ref) => !known.has(refKey(ref)));
  const [read, epochs] = await Promise.all([
    readLiveObjects(ctx, unknown, options.owner),
    epochsFor(ctx, named, options),
  ]);
  const ignored = compileIgnoreRules(options.ignore ?? []);
  const { owner, force, ignore, overrideManagers, keepsManagers } = options;
  const policyKey = JSON.stringify({ owner, force, ignore, overrideManagers, keepsManagers });
  return await mapLimit(
    named,
    callLimit,
    async ({ built, ref }) => {
      const live = known.get(refKey(ref)) ?? read.get(refKey(ref)) ?? { type: 'absent' };
      return await judgeObject(
        ctx,
        built,
        ref,
        live,
        judgingFor(ctx, epochs.get(ref.namespace ?? ''), { ignored, policyKey }, options),
      );
    },
    ctx.signal,
  );
}

/** Tells whether the change will write something when its turn comes, as far as is known. */
export function isWritten({ action }: Pick<Change, 'action'>): boolean {
  return action === 'created' || action === 'configured' || action === 'recreated';
}

/**
 * A refused object of a later stage may need what an earlier one is about to write, or a definition that is there and not served
 * yet: it is judged when its stage comes.
 */
function withUnverified(changes: readonly Change[], policy: ApplyPolicy): readonly Change[] {
  const rank = (change: Change): number => applyStages.indexOf(stageOf(change.ref, policy.customStageKinds));
  const firstWrite = Math.min(...changes.filter(isWritten).map(rank));
  const defined = new Set(changes.flatMap(({ desired }) => definedKinds(desired)));
  const isServedLater = ({ ref: { group, version, kind }, refusal }: Change): boolean =>
    refusal?.reason === kindNotServed && defined.has(`${group}/${version}/${kind}`);
  return changes.map((change) =>
    change.refusal !== undefined &&
    change.action !== 'recreated' &&
    (rank(change) > firstWrite || isServedLater(change))
      ? { ...change, verified: false }
      : change,
  );
}

/** The object as the server names it: a cluster-scoped one has no namespace, whatever the build wrote. */
async function serverRef(ctx: RunContext, ref: ObjectRef): Promise<ObjectRef> {
  const served = await ctx.cluster.servedKind(ref);
  if (served?.namespaced !== false || ref.namespace === undefined) return ref;
  const { namespace: _, ...rest } = ref;
  return rest;
}

function judgingFor(
  ctx: RunContext,
  epoch: AdmissionEpoch | undefined,
  { ignored, policyKey }: Pick<Judging, 'ignored' | 'policyKey'>,
  options: PlanOptions,
): Judging {
  const { owner, cache } = options;
  const ask = (desired: KubeObject) =>
    ctx.cluster.apply(desired, { fieldManager: owner.fieldManager, force: true, dryRun: true }, ctx.signal);
  return {
    owner,
    policyKey,
    force: options.force === true,
    ignored,
    overrideManagers: options.overrideManagers ?? [],
    keepsManagers: options.keepsManagers === true,
    lastApplied: options.lastApplied,
    async dryRun(desired, live) {
      if (cache === undefined || epoch === undefined) return { answer: await ask(desired), fresh: true };
      const inputs = { desired, live, identity: ctx.cluster.identity, epoch, now: ctx.clock.now() };
      const known = cache.get(inputs);
      if (known !== undefined) return { answer: known, fresh: false };
      const answer = await ask(desired);
      const merged = answer.type === 'ok' ? answer.value.metadata.resourceVersion : undefined;
      if (merged === live?.metadata.resourceVersion) cache.set(inputs, answer);
      return { answer, fresh: true };
    },
  };
}

async function epochsFor(
  ctx: RunContext,
  named: readonly { readonly ref: ObjectRef }[],
  { cache, epochs }: PlanOptions,
): Promise<ReadonlyMap<string, AdmissionEpoch>> {
  if (cache === undefined) return new Map();
  const namespaces = [...new Set(named.flatMap(({ ref }) => ref.namespace ?? []))];
  return await (epochs?.(namespaces) ?? admissionEpochs(ctx, namespaces));
}

/** The changes of one stage, in apply order. */
export function changesOfStage(
  changes: readonly Change[],
  stage: ApplyStage,
  policy: ApplyPolicy,
): readonly Change[] {
  return changes.filter((change) => stageOf(change.ref, policy.customStageKinds) === stage);
}
