import * as vscode from 'vscode';
import { plumbError } from '../../base/plumbError.ts';
import { formatRef, refKey, type ObjectRef } from '../../kube/object.ts';
import type { PlanView, RunView } from '../../protocol/views.ts';
import {
  applyConfirmation,
  diffSummary,
  loginQuestion,
  pruneConfirmation,
  type Confirmation,
} from '../model/planText.ts';
import { changedObjects, runText, runWarning } from '../model/runText.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { withCancellableProgress } from './progress.ts';
import { objectOf, targetOf, workloadFor } from './targets.ts';

/** Shows what an apply from the open folder would change, in the editor's diff view. Changes nothing. */
export const showDifferences: Command = async (ctx, argument) => {
  const ref = await workloadFor(ctx, argument, 'Show the differences of');
  if (ref === undefined) return;
  const plan = await planFromFolder(ctx, ref);
  const isShown = await ctx.plans.showDiff(plan, objectOf(argument));
  if (!isShown) void vscode.window.showInformationMessage(diffSummary(plan));
  else vscode.window.setStatusBarMessage(diffSummary(plan), 8000);
};

/** Plans, shows the plan, asks with the cluster's name, and applies exactly what was shown. */
export const apply: Command = async (ctx, argument) => {
  const plan = await planFor(ctx, argument, 'Apply');
  if (plan === undefined) return;
  const confirmation = applyConfirmation(plan);
  if (confirmation === undefined) {
    void vscode.window.showInformationMessage(diffSummary(plan));
    return;
  }
  await ctx.plans.showDiff(plan);
  if (!(await confirm(confirmation))) return;
  const run = await withCancellableProgress(`applying ${formatRef(plan.ref)} to ${plan.cluster}`, (signal) =>
    ctx.engine.apply(plan.id, { signal }),
  );
  reportRun(ctx, run);
};

/** Plans, names what is deleted and what vanishes with it, asks, and deletes exactly that. */
export const prune: Command = async (ctx, argument) => {
  const plan = await planFor(ctx, argument, 'Prune');
  if (plan === undefined) return;
  const confirmation = pruneConfirmation(plan);
  if (confirmation === undefined) {
    void vscode.window.showInformationMessage(`${formatRef(plan.ref)}: nothing to prune in ${plan.cluster}`);
    return;
  }
  if (!(await confirm(confirmation))) return;
  const run = await withCancellableProgress(`pruning ${formatRef(plan.ref)} in ${plan.cluster}`, (signal) =>
    ctx.engine.prune(plan.id, { signal }),
  );
  reportRun(ctx, run);
};

/** The object as it is in the cluster, beside what Git says of it, as read-only YAML. */
export const showObject: Command = async (ctx, argument) => {
  const ref = await workloadFor(ctx, argument, 'Show the YAML of');
  if (ref === undefined) return;
  const target = targetOf(argument);
  if (target?.type !== 'object') {
    const manifests = await withCancellableProgress(`building ${formatRef(ref)}`, (signal) =>
      ctx.engine.render(ref, { signal }),
    );
    await ctx.plans.showText(`${ref.name}.yaml`, manifests.map(({ yaml }) => yaml).join('---\n'));
    return;
  }
  const object = target.node.ref;
  const plan = target.node.presence === 'unknown' ? undefined : await planFromFolder(ctx, ref);
  const change = plan?.changes.find((each) => refKey(each.ref) === refKey(object));
  const yaml = change?.liveYaml ?? change?.desiredYaml ?? (await renderedYaml(ctx, ref, object));
  if (yaml === undefined) {
    void vscode.window.showInformationMessage(
      `${formatRef(object)} is not built from these folders, so its YAML cannot be shown here.`,
    );
    return;
  }
  await ctx.plans.showText(`${object.kind}.${object.name}.yaml`, yaml);
};

async function renderedYaml(
  ctx: CommandContext,
  workload: ObjectRef,
  object: ObjectRef,
): Promise<string | undefined> {
  const manifests = await ctx.engine.render(workload);
  return manifests.find(({ ref }) => refKey(ref) === refKey(object))?.yaml;
}

/** The plan a preview already shows, else a new one. */
async function planFor(ctx: CommandContext, argument: unknown, verb: string): Promise<PlanView | undefined> {
  if (argument instanceof vscode.Uri) {
    const shown = ctx.plans.planOf(argument);
    if (shown !== undefined) return shown;
  }
  const ref = await workloadFor(ctx, argument instanceof vscode.Uri ? undefined : argument, verb);
  return ref === undefined ? undefined : planFromFolder(ctx, ref);
}

async function planFromFolder(ctx: CommandContext, ref: ObjectRef): Promise<PlanView> {
  const plan = await withCancellableProgress(`comparing ${formatRef(ref)} with the cluster`, (signal) =>
    ctx.engine.plan(ref, 'workingTree', { signal }),
  );
  ctx.plans.keep(plan);
  void offerLogin(plan);
  for (const diagnostic of plan.diagnostics)
    ctx.log.warn('problem in the files', { ref: formatRef(ref), ...diagnostic });
  return plan;
}

/** The answer is a setting of this machine; the engine starts anew with it. */
async function offerLogin(plan: PlanView): Promise<void> {
  const question = loginQuestion(plan);
  if (question === undefined) return;
  const button = 'Use My Login';
  if ((await vscode.window.showInformationMessage(question, button)) !== button) return;
  const settings = vscode.workspace.getConfiguration('plumb');
  await settings.update('useOwnCloudLogin', true, vscode.ConfigurationTarget.Global);
}

async function confirm({ message, detail, button }: Confirmation): Promise<boolean> {
  return (await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) === button;
}

/** Says how a run ended: briefly when it went well, with its warnings, as an error with the reason when it did not. */
export function reportRun(ctx: CommandContext, run: RunView): void {
  const { ref, ready, reason, warnings = [] } = run;
  ctx.log.info('run finished', {
    ref: formatRef(ref),
    ready,
    reason,
    changed: changedObjects(run),
    warnings,
  });
  if (!ready)
    throw plumbError('ReconciliationFailed', {
      message: `${reason}: ${run.message}`,
      subject: formatRef(ref),
      reason,
    });
  const warning = runWarning(run);
  if (warning !== undefined) void vscode.window.showWarningMessage(warning);
  else vscode.window.setStatusBarMessage(`$(pass) ${runText(run)}`, 8000);
}
