import { mapLimit } from '../../base/mapLimit.ts';
import { plumbError } from '../../base/plumbError.ts';
import { refusedError } from '../../bootstrap/refusedError.ts';
import type { Answer, ClusterClient } from '../../clients/cluster/clusterClient.ts';
import { fluxFinalizer } from '../../flux/finalizer.ts';
import { formatRef, type ObjectRef, refKey } from '../../kube/object.ts';
import type { DownPlan, DownResult } from '../../protocol/down.ts';
import type { CallOptions, DownApi, Engine } from '../../protocol/engine.ts';
import type { ClusterSession } from '../clusterSession.ts';
import type { EngineCore } from '../engineCore.ts';
import { plumbManager } from '../fluxCommands.ts';
import { leaseSpecOf, plumbHolderPrefix } from '../leases/liveness.ts';
import { restore } from '../override/override.ts';
import { PlanStore } from '../planStore.ts';
import { type DownDraft, planDown } from './planDown.ts';

const concurrency = 8;

/** The part of the engine that leaves local mode for good: shown first, then done as shown. */
export function createDownApi(core: EngineCore, engine: Pick<Engine, 'setMode'>): DownApi {
  const plans = new PlanStore<DownPlan>();
  const signalOf = (call: CallOptions | undefined): AbortSignal =>
    call?.signal === undefined ? core.closing.signal : AbortSignal.any([call.signal, core.closing.signal]);
  return {
    async planDown(call) {
      const signal = signalOf(call);
      const { session } = await core.connected();
      await session.requireBound(signal);
      const draft = await planDown(session, signal);
      return plans.add((id) => ({ id, cluster: session.context, ...draft }));
    },
    async down(planId, call) {
      const plan = plans.take(planId);
      const signal = signalOf(call);
      const { session } = await core.connected();
      requireShown(plan, await planDown(session, signal));
      if (session.mode === 'local') await engine.setMode('observe', { signal });
      const outcome = await carryOut(session, plan, signal);
      core.deps.log.info('local mode left for good', { context: session.context, ...counts(outcome) });
      core.emit({ type: 'treeChanged' });
      return { planId, ...outcome };
    },
  };
}

async function carryOut(
  { cluster, identity }: ClusterSession,
  plan: DownPlan,
  signal: AbortSignal,
): Promise<Omit<DownResult, 'planId'>> {
  const overrides = plan.overrides.map(({ ref }) => ref);
  await mapLimit(overrides, concurrency, (ref) => restore(cluster, ref, true), signal);
  await mapLimit(plan.leases, concurrency, (ref) => giveUp(cluster, ref, identity, signal), signal);
  const finalizers: ObjectRef[] = [];
  const failures: { ref: ObjectRef; message: string }[] = [];
  await mapLimit(
    plan.finalizers,
    concurrency,
    async (ref) => {
      const answer = await removeFinalizer(cluster, ref, signal);
      if (answer.type === 'ok' || answer.refusal.httpStatus === 404) finalizers.push(ref);
      else failures.push({ ref, message: `${answer.refusal.reason}: ${answer.refusal.message}` });
    },
    signal,
  );
  return { leases: plan.leases, overrides, finalizers, failures };
}

/** Frees a Lease that names a Plumb that is gone. What somebody took meanwhile stays theirs. */
async function giveUp(
  cluster: ClusterClient,
  ref: ObjectRef,
  identity: string,
  signal: AbortSignal,
): Promise<void> {
  const live = await cluster.get(ref, signal);
  if (live.type === 'refused') {
    if (live.refusal.httpStatus === 404) return;
    throw refusedError(ref, 'get', live.refusal);
  }
  const { holder, renewTimeMs, durationSeconds } = leaseSpecOf(live.value);
  const now = cluster.serverTime()?.getTime() ?? Date.now();
  const isRenewed = holder !== identity && renewTimeMs + durationSeconds * 1000 > now;
  if (!holder.startsWith(plumbHolderPrefix) || isRenewed) return;
  const { resourceVersion } = live.value.metadata;
  const body = {
    metadata: { ...(resourceVersion !== undefined && { resourceVersion }) },
    spec: { holderIdentity: '', leaseDurationSeconds: 1 },
  };
  const answer = await cluster.patch(ref, body, { type: 'merge', fieldManager: plumbManager }, signal);
  if (answer.type === 'refused') throw refusedError(ref, 'patch', answer.refusal);
}

/** Takes Flux' own finalizer away and leaves those of others. */
async function removeFinalizer(cluster: ClusterClient, ref: ObjectRef, signal: AbortSignal): Promise<Answer> {
  const live = await cluster.get(ref, signal);
  if (live.type === 'refused') return live;
  const { finalizers = [], resourceVersion } = live.value.metadata;
  if (!finalizers.includes(fluxFinalizer)) return live;
  const kept = finalizers.filter((name) => name !== fluxFinalizer);
  const metadata = { finalizers: kept, ...(resourceVersion !== undefined && { resourceVersion }) };
  return cluster.patch(ref, { metadata }, { type: 'merge', fieldManager: plumbManager }, signal);
}

/** Nothing is done that was not shown. */
function requireShown(shown: DownPlan, now: DownDraft): void {
  const known = new Set(refsOf(shown).map(refKey));
  const added = refsOf(now).find((ref) => !known.has(refKey(ref)));
  if (added === undefined) return;
  throw plumbError('PlanOutdated', {
    subject: formatRef(added),
    message: 'came in since this was shown',
    hint: 'look at the new plan and approve it',
  });
}

function refsOf({ leases, overrides, finalizers, vanishing }: DownDraft): readonly ObjectRef[] {
  // An object that is to be deleted since counts as new: it would vanish.
  const deleted = vanishing.map(({ ref }) => ({ ...ref, kind: `deleted ${ref.kind}` }));
  return [...leases, ...overrides.map(({ ref }) => ref), ...finalizers, ...deleted];
}

function counts({ leases, overrides, finalizers, failures }: Omit<DownResult, 'planId'>) {
  return {
    leases: leases.length,
    overrides: overrides.length,
    finalizers: finalizers.length,
    failures: failures.length,
  };
}
