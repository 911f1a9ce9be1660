import * as vscode from 'vscode';
import { asPlumbError, type PlumbError } from '../../base/plumbError.ts';
import { bootstrapDefaults, type BootstrapProgress } from '../../protocol/bootstrap.ts';
import { downConfirmation, downPlanPage, downResultPage } from '../model/downText.ts';
import {
  bootstrapResultPage,
  checkPage,
  stepText,
  uninstallConfirmation,
  uninstallPlanPage,
  uninstallResultPage,
} from '../model/setupText.ts';
import { askBootstrap, type Approved } from './bootstrapQuestions.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { clusterName } from './targets.ts';
import { withCancellableProgress, withSteps } from './progress.ts';

/** Ties a cluster to a repository: questions, plan, approval, work, result. After a failure the next try begins at the plan. */
export const bootstrap: Command = async (ctx) => {
  let start: 'questions' | 'review' = 'questions';
  for (;;) {
    let approved: Approved | undefined;
    try {
      approved = await askBootstrap(ctx, start);
      if (approved === undefined) {
        ctx.credentials.drop();
        return;
      }
      await carryOut(ctx, approved);
      return;
    } catch (error) {
      const failure = asPlumbError(error);
      const next = await askAfterFailure(ctx, failure, approved);
      // What only the user can mend may be the token: it is asked for again.
      if (next === undefined || failure.kind === 'stalled') ctx.credentials.drop();
      if (next === undefined) return;
      start = next;
    }
  }
};

async function carryOut(ctx: CommandContext, { plan }: Approved): Promise<void> {
  const result = await withSteps(
    `bootstrapping ${plan.cluster}`,
    (report) => followSteps(ctx, plan.id, report),
    (signal) => ctx.engine.bootstrap(plan.id, { signal }),
  );
  ctx.credentials.worked();
  await ctx.plans.showText(`Bootstrap ${plan.cluster}.md`, bootstrapResultPage(plan, result));
  vscode.window.setStatusBarMessage(`$(pass) ${plan.cluster} is synced with ${plan.url}`, 8000);
  await ctx.state.refresh();
}

function followSteps(ctx: CommandContext, planId: string, report: (text: string) => void) {
  return ctx.engine.onEvent((event) => {
    if (event.type !== 'bootstrapProgress' || event.planId !== planId) return;
    logStep(ctx, event);
    report(stepText(event));
  });
}

function logStep(ctx: CommandContext, { step, state, message }: BootstrapProgress): void {
  ctx.log.info('setup', { step, state, message });
}

const tryAgain = 'Try Again';
const changeAnswers = 'Change Answers…';
const copyKey = 'Copy Deploy Key';
const showLog = 'Show Log';

/** Where to go on; undefined: nowhere. Everything done so far stays, and the next run goes on after it. */
async function askAfterFailure(
  ctx: CommandContext,
  failure: PlumbError,
  approved: Approved | undefined,
): Promise<'questions' | 'review' | undefined> {
  const key = approved?.plan.deployKey?.publicKey;
  const isCancelled = failure.kind === 'cancelled';
  if (!isCancelled) ctx.log.error('bootstrap failed', { ...failure.toJSON() });
  const text = isCancelled
    ? `The bootstrap of ${approved?.plan.cluster ?? clusterName(ctx)} was cancelled${approved === undefined ? ': nothing was written' : '. What is done stays done: the next run goes on after it'}.`
    : [failure.message, ...(failure.hint === undefined ? [] : [failure.hint])].join('. ');
  const buttons = [
    ...(!isCancelled && failure.code === 'ArtifactFailed' && key !== undefined ? [copyKey] : []),
    tryAgain,
    changeAnswers,
    ...(isCancelled ? [] : [showLog]),
  ];
  const show = isCancelled ? vscode.window.showInformationMessage : vscode.window.showErrorMessage;
  for (;;) {
    switch (await show(`Plumb: ${text}`, ...buttons)) {
      case tryAgain:
        return 'review';
      case changeAnswers:
        return 'questions';
      case copyKey:
        await vscode.env.clipboard.writeText(key ?? '');
        break;
      case showLog:
        ctx.log.show();
        return undefined;
      default:
        return undefined;
    }
  }
}

/** Server, rights, definitions, controllers, Leases and policy, on a page. Read-only. */
export const check: Command = async (ctx) => {
  const found = await withCancellableProgress(`checking ${clusterName(ctx)}`, (signal) =>
    ctx.engine.check(bootstrapDefaults.namespace, { signal }),
  );
  await ctx.plans.showText(`Check of ${found.cluster}.md`, checkPage(found));
};

/** Shows what goes and what stays, asks with the cluster's name, and deletes exactly that. */
export const uninstall: Command = async (ctx) => {
  const namespace = await vscode.window.showInputBox({
    title: `Uninstall Flux from ${clusterName(ctx)}`,
    prompt: 'The namespace of the installation. What would be deleted is shown first.',
    value: bootstrapDefaults.namespace,
  });
  if (namespace === undefined) return;
  const plan = await withCancellableProgress(`planning the uninstall from ${clusterName(ctx)}`, (signal) =>
    ctx.engine.planUninstall({ namespace: namespace.trim(), keepNamespace: false }, { signal }),
  );
  const confirmation = uninstallConfirmation(plan);
  if (confirmation === undefined) {
    void vscode.window.showInformationMessage(`${plan.cluster} has no Flux in the namespace ${namespace}.`);
    return;
  }
  const name = `Uninstall from ${plan.cluster}.md`;
  await ctx.plans.showText(name, uninstallPlanPage(plan));
  const { message, detail, button } = confirmation;
  if ((await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) !== button) return;
  const result = await withSteps(
    `uninstalling Flux from ${plan.cluster}`,
    (report) => followSteps(ctx, plan.id, report),
    (signal) => ctx.engine.uninstall(plan.id, { signal }),
  );
  await ctx.plans.showText(name, uninstallResultPage(plan.cluster, result));
  await ctx.state.refresh();
};

/** Ends local mode for good: shows what nobody would look after, asks with the cluster's name, and does exactly that. */
export const leaveLocalMode: Command = async (ctx) => {
  const cluster = clusterName(ctx);
  const plan = await withCancellableProgress(`looking at what local mode left in ${cluster}`, (signal) =>
    ctx.engine.planDown({ signal }),
  );
  const confirmation = downConfirmation(plan);
  if (confirmation === undefined) {
    void vscode.window.showInformationMessage(
      `Nothing is left of local mode on ${plan.cluster}: no Lease, no override, no finalizer that nobody runs.`,
    );
    return;
  }
  const name = `Leave local mode on ${plan.cluster}.md`;
  await ctx.plans.showText(name, downPlanPage(plan));
  const { message, detail, button } = confirmation;
  if ((await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) !== button) return;
  const result = await withCancellableProgress(`leaving local mode on ${plan.cluster}`, (signal) =>
    ctx.engine.down(plan.id, { signal }),
  );
  await ctx.plans.showText(name, downResultPage(plan.cluster, result));
  await ctx.state.refresh();
};
