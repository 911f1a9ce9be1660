import type { DurationMs } from '../base/duration.ts';
import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { computeStatus, type KStatus, type StatusResult } from '../kube/kstatus.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey } from '../kube/object.ts';
import { explainStuck } from './explainStuck.ts';
import { followerOn, type FollowedRef } from './followObjects.ts';
import { lastWarnings } from './lastWarnings.ts';
import type { RunContext } from './runContext.ts';

export interface WaitOptions {
  readonly timeout: DurationMs;
  /** Judges objects that have rules of their own (health check expressions); undefined for all others. */
  readonly statusOf?: (object: KubeObject) => StatusResult | undefined;
  /** True: the first Failed object ends the wait. False: it goes on while any object is neither Current nor Failed. */
  readonly failFast: boolean;
  /** Jobs that count as Current when they are gone, seen before or not: those whose TTL removes them. */
  readonly mayVanish?: (ref: ObjectRef) => boolean;
}

/** Every object was Current. */
export interface Health {
  readonly elapsedMs: DurationMs;
}

interface Waited {
  readonly ref: FollowedRef;
  /** Undefined until it was looked at. */
  status: KStatus | undefined;
  message: string;
  object: KubeObject | undefined;
  seen: KubeObject | undefined;
  /** A pod of it will never start. */
  podFailed: boolean;
  reasons: readonly string[];
}

/** Pods of a workload are looked at when it has been in progress for this long, and again at this pace. */
const inspectMs = 5000;

/**
 * Waits until every object is Current, or one has Failed (kstatus).
 * Parked on watches: no polling, no slot held; the timeout covers the whole set. Read-only.
 * Throws HealthCheckFailed in upstream's words, naming each object that is not Current, with what its pods and conditions
 * say as the hint; Cancelled when ctx.signal aborts.
 * Follows fluxcd/pkg ssa/manager_wait.go: a Job removed by its TTL counts as Current.
 */
export async function waitUntilReady(
  ctx: RunContext,
  refs: readonly FollowedRef[],
  options: WaitOptions,
): Promise<Health> {
  const started = ctx.clock.now();
  if (refs.length === 0) return { elapsedMs: 0 };
  const park = ctx.park ?? (<T>(wait: () => Promise<T>) => wait());
  const waited = refs.map((ref): Waited => ({
    ref,
    status: undefined,
    message: '',
    object: undefined,
    seen: undefined,
    podFailed: false,
    reasons: [],
  }));
  await park(() => followAll(ctx, waited, options));
  return { elapsedMs: ctx.clock.now() - started };
}

async function followAll(ctx: RunContext, waited: readonly Waited[], options: WaitOptions): Promise<void> {
  const ended = Promise.withResolvers<'decided' | 'timeout'>();
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const byKey = new Map(waited.map((entry) => [refKey(entry.ref), entry]));
  const judge = (): void => {
    if (isDecided(waited, options)) ended.resolve('decided');
  };
  const update = (entry: Waited, object: KubeObject | undefined): void => {
    entry.object = object;
    entry.seen = object ?? entry.seen;
    const { status, message, changesAt } = statusOf(ctx, entry, options);
    Object.assign(entry, { status, message });
    judge();
    // kstatus judges an unschedulable pod by its age, which no watch event announces.
    if (changesAt === undefined) return;
    ctx.clock.sleep(Math.max(0, changesAt - ctx.clock.now()), signal).then(
      () => entry.object === object && update(entry, object),
      () => undefined,
    );
  };
  const cancel = (): void =>
    ended.reject(plumbError('Cancelled', { message: 'the wait was cancelled', cause: ctx.signal.reason }));
  ctx.signal.addEventListener('abort', cancel);
  if (ctx.signal.aborted) cancel();
  const fail = (error: unknown): void => {
    if (!signal.aborted) ended.reject(error);
  };
  ctx.clock.sleep(options.timeout, signal).then(
    () => ended.resolve('timeout'),
    () => undefined,
  );
  const follower = ctx.follower ?? followerOn(ctx.cluster);
  follower
    .follow(
      waited.map(({ ref }) => ref),
      (ref, object) => {
        const entry = byKey.get(refKey(ref));
        if (entry !== undefined && !signal.aborted) update(entry, object);
      },
      signal,
    )
    .catch(fail);
  inspectPods({ ...ctx, signal }, waited, judge).catch(fail);
  try {
    const end = await ended.promise;
    const bad = notReady(waited, end);
    for (const entry of bad) await explainInFull(ctx, entry);
    if (bad.length > 0) throw healthError(bad, end);
  } finally {
    over.abort();
    ctx.signal.removeEventListener('abort', cancel);
  }
}

function statusOf(ctx: RunContext, entry: Waited, options: WaitOptions): StatusResult {
  const { object, seen, ref } = entry;
  if (object === undefined) {
    const isExpected = options.mayVanish?.(ref) === true || (seen !== undefined && isJobWithTtl(seen));
    return isExpected
      ? { status: 'Current', message: 'the Job was removed by its TTL' }
      : { status: 'NotFound', message: 'there is no such object' };
  }
  const result = options.statusOf?.(object) ?? computeStatus(object, ctx.clock.now());
  return entry.podFailed && result.status === 'InProgress' ? { ...result, status: 'Failed' } : result;
}

function isJobWithTtl({ apiVersion, kind, spec }: KubeObject): boolean {
  return (
    kind === 'Job' &&
    apiVersion.startsWith('batch/') &&
    isJsonObject(spec) &&
    spec['ttlSecondsAfterFinished'] !== undefined
  );
}

function isDecided(waited: readonly Waited[], { failFast }: WaitOptions): boolean {
  return (
    (failFast && waited.some(({ status }) => status === 'Failed')) ||
    waited.every(({ status }) => status === 'Current' || status === 'Failed')
  );
}

function notReady(waited: readonly Waited[], end: 'decided' | 'timeout'): readonly Waited[] {
  return waited.filter(({ status }) => status === 'Failed' || (end === 'timeout' && status !== 'Current'));
}

/** Upstream's words (contract 1.10). */
function healthError(bad: readonly Waited[], end: 'decided' | 'timeout'): Error {
  const named = bad.map(({ ref, status }) =>
    status === undefined
      ? `can't determine status for ${formatRef(ref)}`
      : `${formatRef(ref)} status: '${status}'`,
  );
  const words = end === 'timeout' ? 'timeout waiting for' : 'failed early due to stalled resources';
  const told = bad.flatMap(({ ref, message, reasons }) =>
    reasons.length > 0 ? reasons : message === '' ? [] : [`${formatRef(ref)}: ${message}`],
  );
  return plumbError('HealthCheckFailed', {
    message: `${words}: [${named.join(', ')}]`,
    ...(told.length > 0 && { hint: [...new Set(told)].slice(0, 5).join('; ') }),
  });
}

/** A workload fails with a pod that will never start; upstream looks at each poll, we once it takes long. */
async function inspectPods(ctx: RunContext, waited: readonly Waited[], judge: () => void): Promise<void> {
  for (;;) {
    await ctx.clock.sleep(inspectMs, ctx.signal);
    for (const entry of waited) {
      if (entry.status !== 'InProgress') continue;
      await explain(ctx, entry);
      if (entry.podFailed && (entry.status as KStatus) === 'InProgress') entry.status = 'Failed';
    }
    judge();
  }
}

async function explain(ctx: RunContext, entry: Waited): Promise<readonly KubeObject[]> {
  if (entry.object === undefined || ctx.signal.aborted) return [];
  const report = await explainStuck(ctx, entry.object);
  if (report === undefined) return [];
  entry.podFailed = report.failed;
  entry.reasons = report.reasons;
  return report.waiting;
}

/** Once it is over: where no status tells why, the last events about the object and its pods do. */
async function explainInFull(ctx: RunContext, entry: Waited): Promise<void> {
  const pods = await explain(ctx, entry);
  if (entry.object === undefined || entry.reasons.length > 0 || ctx.signal.aborted) return;
  entry.reasons = await lastWarnings(ctx, [...pods, entry.object]);
}
