import { PlumbError } from '../base/plumbError.ts';
import type { Refusal } from '../clients/cluster/clusterClient.ts';
import { compareApplyOrder } from '../kube/applyOrder.ts';
import { isDefinition } from '../kube/definedKinds.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { Action, ChangeSet, ChangeSetEntry } from './plan.ts';
import type { RunContext } from './runContext.ts';

export interface PruneRules {
  /** Labels an object must carry to be deleted; anything else belongs to somebody else by now. */
  readonly ownerLabels: Readonly<Record<string, string>>;
  /** Labels or annotations (value in any case) with which an object is left alone. */
  readonly keepWhen: Readonly<Record<string, string>>;
}

export interface PruneOptions extends PruneRules {
  /** Called for each object once its fate is known: what was not called for stays in the inventory. */
  readonly onChanged?: (ref: ObjectRef, action: Action) => Promise<void> | void;
  /**
   * Called before the first definition goes, when other objects went before: the moment to record their end. An entry of a kind
   * that is served no more makes the controllers fail at every run.
   */
  readonly beforeDefinitions?: () => Promise<void>;
}

/** What a prune does with one object, before it does it. */
export type PruneVerdict =
  | { readonly type: 'delete'; readonly live: KubeObject }
  | { readonly type: 'keep'; readonly live: KubeObject; readonly reason: string }
  /** It is gone, or its kind is no longer served. */
  | { readonly type: 'gone' }
  | { readonly type: 'unknown'; readonly refusal: Refusal };

/**
 * Deletes stale objects in reverse apply order, in the background, where they still belong to the owner (contract 1.8).
 * All are tried; failures are thrown together as PruneFailed with the partial change set, and `onChanged` was not called for them.
 * Where upstream fails for ever on a kind that is no longer served, such an object counts as gone.
 */
export async function pruneStale(
  ctx: RunContext,
  stale: readonly ObjectRef[],
  options: PruneOptions,
): Promise<ChangeSet> {
  const done: ChangeSetEntry[] = [];
  const failures: string[] = [];
  const stuckGroups = new Set<string>();
  let isRecorded = false;
  for (const ref of inPruneOrder(stale)) {
    ctx.signal.throwIfAborted();
    const defined = definedGroup(ref);
    if (defined !== undefined && stuckGroups.has(defined)) {
      failures.push(`${formatRef(ref)} is kept for what it defines and could not be deleted`);
      continue;
    }
    if (defined !== undefined && done.length > 0 && !isRecorded) {
      await options.beforeDefinitions?.();
      isRecorded = true;
    }
    const result = await pruneOne(ctx, ref, options);
    if (typeof result === 'string') {
      const entry: ChangeSetEntry = { ref, action: result };
      done.push(entry);
      await options.onChanged?.(ref, entry.action);
    } else {
      failures.push(`${formatRef(ref)} ${result.message}`);
      stuckGroups.add(ref.group);
    }
  }
  if (failures.length > 0) throw new PruneFailure(done, failures);
  return done;
}

/** The group whose kind a definition makes; undefined for anything else. Its name is `<plural>.<group>`. */
function definedGroup(ref: ObjectRef): string | undefined {
  return isDefinition(ref) ? ref.name.slice(ref.name.indexOf('.') + 1) : undefined;
}

/** PruneFailed with what was deleted all the same. */
export class PruneFailure extends PlumbError {
  readonly changeSet: ChangeSet;

  constructor(changeSet: ChangeSet, failures: readonly string[]) {
    super('PruneFailed', {
      message: `delete failed, errors: ${failures.map((failure) => `${failure};`).join('')}`,
      hint: 'the objects stay in the inventory and are tried again at the next run',
    });
    this.changeSet = changeSet;
  }
}

/** The reverse of the order in which they were applied. */
export function inPruneOrder(refs: readonly ObjectRef[]): readonly ObjectRef[] {
  return [...refs].sort((left, right) => compareApplyOrder(right, left));
}

/** Looks at one stale object and says what a prune would do with it. Read-only. */
export async function judgeStale(
  ctx: Pick<RunContext, 'cluster' | 'signal'>,
  ref: ObjectRef,
  rules: PruneRules,
): Promise<PruneVerdict> {
  const served = await servedVersion(ctx, ref);
  if (served === undefined) return { type: 'gone' };
  const answer = await ctx.cluster.get(served, ctx.signal);
  if (answer.type === 'refused')
    return answer.refusal.httpStatus === 404
      ? { type: 'gone' }
      : { type: 'unknown', refusal: answer.refusal };
  const live = answer.value;
  const labels = live.metadata.labels ?? {};
  const isOwned = Object.entries(rules.ownerLabels).every(([key, value]) => labels[key] === value);
  if (!isOwned) return { type: 'keep', live, reason: 'it no longer carries the labels of this owner' };
  const mark = keepMark(live, rules.keepWhen);
  return mark === undefined
    ? { type: 'delete', live }
    : { type: 'keep', live, reason: `it is marked ${mark}` };
}

/** A recorded version may be served no more while the kind still is, in another one. */
async function servedVersion(
  ctx: Pick<RunContext, 'cluster'>,
  ref: ObjectRef,
): Promise<ObjectRef | undefined> {
  if ((await ctx.cluster.servedKind(ref)) !== undefined) return ref;
  const other = (await ctx.cluster.servedInGroup(ref.group, { refresh: true })).find(
    ({ kind }) => kind === ref.kind,
  );
  return other === undefined ? undefined : { ...ref, version: other.version };
}

function keepMark(object: KubeObject, keepWhen: Readonly<Record<string, string>>): string | undefined {
  const { labels = {}, annotations = {} } = object.metadata;
  const mark = Object.entries(keepWhen).find(([key, value]) =>
    [labels[key], annotations[key]].some((found) => found?.toLowerCase() === value.toLowerCase()),
  );
  return mark === undefined ? undefined : `${mark[0]}: ${mark[1]}`;
}

/** Each conflict means that somebody wrote the object since it was judged: it may ask to be kept now. */
const conflictTries = 5;

async function pruneOne(
  ctx: RunContext,
  ref: ObjectRef,
  rules: PruneRules,
): Promise<Action | { readonly message: string }> {
  for (let attempt = 1; ; attempt++) {
    let verdict: PruneVerdict;
    try {
      verdict = await judgeStale(ctx, ref, rules);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (error instanceof PlumbError && error.code !== 'ClusterUnreachable')
        return { message: error.message };
      throw error;
    }
    switch (verdict.type) {
      case 'gone':
        return 'deleted';
      case 'keep':
        return 'skipped';
      case 'unknown':
        return { message: `query failed: ${verdict.refusal.message}` };
      case 'delete': {
        const refusal = await deleteLive(ctx, ref, verdict.live);
        if (refusal === undefined || refusal.httpStatus === 404) return 'deleted';
        if (refusal.httpStatus !== 409 || attempt === conflictTries)
          return { message: `delete failed: ${refusal.message}` };
      }
    }
  }
}

/** Deletes exactly what was judged. The signal is not handed on: a write is never cut off. */
async function deleteLive(ctx: RunContext, ref: ObjectRef, live: KubeObject): Promise<Refusal | undefined> {
  const { uid, resourceVersion } = live.metadata;
  const answer = await ctx.cluster.delete(
    { ...ref, version: live.apiVersion.split('/').at(-1) ?? ref.version },
    {
      propagationPolicy: 'Background',
      preconditions: {
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      },
    },
  );
  return answer.type === 'ok' ? undefined : answer.refusal;
}
