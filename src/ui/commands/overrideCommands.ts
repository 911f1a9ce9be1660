import * as vscode from 'vscode';
import { formatRef } from '../../kube/object.ts';
import { overrideConfirmation } from '../model/overrideText.ts';
import type { Command } from './commandContext.ts';
import { reportRun } from './planCommands.ts';
import { withCancellableProgress } from './progress.ts';
import { fluxObjectFor } from './targets.ts';

/** Takes the place of a Kustomization's controller, with the open folder for its source, and runs it once. */
export const override: Command = async (ctx, argument) => {
  const node = await fluxObjectFor(
    ctx,
    argument,
    'Override',
    ({ ref, overriddenBy }) => ref.kind === 'Kustomization' && overriddenBy === undefined,
  );
  if (node === undefined) return;
  const plan = await ctx.engine.planOverride(node.ref);
  const { message, detail, button, withDescendants } = overrideConfirmation(plan);
  const buttons = withDescendants === undefined ? [button] : [button, withDescendants];
  const answer = await vscode.window.showWarningMessage(message, { modal: true, detail }, ...buttons);
  if (answer === undefined) return;
  const reach = answer === button ? 'object' : 'descendants';
  await withCancellableProgress(`waiting until the controller lets go of ${formatRef(node.ref)}`, (signal) =>
    ctx.engine.startOverride(plan.id, reach, { signal }),
  );
  await ctx.state.refresh();
  const below = reach === 'object' ? [] : plan.descendants.map(({ ref }) => ref);
  for (const ref of [node.ref, ...below]) {
    const run = await withCancellableProgress(`applying ${formatRef(ref)} to ${plan.cluster}`, (signal) =>
      ctx.engine.reconcile(ref, false, { signal }),
    );
    reportRun(ctx, run);
    if (!run.ready) return;
  }
};

/** Gives the Kustomization back to its controller, as it was before. */
export const endOverride: Command = async (ctx, argument) => {
  const node = await fluxObjectFor(
    ctx,
    argument,
    'End the override of',
    ({ overriddenBy }) => overriddenBy !== undefined,
  );
  if (node === undefined) return;
  await withCancellableProgress(`giving ${formatRef(node.ref)} back`, (signal) =>
    ctx.engine.endOverride(node.ref, { signal }),
  );
  await ctx.state.refresh();
};
