import type { DurationMs } from '../base/duration.ts';
import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { computeStatus, type StatusResult } from '../kube/kstatus.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey } from '../kube/object.ts';
import { followerOn } from './followObjects.ts';
import type { RunContext } from './runContext.ts';

export interface WaitOptions {
  readonly timeout: DurationMs;
  /** Judges objects that have rules of their own (health check expressions); undefined for all others. */
  readonly statusOf?: (object: KubeObject) => StatusResult | undefined;
  /** False: a Failed object does not end the wait before the timeout. */
  readonly failFast: boolean;
}

/** Every object was Current. */
export interface Health {
  readonly elapsedMs: DurationMs;
}

type Verdict = StatusResult & { readonly ref: ObjectRef };

/**
 * Waits until every object is Current, or one has Failed (kstatus).
 * Parked on watches: no polling, no slot held; the timeout covers the whole set. Read-only.
 * Throws HealthCheckFailed listing each object that is not Current; Cancelled when ctx.signal aborts.
 * Follows fluxcd/pkg ssa/manager_wait.go: a Job removed by its TTL counts as Current.
 */
export async function waitUntilReady(
  ctx: RunContext,
  refs: readonly ObjectRef[],
  options: WaitOptions,
): Promise<Health> {
  const started = ctx.clock.now();
  if (refs.length === 0) return { elapsedMs: 0 };
  const park = ctx.park ?? (<T>(wait: () => Promise<T>) => wait());
  const verdicts = await park(() => collectVerdicts(ctx, refs, options));
  ctx.signal.throwIfAborted();
  const bad = verdicts.filter(({ status }) => status !== 'Current');
  if (bad.length === 0) return { elapsedMs: ctx.clock.now() - started };
  throw healthError(bad);
}

async function collectVerdicts(
  ctx: RunContext,
  refs: readonly ObjectRef[],
  options: WaitOptions,
): Promise<readonly Verdict[]> {
  const done = new AbortController();
  const verdicts = new Map<string, Verdict>(
    refs.map((ref) => [refKey(ref), { ref, status: 'Unknown', message: 'not seen yet' }]),
  );
  const last = new Map<string, KubeObject>();
  const follower = ctx.follower ?? followerOn(ctx.cluster);
  const signal = AbortSignal.any([ctx.signal, done.signal]);
  let recheck: NodeJS.Timeout | undefined;

  const judge = (ref: ObjectRef, object: KubeObject | undefined): void => {
    const key = refKey(ref);
    verdicts.set(key, verdictOn(ref, object, last.get(key), options));
    if (object !== undefined) last.set(key, object);
    if (isDecided([...verdicts.values()], options.failFast)) done.abort();
  };
  // kstatus judges an unschedulable pod by its age, which no watch event announces.
  const judgeByAge = (): void => {
    for (const { ref } of verdicts.values()) {
      const object = last.get(refKey(ref));
      if (object?.kind === 'Pod' && object.apiVersion === 'v1') judge(ref, object);
    }
    recheck = setTimeout(judgeByAge, ageCheckMs);
  };
  recheck = setTimeout(judgeByAge, ageCheckMs);
  const timeout = ctx.clock.sleep(options.timeout, signal).then(
    () => done.abort(),
    () => undefined, // Decided or cancelled before.
  );
  try {
    await untilAborted(follower.follow(refs, judge, signal), signal);
  } finally {
    clearTimeout(recheck);
    done.abort();
    await timeout;
  }
  return [...verdicts.values()];
}

const ageCheckMs = 5_000;

/** A follower may end late or with the abort itself; only its own failure counts. */
async function untilAborted(following: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await following;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function verdictOn(
  ref: ObjectRef,
  object: KubeObject | undefined,
  before: KubeObject | undefined,
  options: WaitOptions,
): Verdict {
  if (object !== undefined) return { ref, ...(options.statusOf?.(object) ?? computeStatus(object)) };
  if (before !== undefined && isJobWithTtl(before))
    return { ref, status: 'Current', message: 'the Job was removed by its TTL' };
  return { ref, status: 'NotFound', message: 'there is no such object' };
}

function isJobWithTtl(object: KubeObject): boolean {
  const spec = object['spec'];
  return (
    object.kind === 'Job' &&
    object.apiVersion.startsWith('batch/') &&
    isJsonObject(spec) &&
    spec['ttlSecondsAfterFinished'] !== undefined
  );
}

function isDecided(verdicts: readonly Verdict[], failFast: boolean): boolean {
  return (
    (failFast && verdicts.some(({ status }) => status === 'Failed')) ||
    verdicts.every(({ status }) => status === 'Current')
  );
}

/** Upstream's words (contract 1.10); the messages of the objects follow. */
function healthError(bad: readonly Verdict[]) {
  const failed = bad.filter(({ status }) => status === 'Failed');
  const named = (verdicts: readonly Verdict[]): string =>
    verdicts.map(({ ref, status }) => `${formatRef(ref)} status: '${status}'`).join(', ');
  const told = (failed.length > 0 ? failed : bad).filter(({ message }) => message !== '').slice(0, 5);
  return plumbError('HealthCheckFailed', {
    message:
      failed.length > 0
        ? `failed early due to stalled resources: [${named(failed)}]`
        : `timeout waiting for: [${named(bad)}]`,
    ...(told.length > 0 && {
      hint: told.map(({ ref, message }) => `${formatRef(ref)}: ${message}`).join('; '),
    }),
  });
}
