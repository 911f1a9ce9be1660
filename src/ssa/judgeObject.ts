import { equalJson, isJsonObject, type JsonObject } from '../base/json.ts';
import type { Answer, Refusal } from '../clients/cluster/clusterClient.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { isDefinition } from '../kube/definedKinds.ts';
import { refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { Live } from './applyPolicy.ts';
import { approximateMerge, fieldChanges, hasDrifted } from './compareObjects.ts';
import { payloadWithIgnored, withLiveValues, withoutPointers, type IgnoredPointers } from './ignoreRules.ts';
import { liveOf } from './liveObjects.ts';
import { asksFor, type Owner } from './owner.ts';
import type { Change } from './plan.ts';
import { isImmutableRefusal, isMissingRight, maskedRefusal } from './refusals.ts';
import type { RunContext } from './runContext.ts';
import { afterTakeOver, takeOverOf } from './takeOver.ts';

/** What judging one object needs to know beside the object. */
export interface Judging {
  readonly owner: Owner;
  /** Everything of the apply policy that a judgement depends on. */
  readonly policyKey: string;
  readonly force: boolean;
  readonly ignored: IgnoredPointers;
  readonly overrideManagers: readonly string[];
  readonly keepsManagers: boolean;
  readonly lastApplied: ((desired: KubeObject) => KubeObject | undefined) | undefined;
  /** The result of a server-side dry-run; `fresh` is false when it came from a cache. */
  readonly dryRun: (
    desired: KubeObject,
    live: KubeObject | undefined,
  ) => Promise<{ readonly answer: Answer; readonly fresh: boolean }>;
}

/**
 * What an apply would do to one object, by a server-side dry-run. Read-only; a refusal is part of the result.
 * `ref` names the object as the server knows it. Follows fluxcd/pkg ssa ApplyAll.
 */
export async function judgeObject(
  ctx: RunContext,
  built: BuiltObject,
  ref: ObjectRef,
  read: Live,
  judging: Judging,
): Promise<Change> {
  const desired = withoutBrokenCaBundle(built.object);
  const start: Start = {
    ref,
    desired,
    origins: built.origins,
    ...(built.hidden !== undefined && { hidden: built.hidden }),
    fields: [],
    verified: true,
  };
  if (read.type === 'unreadable') return { ...start, action: 'configured', refusal: read.refusal };
  if (read.type === 'unread') return await judgeUnread(ctx, built, start, judging);
  const live = read.type === 'present' ? read.object : undefined;
  if (isSkipped(desired, live, judging.owner)) return skipped(start, live);
  const { answer, fresh } = await judging.dryRun(desired, live);
  const change = fresh ? start : { ...start, cached: true };
  if (answer.type === 'refused')
    return refusedChange(built, change, live, maskedRefusal(start, answer.refusal), judging);
  const dryRun = answer.value;
  const { resourceVersion } = dryRun.metadata;
  // The live object is older than the one the server merged with: read again what it saw.
  if (fresh && resourceVersion !== undefined && resourceVersion !== live?.metadata.resourceVersion)
    return await compareAgain(ctx, built, change, dryRun, judging);
  if (live === undefined || (fresh && resourceVersion === undefined)) return created(change, dryRun);
  if (fresh) return await compare(ctx, built, change, live, dryRun, judging);
  return await compareOnce(ctx, built, change, live, dryRun, judging);
}

interface Compared {
  readonly inputs: readonly unknown[];
  readonly change: Change;
}

const compared = new WeakMap<KubeObject, Compared>();

/** The comparison with a kept answer; the one made before where nothing is another than then. */
async function compareOnce(
  ctx: RunContext,
  built: BuiltObject,
  start: Start,
  live: KubeObject,
  dryRun: KubeObject,
  judging: Judging,
): Promise<Change> {
  const inputs = [built, live, judging.lastApplied?.(start.desired), judging.policyKey];
  const known = compared.get(dryRun);
  if (known?.inputs.every((input, index) => input === inputs[index]) === true) return known.change;
  const change = await compare(ctx, built, start, live, dryRun, judging);
  compared.set(dryRun, { inputs, change });
  return change;
}

/** Most often the object is new, and reading it would be in vain. */
async function judgeUnread(
  ctx: RunContext,
  built: BuiltObject,
  start: Start,
  judging: Judging,
): Promise<Change> {
  const { desired, ref } = start;
  const read = async (): Promise<Change> =>
    await judgeObject(ctx, built, ref, liveOf(await ctx.cluster.get(ref, ctx.signal)), judging);
  if (asksFor(desired, 'skip', judging.owner) || asksFor(desired, 'onlyCreate', judging.owner))
    return await read();
  const { answer } = await judging.dryRun(desired, undefined);
  if (answer.type === 'refused') return await read();
  if (answer.value.metadata.resourceVersion === undefined) return created(start, answer.value);
  return await compareAgain(ctx, built, start, answer.value, judging);
}

/** How often an object that others keep writing is asked for again before the last answers are compared as they are. */
const maxReadsAgain = 4;

/** Compares with what the server merged with. Others may write between the two calls: then both are made again. */
async function compareAgain(
  ctx: RunContext,
  built: BuiltObject,
  start: Start,
  dryRun: KubeObject,
  judging: Judging,
  left = maxReadsAgain,
): Promise<Change> {
  const again = liveOf(await ctx.cluster.get(start.ref, ctx.signal));
  // A manifest that carries a resourceVersion gets it back from the dry-run of its creation.
  const isOwnVersion = dryRun.metadata.resourceVersion === start.desired.metadata.resourceVersion;
  if (again.type === 'absent' && isOwnVersion) return created(start, dryRun);
  if (again.type !== 'present') return await judgeObject(ctx, built, start.ref, again, judging);
  const live = again.object;
  if (isSkipped(start.desired, live, judging.owner)) return skipped(start, live);
  if (left === 0 || live.metadata.resourceVersion === dryRun.metadata.resourceVersion)
    return await compare(ctx, built, start, live, dryRun, judging);
  const { answer } = await judging.dryRun(start.desired, live);
  if (answer.type === 'refused')
    return refusedChange(built, start, live, maskedRefusal(start, answer.refusal), judging);
  if (answer.value.metadata.resourceVersion === live.metadata.resourceVersion)
    return await compare(ctx, built, start, live, answer.value, judging);
  return await compareAgain(ctx, built, start, answer.value, judging, left - 1);
}

function created(start: Start, dryRun: KubeObject): Change {
  return { ...start, action: 'created', merged: dryRun, write: { payload: start.desired } };
}

function skipped(start: Start, live: KubeObject | undefined): Change {
  return {
    ...start,
    ref: live === undefined ? start.ref : refOf(live),
    action: 'skipped',
    ...withLive(live),
  };
}

type Start = Pick<Change, 'ref' | 'desired' | 'origins' | 'hidden' | 'fields' | 'verified' | 'cached'>;

async function compare(
  ctx: RunContext,
  built: BuiltObject,
  start: Start,
  live: KubeObject,
  dryRun: KubeObject,
  judging: Judging,
): Promise<Change> {
  const { owner, overrideManagers, keepsManagers, ignored, lastApplied } = judging;
  const change = { ...start, ref: refOf(dryRun), live };
  const pointers = ignored(dryRun);
  const takeOver = keepsManagers ? undefined : takeOverOf(change.desired, live, owner, overrideManagers);
  const drifted = hasDrifted(withoutPointers(live, pointers), withoutPointers(dryRun, pointers));
  if (takeOver === undefined && !drifted)
    return { ...change, action: 'unchanged', merged: dryRun, fields: [] };
  const pruned =
    takeOver === undefined
      ? dryRun
      : await settled(ctx, live, dryRun, afterTakeOver(dryRun, takeOver), owner);
  const merged = withLiveValues(pruned, live, dryRun, pointers);
  return {
    ...change,
    action: 'configured',
    merged,
    fields: fieldChanges({
      built,
      live,
      merged,
      dryRun,
      owner,
      lastApplied: lastApplied?.(change.desired),
    }),
    write: {
      ...(takeOver !== undefined && { takeOver: takeOver.operations }),
      payload: payloadWithIgnored(change.desired, live, dryRun, pointers, owner),
    },
  };
}

/**
 * The object after a take-over as the server would complete it: a field that goes may come back with its default. Asked with
 * a second dry-run, only where something besides labels and annotations goes; our own computation where that is refused.
 */
async function settled(
  ctx: RunContext,
  live: KubeObject,
  dryRun: KubeObject,
  pruned: KubeObject,
  owner: Owner,
): Promise<KubeObject> {
  const members = new Set([...Object.keys(pruned), ...Object.keys(live)]);
  const changed = [...members].filter(
    (name) =>
      !['metadata', 'status', 'apiVersion', 'kind'].includes(name) && !equalJson(pruned[name], dryRun[name]),
  );
  if (changed.length === 0) return pruned;
  const operations: JsonObject[] = [...members]
    .filter((name) => name !== 'metadata' && name !== 'status' && !equalJson(pruned[name], live[name]))
    .map((name) => {
      const value = pruned[name];
      return value === undefined
        ? { op: 'remove', path: `/${name}` }
        : { op: 'add', path: `/${name}`, value };
    });
  const answer = await ctx.cluster.patch(
    refOf(live),
    operations,
    { type: 'json', fieldManager: owner.fieldManager, dryRun: true },
    ctx.signal,
  );
  return answer.type === 'refused' ? pruned : { ...answer.value, metadata: pruned.metadata };
}

function isSkipped(desired: KubeObject, live: KubeObject | undefined, owner: Owner): boolean {
  if (asksFor(desired, 'skip', owner) || asksFor(live, 'skip', owner)) return true;
  return live !== undefined && asksFor(desired, 'onlyCreate', owner);
}

function refusedChange(
  built: BuiltObject,
  change: Start,
  live: KubeObject | undefined,
  refusal: Refusal,
  { owner, force, lastApplied }: Judging,
): Change {
  const base = { ...change, ...withLive(live), refusal, fields: [] };
  if (live === undefined)
    return { ...base, action: 'created', ...(isMissingRight(refusal) && { approximate: true }) };
  const merged = approximateMerge(change.desired, live, owner);
  const fields = fieldChanges({
    built,
    live,
    merged,
    dryRun: live,
    owner,
    lastApplied: lastApplied?.(change.desired),
  });
  const mayRecreate = force || asksFor(change.desired, 'force', owner) || asksFor(live, 'force', owner);
  if (mayRecreate && isImmutableRefusal(refusal))
    return { ...base, action: 'recreated', fields, write: { payload: change.desired } };
  if (!isMissingRight(refusal)) return { ...base, action: 'configured', fields };
  return {
    ...base,
    action: fields.length === 0 ? 'unchanged' : 'configured',
    fields,
    merged,
    approximate: true,
  };
}

function withLive(live: KubeObject | undefined): { readonly live?: KubeObject } {
  return live === undefined ? {} : { live };
}

/** The server refuses a definition whose conversion webhook has a caBundle it cannot read; upstream leaves that field out. */
function withoutBrokenCaBundle(object: KubeObject): KubeObject {
  if (!isDefinition(refOf(object))) return object;
  const path = ['spec', 'conversion', 'webhook', 'clientConfig', 'caBundle'];
  let node: unknown = object;
  for (const name of path) node = isJsonObject(node) ? node[name] : undefined;
  if (typeof node !== 'string' || node === '' || isCertificateBundle(node)) return object;
  return withoutPointers(object, [path]);
}

function isCertificateBundle(base64: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  return /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(text);
}
