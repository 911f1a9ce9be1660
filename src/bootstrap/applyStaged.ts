import { equalJson, type JsonObject } from '../base/json.ts';
import { mapLimit } from '../base/mapLimit.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { computeStatus } from '../kube/kstatus.ts';
import { formatRef, type KubeObject, type ObjectRef, refOf } from '../kube/object.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { waitUntilReady } from '../ssa/waitUntilReady.ts';
import { refusedError } from './refusedError.ts';

/** What an apply does, or did, to one object. `unverified`: the server cannot judge it before the first stage is in place. */
export interface StagedObject {
  readonly ref: ObjectRef;
  readonly action: 'created' | 'configured' | 'unchanged' | 'unverified';
}

/** The field manager of the flux command line; the controllers own the same fields beside it afterwards. */
export const cliFieldManager = 'flux';

const concurrency = 8;
const definitionWaitMs = 60_000;

/** Dry-runs the objects as `applyStaged` would apply them. Read-only. Throws AccessDenied or ReconciliationFailed with the server's words. */
export async function planStaged(
  ctx: RunContext,
  objects: readonly KubeObject[],
): Promise<readonly StagedObject[]> {
  const first = await judgeAll(ctx, objects.filter(isDefinition), false);
  const firstChanges = first.some(({ action }) => action !== 'unchanged');
  const rest = await judgeAll(
    ctx,
    objects.filter((object) => !isDefinition(object)),
    firstChanges,
  );
  return [...first, ...rest];
}

/**
 * Applies as upstream's command line does (contract 7.1): namespaces, definitions and cluster roles, a wait until they are
 * Current, then the rest. Unchanged objects are not written; nothing is pruned; a second call finishes what was interrupted.
 */
export async function applyStaged(
  ctx: RunContext,
  objects: readonly KubeObject[],
): Promise<readonly StagedObject[]> {
  const first = await applyAll(ctx, objects.filter(isDefinition));
  const unsettled = first.filter(({ isCurrent }) => !isCurrent).map(({ ref }) => ref);
  await waitUntilReady(ctx, unsettled, { timeout: definitionWaitMs, failFast: true });
  const rest = await applyAll(
    ctx,
    objects.filter((object) => !isDefinition(object)),
  );
  return [...first, ...rest].map(({ ref, action }) => ({ ref, action }));
}

/** `12 created, 3 unchanged`: what happened, most telling word first. */
export function summarizeStaged(objects: readonly StagedObject[]): string {
  const counts = (['created', 'configured', 'unverified', 'unchanged'] as const)
    .map((action) => [action, objects.filter((object) => object.action === action).length] as const)
    .filter(([, count]) => count > 0);
  return counts.map(([action, count]) => `${count} ${action}`).join(', ');
}

function isDefinition({ kind }: KubeObject): boolean {
  return kind === 'CustomResourceDefinition' || kind === 'Namespace' || kind === 'ClusterRole';
}

function judgeAll(
  ctx: RunContext,
  objects: readonly KubeObject[],
  mayBeEarly: boolean,
): Promise<readonly StagedObject[]> {
  return mapLimit(
    objects,
    concurrency,
    async (object): Promise<StagedObject> => {
      const ref = refOf(object);
      const { live, dryRun } = await dryRunOne(ctx, object);
      if (dryRun.type === 'refused') {
        if (mayBeEarly && dryRun.refusal.httpStatus === 404) return { ref, action: 'unverified' };
        throw refusedError(ref, 'dry-run', dryRun.refusal);
      }
      return { ref, action: actionOf(live, dryRun.value) };
    },
    ctx.signal,
  );
}

function applyAll(ctx: RunContext, objects: readonly KubeObject[]): Promise<readonly Applied[]> {
  return mapLimit(objects, concurrency, (object) => applyOne(ctx, object), ctx.signal);
}

interface Applied extends StagedObject {
  /** Known to be ready already; what was written has to be waited for. */
  readonly isCurrent: boolean;
}

async function applyOne(ctx: RunContext, object: KubeObject): Promise<Applied> {
  const ref = refOf(object);
  const { live, dryRun } = await dryRunOne(ctx, object);
  if (dryRun.type === 'refused') throw refusedError(ref, 'dry-run', dryRun.refusal);
  const action = actionOf(live, dryRun.value);
  if (action === 'unchanged')
    return { ref, action, isCurrent: live !== undefined && computeStatus(live).status === 'Current' };
  const options = { fieldManager: cliFieldManager, force: true, dryRun: false };
  const applied = await ctx.cluster.apply(object, options, ctx.signal);
  if (applied.type === 'refused') throw refusedError(ref, 'apply', applied.refusal);
  ctx.log.info('applied', { ref: formatRef(ref), action });
  return { ref, action, isCurrent: false };
}

async function dryRunOne(
  ctx: RunContext,
  object: KubeObject,
): Promise<{ readonly live: KubeObject | undefined; readonly dryRun: Answer }> {
  const ref = refOf(object);
  const live = await ctx.cluster.get(ref, ctx.signal);
  if (live.type === 'refused' && live.refusal.httpStatus !== 404)
    throw refusedError(ref, 'get', live.refusal);
  const options = { fieldManager: cliFieldManager, force: true, dryRun: true };
  const dryRun = await ctx.cluster.apply(object, options, ctx.signal);
  return { live: live.type === 'ok' ? live.value : undefined, dryRun };
}

function actionOf(live: KubeObject | undefined, applied: KubeObject): StagedObject['action'] {
  if (live === undefined) return 'created';
  return equalJson(comparable(live), comparable(applied)) ? 'unchanged' : 'configured';
}

/** The object without what the server counts and records; upstream compares the same (contract 1.6). */
function comparable({ metadata, status: _status, ...rest }: KubeObject): JsonObject {
  const { labels, annotations } = metadata;
  return { ...rest, metadata: { labels: labels ?? {}, annotations: annotations ?? {} } };
}
