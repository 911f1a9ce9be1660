import type { DurationMs } from '../../base/duration.ts';
import { asPlumbError, type ErrorKind } from '../../base/plumbError.ts';
import type { Condition, FetchedArtifact } from '../../flux/api/meta.gen.ts';
import {
  conditionStatus,
  getCondition,
  isReady,
  isStalled,
  markReconciling,
  markStalled,
  removeCondition,
  setCondition,
  summarizeConditions,
  type ConditionState,
  type Conditions,
  type SummaryRule,
} from '../../flux/conditions.ts';
import type { FluxEvent } from '../../flux/events.ts';
import { fluxFinalizer } from '../../flux/finalizer.ts';
import { durationOf } from '../../flux/kustomization.ts';
import * as statusRules from '../../flux/statusPatch.ts';
import type { KubeObject, ObjectMeta, ObjectRef } from '../../kube/object.ts';
import { ObjectPatcher } from '../../ssa/objectPatcher.ts';
import type { NextRun, RunOutcome } from '../../ssa/runOutcome.ts';
import type { SourceContext } from './sourceContext.ts';

export const sourceGroup = 'source.toolkit.fluxcd.io';
const component = 'source-controller';

/** The members that every source with an artifact has. */
export type SourceObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: { readonly interval?: string; readonly suspend?: boolean };
  readonly status?: {
    readonly artifact?: FetchedArtifact;
    readonly conditions?: readonly Condition[];
    readonly observedGeneration?: number;
    readonly lastHandledReconcileAt?: string;
  };
};

/**
 * How the kind's own steps ended (contract 2.2). `unchanged` is a success that did no work; `failed` is tried again
 * with backoff, `waiting` after its delay, `stalled` when the object changes.
 */
export type StepResult =
  | { readonly type: 'succeeded' }
  | { readonly type: 'unchanged'; readonly reason: string; readonly message: string }
  | {
      readonly type: 'waiting';
      readonly reason: string;
      readonly message: string;
      readonly delay: DurationMs;
    }
  | { readonly type: 'failed'; readonly reason: string; readonly message: string; readonly hint?: string }
  | { readonly type: 'stalled'; readonly reason: string; readonly message: string; readonly hint?: string };

/** What tells one kind of source from another. */
export interface SourceKind<T extends SourceObject> {
  readonly summary: SummaryRule;
  /** Conditions whose end is a recovery. */
  readonly failures: readonly string[];
  /** Fetches, judges and stores; sets conditions and status.artifact on the run. */
  readonly run: (ctx: SourceContext, run: SourceRun<T>) => Promise<StepResult>;
  /** Of a new artifact, e.g. `stored artifact for commit 'Fix port'`. */
  readonly storedMessage: (run: SourceRun<T>) => string;
}

/** One run over one source object: its state in memory, and the words upstream uses for it. */
export class SourceRun<T extends SourceObject> {
  readonly #ctx: SourceContext;
  readonly #patcher: ObjectPatcher<T & KubeObject>;

  constructor(ctx: SourceContext, object: T) {
    this.#ctx = ctx;
    this.#patcher = new ObjectPatcher(object as T & KubeObject, component, statusRules);
  }

  get object(): T {
    return this.#patcher.current;
  }

  get conditions(): Conditions {
    return this.object.status?.conditions ?? [];
  }

  has(type: string): boolean {
    return getCondition(this.conditions, type) !== undefined;
  }

  set(state: ConditionState): void {
    this.#setConditions(setCondition(this.conditions, state, this.#at()));
  }

  remove(type: string): void {
    this.#setConditions(removeCondition(this.conditions, type));
  }

  stall(reason: string, message: string): void {
    this.#setConditions(markStalled(this.conditions, reason, message, this.#at()));
  }

  /** Reconciling with that message; Ready becomes Unknown where it says nothing, or when the content is changing. */
  progress(message: string, isChanging: boolean): void {
    const reason = 'Progressing';
    this.#setConditions(markReconciling(this.conditions, reason, message, this.#at()));
    if (isChanging || conditionStatus(this.conditions, 'Ready') === 'Unknown')
      this.set({ type: 'Ready', status: 'Unknown', reason, message });
  }

  summarize(rule: SummaryRule): void {
    this.#setConditions(summarizeConditions(this.conditions, rule, this.#at()));
  }

  /** Members of status set, or removed when undefined. */
  setStatus(members: Readonly<Record<string, unknown>>): void {
    this.#patcher.current = { ...this.#patcher.current, status: { ...this.object.status, ...members } };
  }

  setFinalizers(finalizers: readonly string[]): void {
    const { current } = this.#patcher;
    this.#patcher.current = { ...current, metadata: { ...current.metadata, finalizers } };
  }

  flush(): Promise<boolean> {
    return this.#patcher.flush(this.#ctx);
  }

  event(
    severity: FluxEvent['severity'],
    reason: string,
    message: string,
    metadata: FluxEvent['metadata'] = {},
  ): void {
    this.#ctx.recordEvent({ object: this.#patcher.current, severity, reason, message, metadata, component });
  }

  #setConditions(conditions: Conditions): void {
    this.setStatus({ conditions });
  }

  #at(): { readonly generation: number; readonly now: number } {
    return { generation: this.object.metadata.generation ?? 0, now: this.#ctx.clock.now() };
  }
}

/** One run of a source controller, from reading the object to its last status patch. */
export async function reconcileSource<T extends SourceObject>(
  ctx: SourceContext,
  ref: ObjectRef,
  kind: SourceKind<T>,
): Promise<RunOutcome> {
  const answer = await ctx.cluster.get(ref, ctx.signal);
  if (answer.type === 'refused') return unreadable(answer.refusal.httpStatus, answer.refusal.message);
  const run = new SourceRun<T>(ctx, answer.value as unknown as T);
  const { metadata, spec } = run.object;
  if (metadata.deletionTimestamp !== undefined) {
    ctx.artifacts.delete(ref);
    run.setFinalizers((metadata.finalizers ?? []).filter((name) => name !== fluxFinalizer));
    await run.flush();
    return outcome(run, 'deleted', { type: 'done' });
  }
  if (!(metadata.finalizers ?? []).includes(fluxFinalizer)) {
    run.setFinalizers([...(metadata.finalizers ?? []), fluxFinalizer]);
    if (!(await run.flush())) return unreadable(404, 'the object is gone');
  }
  if (spec.suspend === true) {
    recordRequest(run);
    await run.flush();
    return outcome(run, 'suspended', { type: 'done' });
  }
  return runSteps(ctx, run, kind);
}

async function runSteps<T extends SourceObject>(
  ctx: SourceContext,
  run: SourceRun<T>,
  kind: SourceKind<T>,
): Promise<RunOutcome> {
  const before = run.object;
  const observed = before.status?.observedGeneration ?? 0;
  const generation = before.metadata.generation ?? 0;
  run.progress('reconciliation in progress', false);
  if (generation !== observed)
    run.progress(`processing object: new generation ${observed} -> ${generation}`, false);
  if (generation !== observed || requestOf(before) !== (before.status?.lastHandledReconcileAt ?? ''))
    await run.flush();
  run.remove('StorageOperationFailed');
  const result = await kind.run(ctx, run);
  notify(run, kind, before, result);
  conclude(run, kind, result);
  recordRequest(run);
  if (!(await run.flush())) return unreadable(404, 'the object is gone');
  const interval = durationOf(before as KubeObject, 'spec.interval', before.spec.interval ?? '10m');
  return outcome(run, isReady(run.conditions) ? 'succeeded' : 'failed', nextRun(result, interval), result);
}

/** Runs a step whose failure the kind turns into its own condition: cancellation passes, everything else is a result. */
export async function attempt<R>(
  work: () => Promise<R>,
): Promise<
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly message: string; readonly hint?: string }
> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    const failure = asPlumbError(error);
    if (failure.kind === 'cancelled' || failure.kind === 'bug') throw error;
    return {
      ok: false,
      message: failure.details.message,
      ...(failure.hint !== undefined && { hint: failure.hint }),
    };
  }
}

function notify<T extends SourceObject>(
  run: SourceRun<T>,
  kind: SourceKind<T>,
  before: T,
  result: StepResult,
): void {
  const artifact = run.object.status?.artifact;
  switch (result.type) {
    case 'failed':
    case 'stalled':
      return run.event('error', result.reason, result.message);
    case 'waiting':
      return run.event('trace', result.reason, result.message);
    case 'unchanged':
      run.event('trace', result.reason, result.message);
      break;
    case 'succeeded':
      break;
  }
  if (artifact === undefined) return;
  const metadata = {
    [`${sourceGroup}/revision`]: artifact.revision,
    [`${sourceGroup}/digest`]: artifact.digest,
  };
  if (before.status?.artifact?.digest !== artifact.digest)
    run.event('info', 'NewArtifact', kind.storedMessage(run), metadata);
  else if (hasRecovered(kind, before, run.conditions))
    run.event('info', 'Succeeded', kind.storedMessage(run), metadata);
}

function hasRecovered<T extends SourceObject>(kind: SourceKind<T>, before: T, now: Conditions): boolean {
  const had = (conditions: Conditions): boolean =>
    kind.failures.some((type) => getCondition(conditions, type) !== undefined);
  return had(before.status?.conditions ?? []) && !had(now);
}

/** Reconciling, Stalled, the summary and the observed generation, as the result says. */
function conclude<T extends SourceObject>(run: SourceRun<T>, kind: SourceKind<T>, result: StepResult): void {
  const isDone = result.type === 'succeeded' || result.type === 'unchanged';
  if (isDone) run.remove('Reconciling');
  const reconciling = getCondition(run.conditions, 'Reconciling');
  if (reconciling !== undefined && conditionStatus(run.conditions, 'Stalled') !== 'True')
    run.set({ ...reconciling, reason: 'ProgressingWithRetry' });
  if (result.type === 'stalled') run.stall(result.reason, result.message);
  else run.remove('Stalled');
  if (isDone || result.type === 'stalled')
    run.setStatus({ observedGeneration: run.object.metadata.generation ?? 0 });
  run.summarize(kind.summary);
  const verified = getCondition(run.conditions, 'SourceVerified');
  if (verified?.status === 'False')
    run.set({ type: 'Ready', status: 'False', reason: verified.reason, message: verified.message });
}

function nextRun(result: StepResult, interval: DurationMs): NextRun {
  switch (result.type) {
    case 'succeeded':
    case 'unchanged':
      return { type: 'after', delay: interval };
    case 'waiting':
      return { type: 'after', delay: result.delay };
    case 'failed':
      return { type: 'backoff' };
    case 'stalled':
      return { type: 'done' };
  }
}

function outcome<T extends SourceObject>(
  run: SourceRun<T>,
  result: RunOutcome['result'],
  next: NextRun,
  step?: StepResult,
): RunOutcome {
  const ready = getCondition(run.conditions, 'Ready');
  const revision = run.object.status?.artifact?.revision;
  const hint = step !== undefined && 'hint' in step ? step.hint : undefined;
  return {
    result,
    reason: ready?.reason ?? '',
    message: ready?.message ?? '',
    ...(result === 'failed' && { errorKind: errorKindOf(step, run.conditions) }),
    ...(hint !== undefined && { hint }),
    ...(revision !== undefined && { revision }),
    changeSet: [],
    next,
  };
}

function errorKindOf(step: StepResult | undefined, conditions: Conditions): ErrorKind {
  if (isStalled(conditions)) return 'stalled';
  return step?.type === 'waiting' ? 'waiting' : 'transient';
}

function unreadable(httpStatus: number, message: string): RunOutcome {
  const isGone = httpStatus === 404;
  return {
    result: isGone ? 'gone' : 'failed',
    reason: isGone ? 'NotFound' : 'AccessDenied',
    message,
    ...(!isGone && { errorKind: 'stalled' as const }),
    changeSet: [],
    next: isGone ? { type: 'done' } : { type: 'backoff' },
  };
}

function requestOf(object: SourceObject): string {
  return object.metadata.annotations?.['reconcile.fluxcd.io/requestedAt'] ?? '';
}

function recordRequest<T extends SourceObject>(run: SourceRun<T>): void {
  const request = requestOf(run.object);
  if (request !== '') run.setStatus({ lastHandledReconcileAt: request });
}
