import { formatDiagnostic } from '../../base/diagnostic.ts';
import { formatDuration } from '../../base/duration.ts';
import { asPlumbError, isPlumbError, plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { Artifact } from '../../flux/artifact.ts';
import { isGateOn } from '../../flux/controllerProfile.ts';
import { fluxFinalizer } from '../../flux/finalizer.ts';
import { timeoutOf } from '../../flux/kustomization.ts';
import { refOf, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import { applyPlan } from '../../ssa/applyPlan.ts';
import { planApply } from '../../ssa/planApply.ts';
import type { ApplyPolicy } from '../../ssa/applyPolicy.ts';
import type { ChangeSet, Inventory, Plan } from '../../ssa/plan.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import type { RunOutcome } from '../../ssa/runOutcome.ts';
import { stage } from '../../ssa/stage.ts';
import { onTarget } from '../../ssa/targetCluster.ts';
import { applyPolicyOf, openTarget } from './applyPolicyOf.ts';
import { type BuiltManifests, buildManifests, desiredOf, pathOf } from './buildDesired.ts';
import { changeLines } from './changeLines.ts';
import { checkHealth } from './checkHealth.ts';
import { findUnreadyDependency } from './dependencies.ts';
import { findDependencyCycle } from './dependencyCycle.ts';
import { finalizeKustomization } from './finalize.ts';
import { compileHealthExprs, type HealthExprs } from './healthExprs.ts';
import { InventoryKeeper } from './inventory.ts';
import { KustomizationRun } from './kustomizationRun.ts';
import { readFluxObject, type KustomizeContext } from './kustomizeContext.ts';
import { pruneRun } from './pruneRun.ts';
import { originRevisionOf, resolveSource, type ResolvedSource } from './resolveSource.ts';
import { endRun, type Ending } from './runEnding.ts';

/**
 * One run of a Kustomization: source, dependencies, build, plan, apply, prune, wait, with the status, inventory and events
 * that kustomize-controller 1.9 would leave (contract 1.2; compared in test/cluster/agreement.test.ts). A failure is an outcome and
 * stands in the status too.
 */
export async function reconcileKustomization(ctx: KustomizeContext, ref: ObjectRef): Promise<RunOutcome> {
  const answer = await readFluxObject(ctx, ref);
  if (answer.type === 'refused') return unreadable(answer.refusal.httpStatus, answer.refusal.message);
  const kustomization = answer.value as unknown as Kustomization;
  const isOverride = ctx.isOverridden?.(ref) ?? false;
  const run = new KustomizationRun(ctx, kustomization, isOverride);
  const { metadata, spec } = kustomization;
  if (metadata.deletionTimestamp !== undefined) return finalizeKustomization(run);
  if (!(metadata.finalizers ?? []).includes(fluxFinalizer)) {
    run.setFinalizers([...(metadata.finalizers ?? []), fluxFinalizer]);
    if (!(await run.flush())) return unreadable(404, 'the object is gone');
  }
  if (spec.suspend === true && !isOverride) {
    await run.finish();
    return { result: 'suspended', reason: 'Suspended', message: '', changeSet: [], next: { type: 'done' } };
  }
  const checked = await check(run);
  if ('ending' in checked) return endRun(run, checked.ending, []);
  return work(run, checked);
}

interface Checked {
  readonly source: ResolvedSource;
  readonly healthExprs: HealthExprs;
}

/** Everything that must hold before a run does any work (contract 1.2, steps 3 to 7). */
async function check(run: KustomizationRun): Promise<Checked | { readonly ending: Ending }> {
  const { ctx, object: kustomization } = run;
  try {
    const healthExprs = compileHealthExprs(kustomization);
    const gate = 'ObjectLevelWorkloadIdentity';
    if (kustomization.spec.decryption?.serviceAccountName && !isGateOn(ctx.profile, gate)) {
      const message = `to use spec.decryption.serviceAccountName for decryption authentication please enable the ${gate} feature gate in the controller`;
      return { ending: { type: 'stalled', reason: 'FeatureGateDisabled', message, isObserved: false } };
    }
    const source = await resolveSource(run);
    if ('ending' in source) return source;
    run.revision = source.artifact.revision;
    run.originRevision = originRevisionOf(source.artifact);
    ctx.onRevision?.(run.revision);
    const unready = await findUnreadyDependency(run, source.artifact);
    if (unready === undefined) return { source, healthExprs };
    const delay = ctx.profile.requeueDependency;
    const waiting = { type: 'waiting', reason: 'DependencyNotReady', message: unready, delay } as const;
    const cycle = await findDependencyCycle(ctx, kustomization);
    if (cycle === undefined) {
      const event = `Dependencies do not meet ready condition, retrying in ${formatDuration(delay)}`;
      return { ending: { ...waiting, event } };
    }
    const circle = `dependency cycle ${cycle.map(({ namespace, name }) => `${namespace}/${name}`).join(' → ')}`;
    const hint = `${circle}: none of them is ever reconciled; take one spec.dependsOn away`;
    return { ending: { ...waiting, event: hint, hint } };
  } catch (error) {
    if (!isPlumbError(error, 'InvalidCELExpression')) throw error;
    const message = `Reconciliation failed terminally due to configuration error: ${error.message}`;
    return { ending: { type: 'stalled', reason: 'InvalidCELExpression', message, isObserved: true } };
  }
}

/** Steps 8 to 20: whatever fails here is told, recorded and tried again at the retry interval. */
async function work(run: KustomizationRun, checked: Checked): Promise<RunOutcome> {
  const { ctx } = run;
  const done: Done = { keeper: new InventoryKeeper(run), changeSet: [], isApplied: false };
  try {
    announce(run, 'Fetching manifests');
    const artifact = await stage(ctx, 'ArtifactFailed', () => fetchArtifact(run, checked.source));
    if (artifact === undefined) return await endRun(run, missingArtifact(ctx), []);
    // Events tell what was applied, which is not what the source has.
    if (run.isOverride) run.revision = artifact.revision;
    await applyArtifact(run, checked, artifact, done);
    return await endRun(run, { type: 'succeeded' }, done.changeSet);
  } catch (error) {
    return await fail(run, done, asPlumbError(error));
  }
}

/** How far a run has come, for whoever has to end it. */
interface Done {
  readonly keeper: InventoryKeeper;
  changeSet: ChangeSet;
  isApplied: boolean;
}

async function applyArtifact(
  run: KustomizationRun,
  { healthExprs }: Checked,
  artifact: Artifact,
  done: Done,
): Promise<void> {
  const { ctx, object: kustomization } = run;
  // An attempt counts from here on: without the folder there is none.
  pathOf(kustomization, artifact);
  run.setStatus({ lastAttemptedRevision: run.revision });
  announce(run, 'Building manifests');
  const target = await stage(ctx, 'ReconciliationFailed', () => openTarget(ctx, kustomization));
  try {
    const on: RunContext = onTarget(ctx, target);
    const policy = applyPolicyOf(kustomization, ctx.profile);
    const judge = (): Promise<Plan> => buildAndPlan(run, on, artifact, done.keeper.recorded, policy);
    const isNew = kustomization.metadata.generation !== run.status.observedGeneration;
    const plan = await (isNew ? run.showingProgress(judge) : judge());
    const applied = await stage(ctx, 'ReconciliationFailed', () =>
      applyPlan(on, plan, {
        ...policy,
        approval: 'unattended',
        inventory: done.keeper,
      }),
    );
    // A cancelled apply returns what it has done: that is not the whole inventory.
    ctx.signal.throwIfAborted();
    done.isApplied = true;
    done.changeSet = applied;
    done.keeper.complete(applied, plan.stale);
    const changes = changeLines(applied);
    if (changes !== '') run.event('info', changes);
    const pruned = await stage(ctx, 'PruneFailed', () => pruneRun(run, on, plan.stale, done.keeper));
    done.keeper.complete(applied, plan.stale);
    done.changeSet = [...applied, ...pruned];
    await stage(ctx, 'HealthCheckFailed', () =>
      checkHealth(run, on, { applied, exprs: healthExprs, hasDrifted: changes !== '' }),
    );
  } finally {
    target.close();
  }
  succeed(run);
}

async function buildAndPlan(
  run: KustomizationRun,
  on: RunContext,
  artifact: Artifact,
  recorded: Inventory,
  policy: ApplyPolicy,
): Promise<Plan> {
  const { ctx, object: kustomization } = run;
  const manifests = await stage(ctx, 'BuildFailed', () => buildManifests(ctx, kustomization, artifact));
  run.checksum = manifests.checksum;
  announce(run, 'Detecting drift');
  warn(run, manifests);
  return await stage(ctx, 'ReconciliationFailed', () =>
    planApply(on, desiredOf(manifests, kustomization), recorded, {
      ...policy,
      ...(on.watched !== undefined && { watched: (object: KubeObject) => on.watched?.(refOf(object)) }),
    }),
  );
}

/** What only the user can judge: the conditions stay those of the controllers. */
function warn(run: KustomizationRun, { own, diagnostics }: BuiltManifests): void {
  const macs = diagnostics.filter(({ code }) => code.startsWith('sops-mac'));
  run.warnings = [
    ...(own.usedKeys ? [ownKeysUsed] : []),
    ...own.usedLogins.map(
      (cloud) =>
        `decrypted with your own login at ${cloud}, in place of the workload identity of the controllers`,
    ),
    ...macs.map(formatDiagnostic),
  ];
  if (own.usedKeys) run.event('error', ownKeysUsed);
}

/** The event is read by others: it is not the reader's keys that are meant. */
const ownKeysUsed =
  'decrypted with keys of the user who runs Plumb: those that spec.decryption names do not fit, so the kustomize-controller would fail';

function succeed(run: KustomizationRun): void {
  const { revision, originRevision } = run;
  run.setStatus({
    lastAppliedRevision: revision,
    lastAppliedOriginRevision: originRevision === '' ? undefined : originRevision,
  });
  const reason = 'ReconciliationSucceeded';
  run.set({ type: 'Ready', status: 'True', reason, message: `Applied revision: ${revision}` });
  run.addToHistory(reason);
}

async function fail(run: KustomizationRun, done: Done, cause: PlumbError): Promise<RunOutcome> {
  if (!done.isApplied) {
    done.keeper.narrow();
    done.changeSet = done.keeper.applied;
  }
  const error = done.isApplied ? cause : withChanges(cause, done.changeSet);
  if (error.code === 'HealthCheckCanceled')
    return endRun(run, { type: 'superseded', message: error.message }, done.changeSet);
  if (error.kind === 'cancelled') {
    await run.flushInventory();
    const { reason, message } = error;
    return {
      result: 'failed',
      errorKind: 'cancelled',
      reason,
      message,
      changeSet: done.changeSet,
      next: { type: 'done' },
    };
  }
  const isRecorded = ['ReconciliationFailed', 'PruneFailed', 'HealthCheckFailed'].includes(error.reason);
  if (isRecorded && run.checksum !== '') run.addToHistory(error.reason);
  return endRun(run, { type: 'failed', error, next: 'retryInterval' }, done.changeSet);
}

/** A failed apply also tells what it did before. */
function withChanges(error: PlumbError, changeSet: ChangeSet): PlumbError {
  const lines = changeLines(changeSet);
  if (lines === '') return error;
  return plumbError(error.code, { ...error.details, message: `${error.details.message}\n${lines}` });
}

/** The files of the source's revision; undefined while nobody has them. An override takes whatever folder stands in. */
async function fetchArtifact(run: KustomizationRun, source: ResolvedSource): Promise<Artifact | undefined> {
  const artifact = await run.ctx.fetchArtifact(source.object, run.ctx.signal);
  if (artifact === undefined || run.isOverride) return artifact;
  return artifact.revision === source.artifact.revision ? artifact : undefined;
}

function missingArtifact({ profile }: KustomizeContext): Ending {
  const delay = profile.requeueDependency;
  const message = `Source is not ready, artifact not found, retrying in ${formatDuration(delay)}`;
  return { type: 'waiting', reason: 'ArtifactFailed', message, delay };
}

/** Progress in upstream's words, in memory: the next flush shows it. */
function announce(run: KustomizationRun, what: string): void {
  const timeout = formatDuration(timeoutOf(run.object));
  run.set({ type: 'Ready', status: 'Unknown', reason: 'Progressing', message: 'Reconciliation in progress' });
  run.progress(`${what} for revision ${run.revision} with a timeout of ${timeout}`);
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
