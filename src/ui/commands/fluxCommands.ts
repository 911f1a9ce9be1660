import * as vscode from 'vscode';
import { formatRef } from '../../kube/object.ts';
import type { ClusterMode } from '../../protocol/views.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { reportRun } from './planCommands.ts';
import { withCancellableProgress } from './progress.ts';
import { clusterName, fluxObjectFor, targetOf } from './targets.ts';

/** One run now, of what the source has already fetched. */
export const reconcile: Command = (ctx, argument) => reconcileWith(ctx, argument, false);

/** Fetches the source first, then runs. */
export const reconcileWithSource: Command = (ctx, argument) => reconcileWith(ctx, argument, true);

async function reconcileWith(ctx: CommandContext, argument: unknown, withSource: boolean): Promise<void> {
  const node = await fluxObjectFor(ctx, argument, withSource ? 'Reconcile with source' : 'Reconcile');
  if (node === undefined) return;
  const run = await withCancellableProgress(
    `reconciling ${formatRef(node.ref)} in ${clusterName(ctx)}`,
    (signal) => ctx.engine.reconcile(node.ref, withSource, { signal }),
  );
  reportRun(ctx, run);
}

/** Stops reconciling an object, with a reason that everybody can read. */
export const suspend: Command = async (ctx, argument) => {
  const node = await fluxObjectFor(ctx, argument, 'Suspend', ({ suspended }) => !suspended);
  if (node === undefined) return;
  const reason = await vscode.window.showInputBox({
    title: `Suspend ${formatRef(node.ref)} in ${clusterName(ctx)}`,
    prompt: 'Why? It is kept on the object for others to read; may stay empty.',
    placeHolder: 'for example: database migration, until Friday',
  });
  if (reason === undefined) return;
  await withCancellableProgress(`suspending ${formatRef(node.ref)}`, (signal) =>
    ctx.engine.suspend(node.ref, reason.trim() === '' ? undefined : reason.trim(), { signal }),
  );
  await ctx.state.refresh();
};

/** Goes on reconciling a suspended object. */
export const resume: Command = async (ctx, argument) => {
  const node = await fluxObjectFor(ctx, argument, 'Resume', ({ suspended }) => suspended);
  if (node === undefined) return;
  await withCancellableProgress(`resuming ${formatRef(node.ref)}`, (signal) =>
    ctx.engine.resume(node.ref, { signal }),
  );
  await ctx.state.refresh();
};

/** In local mode: reverts the drift of a workload when it is seen, or at its interval again. */
export const setRevert: Command = async (ctx, argument) => {
  const node = await fluxObjectFor(
    ctx,
    argument,
    'Revert the drift of',
    ({ ref }) => ref.kind === 'Kustomization',
  );
  if (node === undefined) return;
  const picked = await vscode.window.showQuickPick(
    [
      { label: 'At the Interval', detail: 'As Flux does.', atOnce: false },
      {
        label: 'At Once',
        detail:
          'While this window reconciles: each object at most once a minute, and not against somebody who keeps changing it.',
        atOnce: true,
      },
    ],
    { title: `When is drift of ${formatRef(node.ref)} in ${clusterName(ctx)} reverted?` },
  );
  if (picked === undefined) return;
  if (picked.atOnce) await ctx.engine.revertAtOnce(node.ref);
  else await ctx.engine.revertAtInterval(node.ref);
  const when = picked.atOnce ? 'at once' : 'at the interval';
  vscode.window.setStatusBarMessage(`$(pass) ${formatRef(node.ref)}: drift is reverted ${when}`, 8000);
};

/** Chooses who reconciles in the cluster: whoever does now (observe), or this window (local). */
export const setMode: Command = async (ctx) => {
  const cluster = ctx.state.status?.cluster;
  if (cluster === undefined) {
    void vscode.window.showInformationMessage('There is no cluster to choose a mode for.');
    return;
  }
  const item = (mode: ClusterMode, label: string, detail: string) => ({
    label,
    detail,
    ...(cluster.mode === mode && { description: 'now' }),
    mode,
  });
  const picked = await vscode.window.showQuickPick(
    [
      item(
        'observe',
        'Observe',
        'Plumb shows, previews and triggers. Whoever reconciles there goes on doing it.',
      ),
      item(
        'local',
        'Local',
        'This window reconciles, in place of the Flux controllers, for as long as it is open.',
      ),
    ],
    { title: `Who reconciles in ${cluster.context}?` },
  );
  if (picked === undefined || picked.mode === cluster.mode) return;
  if (picked.mode === 'local' && !(await confirmLocal(cluster.context))) return;
  await withCancellableProgress(`changing the mode of ${cluster.context}`, (signal) =>
    ctx.engine.setMode(picked.mode, { signal }),
  );
  await ctx.state.refresh();
};

async function confirmLocal(context: string): Promise<boolean> {
  const button = 'Reconcile from Here';
  const detail =
    'Plumb takes the Leases of the Flux controllers and reconciles every Kustomization and source of the cluster, ' +
    'as the controllers would: it applies, prunes and reverts drift.\n\n' +
    'It stops when this window closes. While no Plumb runs nobody reconciles, and deleting a Flux object hangs. Other ' +
    'readers of artifacts in the cluster get none; hosts that resolve only there need a port-forward; workload ' +
    'identity needs your own cloud login.';
  const message = `Let this window reconcile the cluster ${context}?`;
  return (await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) === button;
}

/** The row's name to the clipboard: `Kind/namespace/name`. */
export const copyName: Command = async (ctx, argument) => {
  const ref = targetOf(argument)?.node.ref ?? (await fluxObjectFor(ctx, argument, 'Copy the name of'))?.ref;
  if (ref !== undefined) await vscode.env.clipboard.writeText(formatRef(ref));
};
