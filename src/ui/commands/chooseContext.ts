import * as vscode from 'vscode';
import { plumbError } from '../../base/plumbError.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { askChoice, type Position } from './steps.ts';

/** Asks for the cluster. Another one than the workspace works with becomes the workspace's. */
export async function chooseContext(
  ctx: CommandContext,
  at: Position,
): Promise<'chosen' | 'back' | undefined> {
  const contexts = await ctx.engine.contexts();
  if (contexts.length === 0)
    throw plumbError('KubeconfigInvalid', {
      message: ctx.state.status?.noClusterBecause ?? 'no cluster is configured',
      hint: 'set KUBECONFIG or the setting plumb.kubeconfig',
    });
  const now = ctx.state.status?.cluster?.context;
  const items = contexts.map(({ name, server, user }) => ({
    label: name,
    detail: `${server}${user === '' ? '' : ` as ${user}`}`,
    ...(name === now && { description: 'now' }),
    iconPath: new vscode.ThemeIcon('server-environment'),
  }));
  const active = items.find(({ label }) => label === now);
  const picked = await askChoice(at, 'Which cluster?', items, active);
  if (picked === undefined || picked === 'back') return picked;
  if (picked.label !== now) await switchContext(ctx, picked.label);
  return 'chosen';
}

/** Binds the workspace to the context and waits until the engine that starts for it has spoken. */
async function switchContext(ctx: CommandContext, context: string): Promise<void> {
  let subscription: vscode.Disposable | undefined;
  const switched = new Promise<void>((resolve) => {
    subscription = ctx.state.onDidChange(() => {
      if (ctx.state.status?.cluster?.context === context) resolve();
    });
  });
  try {
    await ctx.bindings.choose(context);
    await ctx.engine.restart();
    await ctx.state.refresh();
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: `Plumb: connecting to ${context}` },
      () => switched,
    );
  } finally {
    subscription?.dispose();
  }
}

/** Binds the workspace to another cluster of the kubeconfig. */
export const chooseCluster: Command = async (ctx) => {
  const title = 'Choose the cluster of this workspace';
  await chooseContext(ctx, { title, step: 1, totalSteps: 1 });
};
