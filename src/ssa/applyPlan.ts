import { equalJson, type JsonObject } from '../base/json.ts';
import { asPlumbError, isPlumbError, plumbError } from '../base/plumbError.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { applyStages } from '../kube/applyOrder.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { computeStatus } from '../kube/kstatus.ts';
import { formatRef, refKey, refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { ApplyPolicy } from './applyPolicy.ts';
import { complaintsOf } from './complaints.ts';
import { deleteAndWait } from './deleteAndWait.ts';
import type { Action, Change, ChangeSet, ChangeSetEntry, Plan } from './plan.ts';
import { changesOfStage, isWritten, judgeAll } from './planApply.ts';
import { dryRunMessage, maskedRefusal, refusedError } from './refusals.ts';
import type { RunContext } from './runContext.ts';
import { waitUntilReady } from './waitUntilReady.ts';

/** What the caller writes down while objects are written: the crash safety of the inventory. */
export interface InventoryKeeper {
  /** Before the first write of a stage: the objects it is about to write, all of served kinds and judged good. */
  beforeStage(refs: readonly ObjectRef[]): Promise<void>;
  /** After each object: what was done to it, unchanged and skipped ones included. */
  changed(ref: ObjectRef, action: Action): void;
}

export interface ApplyOptions extends ApplyPolicy {
  /**
   * `approved`: the user was shown the plan, so it is applied as shown or the run stops (PlanOutdated).
   * `unattended`: an interval or a save; each stage is judged when it comes, as upstream does.
   */
  readonly approval: 'approved' | 'unattended';
  readonly inventory: InventoryKeeper;
}

/** How long definitions and classes may take to become Current before the objects that need them. */
const definitionTimeoutMs = 60_000;

/**
 * Writes what the plan says, stage by stage: definitions, classes (each waited for), custom kinds, the rest. Unchanged objects
 * are not written. Nothing is written before the keeper has recorded it. A cancelled apply returns what it has done.
 * Throws ReconciliationFailed or AccessDenied with the server's words, PlanOutdated when an approved plan no longer holds,
 * HealthCheckFailed when definitions do not become ready. Follows fluxcd/pkg ssa ApplyAllStaged.
 */
export async function applyPlan(ctx: RunContext, plan: Plan, options: ApplyOptions): Promise<ChangeSet> {
  const done: ChangeSetEntry[] = [];
  const record = (entry: ChangeSetEntry): void => {
    done.push(entry);
    options.inventory.changed(entry.ref, entry.action);
  };
  requireJudged(plan.changes.filter((change) => change.verified));
  const approved =
    options.approval === 'approved' ? await requireUnchanged(ctx, plan.changes, options) : plan.changes;
  let hasWritten = false;
  for (const stage of applyStages) {
    const planned = changesOfStage(approved, stage, options);
    if (planned.length === 0) continue;
    if (ctx.signal.aborted) return done;
    const changes = await changesNow(ctx, planned, hasWritten, options);
    const writes = changes.filter(isWritten);
    if (writes.length > 0) await options.inventory.beforeStage(writes.map(({ ref }) => ref));
    for (const change of changes) {
      if (isWritten(change)) {
        if (ctx.signal.aborted) return done;
        hasWritten = true;
        record(await writeOne(ctx, change, options));
      } else record(entryOf(change.ref, change.action, change.live));
    }
    if (stage === 'definitions' || stage === 'classes') await waitForStage(ctx, changes);
  }
  return done;
}

/** Throws the first refusal among the changes, in apply order; for plans that must hold as a whole. */
export function requireJudged(changes: readonly Change[]): void {
  const refused = changes.find((change) => change.refusal !== undefined && change.action !== 'recreated');
  if (refused?.refusal === undefined) return;
  throw refusedError(
    refused.ref,
    dryRunMessage(refused.ref, refused.refusal),
    refused.refusal,
    complaintsOf(refused)[0]?.origin,
  );
}

/** The stage as the server judges it now; the plan's own judgement where nothing it rests on can have changed since. */
async function changesNow(
  ctx: RunContext,
  planned: readonly Change[],
  hasWritten: boolean,
  options: ApplyOptions,
): Promise<readonly Change[]> {
  const mayDiffer = (change: Change): boolean =>
    !change.verified || change.cached === true || (hasWritten && options.approval === 'unattended');
  const again = planned.filter(mayDiffer);
  if (again.length === 0) return planned;
  const judged = await judgeServed(ctx, again, options);
  requireJudged(judged);
  const byKey = new Map(judged.map((change) => [refKey(refOf(change.desired)), change]));
  return planned.map((change) => byKey.get(refKey(refOf(change.desired))) ?? change);
}

const discoveryTimeoutMs = 10_000;
const discoveryPollMs = 100;

/** Judges again; a kind whose definition this run has just written may take a moment until it is served. */
async function judgeServed(
  ctx: RunContext,
  changes: readonly Change[],
  options: ApplyOptions,
): Promise<readonly Change[]> {
  const until = ctx.clock.now() + discoveryTimeoutMs;
  for (const { ref } of changes)
    while ((await ctx.cluster.servedKind(ref)) === undefined && ctx.clock.now() < until)
      await ctx.clock.sleep(discoveryPollMs, ctx.signal);
  return await judgeAll(ctx, changes.map(builtOf), options);
}

function builtOf({ desired, origins, hidden }: Change): BuiltObject {
  return { object: desired, origins, ...(hidden !== undefined && { hidden }) };
}

/**
 * All objects of an approved plan are dry-run again before the first is written: the changes as they are judged now, in the same
 * order. Unverified ones were not shown in full and stay as they are.
 */
async function requireUnchanged(
  ctx: RunContext,
  changes: readonly Change[],
  options: ApplyOptions,
): Promise<readonly Change[]> {
  const shown = changes.filter((change) => change.verified);
  const now = await judgeAll(ctx, shown.map(builtOf), options);
  const byKey = new Map(now.map((change) => [refKey(refOf(change.desired)), change]));
  for (const change of shown) {
    const current = byKey.get(refKey(refOf(change.desired)));
    if (current === undefined || !isSameResult(change, current)) throw outdated(change.ref);
  }
  return changes.map((change) =>
    change.verified ? (byKey.get(refKey(refOf(change.desired))) ?? change) : change,
  );
}

/** Tells whether an apply now would do what was shown, and leave the same behind. */
function isSameResult(shown: Change, now: Change): boolean {
  return (
    shown.action === now.action &&
    (shown.refusal === undefined) === (now.refusal === undefined) &&
    (!isWritten(shown) || equalJson(resultOf(shown), resultOf(now))) &&
    (!isWritten(shown) || equalJson(withoutStatus(shown.live), withoutStatus(now.live)))
  );
}

/** What an apply leaves behind, without what the server counts by itself. */
function resultOf({ merged }: Change): JsonObject | undefined {
  return withoutStatus(merged);
}

function withoutStatus(object: KubeObject | undefined): JsonObject | undefined {
  if (object === undefined) return undefined;
  const { status: _status, metadata, ...rest } = object;
  const { labels = {}, annotations = {}, name, namespace, finalizers, ownerReferences } = metadata;
  return {
    ...rest,
    metadata: {
      name,
      labels,
      annotations,
      ...(namespace !== undefined && { namespace }),
      ...(finalizers !== undefined && { finalizers }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
  };
}

function outdated(ref: ObjectRef): Error {
  return plumbError('PlanOutdated', {
    message: 'changed since the plan was shown',
    subject: formatRef(ref),
    hint: 'look at the new plan and approve it again',
  });
}

/** Conflicts that are answered by judging again before the run gives up: each means that somebody else wrote in between. */
const conflictTries = 8;
/** Before the second try; twice as long before each further one: a rollout writes its status many times a second. */
const firstConflictPauseMs = 25;

async function writeOne(ctx: RunContext, planned: Change, options: ApplyOptions): Promise<ChangeSetEntry> {
  let change = planned;
  for (let attempt = 1; ; attempt++) {
    const answer = await sendWrite(ctx, change, options);
    if (answer.type === 'ok') {
      ctx.log.info('applied', { ref: formatRef(change.ref), action: change.action });
      return entryOf(refOf(answer.value), change.action, answer.value);
    }
    const refusal = maskedRefusal(change, answer.refusal);
    if (refusal.httpStatus !== 409 || attempt === conflictTries)
      throw refusedError(
        change.ref,
        `${formatRef(change.ref)} apply failed: ${refusal.message}`,
        refusal,
        complaintsOf({ ...change, refusal })[0]?.origin,
      );
    await ctx.clock.sleep(firstConflictPauseMs * 2 ** (attempt - 1), ctx.signal);
    const [now] = await judgeAll(ctx, [builtOf(planned)], options);
    if (now === undefined) throw outdated(change.ref);
    // Our own write may have got through although its answer did not.
    if (now.action === 'unchanged' && equalJson(withoutStatus(now.live), resultOf(planned)))
      return entryOf(now.ref, planned.action, now.live);
    if (options.approval === 'approved' && !isSameResult(planned, now)) throw outdated(change.ref);
    requireJudged([now]);
    if (!isWritten(now)) return entryOf(now.ref, now.action, now.live);
    change = now;
  }
}

function entryOf(ref: ObjectRef, action: Action, object: KubeObject | undefined): ChangeSetEntry {
  const version = object?.metadata.resourceVersion;
  return { ref, action, ...(version !== undefined && { version }) };
}

/** The take-over patch, where there is one, and the apply. The answer is the first refusal or the object as it is now. */
async function sendWrite(
  ctx: RunContext,
  { ref, live, action, write, desired }: Change,
  { owner, approval }: ApplyOptions,
): Promise<Answer> {
  const { fieldManager } = owner;
  let { resourceVersion } = live?.metadata ?? {};
  if (action === 'recreated' && live !== undefined) {
    await deleteAndWait(ctx, live);
    resourceVersion = undefined;
  } else if (write?.takeOver !== undefined && resourceVersion !== undefined) {
    const guard = { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion };
    const patched = await ctx.cluster.patch(ref, [guard, ...write.takeOver], { type: 'json', fieldManager });
    if (patched.type === 'refused') return patched;
    ({ resourceVersion } = patched.value.metadata);
  }
  const payload = write?.payload ?? desired;
  const guarded =
    approval === 'approved' && resourceVersion !== undefined
      ? { ...payload, metadata: { ...payload.metadata, resourceVersion } }
      : payload;
  return await ctx.cluster.apply(guarded, { fieldManager, force: true, dryRun: false });
}

/** Waits for what the stage applied, unless its live objects already say that they are ready. */
async function waitForStage(ctx: RunContext, changes: readonly Change[]): Promise<void> {
  const pending = changes.filter(
    (change) =>
      isWritten(change) || change.live === undefined || computeStatus(change.live).status !== 'Current',
  );
  const refs = pending.filter(({ action }) => action !== 'skipped').map(({ ref }) => ref);
  if (refs.length === 0) return;
  try {
    await waitUntilReady(ctx, refs, { timeout: definitionTimeoutMs, failFast: false });
  } catch (error) {
    // Upstream reports a definition that does not become ready as a failed apply.
    if (!isPlumbError(error, 'HealthCheckFailed')) throw error;
    const { details } = asPlumbError(error);
    throw plumbError('ReconciliationFailed', { ...details, reason: 'ReconciliationFailed', cause: error });
  }
}
