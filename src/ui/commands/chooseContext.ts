import * as vscode from 'vscode';
import { plumbError } from '../../base/plumbError.ts';
import type { ContextView } from '../../protocol/views.ts';
import type { FoundCluster } from '../model/binding.ts';
import { matchItems } from '../model/clusterMatches.ts';
import type { Command, CommandContext } from './commandContext.ts';
import { withCancellableProgress } from './progress.ts';
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
    ...describe(ctx, name, now),
    iconPath: new vscode.ThemeIcon('server-environment'),
  }));
  const find = {
    label: 'Find by the Remotes of This Folder…',
    detail: 'ask the clusters you select which of them reconcile it',
    iconPath: new vscode.ThemeIcon('search'),
  };
  const active = items.find(({ label }) => label === now);
  const picked = await askChoice(at, 'Which cluster?', [...items, find], active);
  if (picked === undefined || picked === 'back') return picked;
  const chosen = picked === find ? await findContext(ctx, at, contexts) : { context: picked.label };
  if (chosen === undefined || chosen === 'back') return chosen;
  await switchContext(ctx, chosen);
  return 'chosen';
}

interface Chosen {
  readonly context: string;
  readonly found?: FoundCluster;
}

function describe(
  { bindings }: CommandContext,
  context: string,
  now: string | undefined,
): { readonly description?: string } {
  const known = bindings.known.find((binding) => binding.context === context);
  const path = known?.path === undefined || known.path === '' ? '' : `, ${known.path}`;
  if (context === now) return { description: `now${path}` };
  return known === undefined ? {} : { description: `bound before${path}` };
}

/** Asks which clusters may be asked, asks them, and shows what each has to do with the folder. */
async function findContext(
  ctx: CommandContext,
  at: Position,
  contexts: readonly ContextView[],
): Promise<Chosen | 'back' | undefined> {
  const asked = await vscode.window.showQuickPick(
    contexts.map(({ name, server }) => ({ label: name, detail: server })),
    { title: at.title, placeHolder: 'Which clusters may be asked, with your logins?', canPickMany: true },
  );
  if (asked === undefined || asked.length === 0) return undefined;
  const names = asked.map(({ label }) => label);
  const matches = await withCancellableProgress(
    names.length === 1 ? `asking ${names[0] ?? ''}` : `asking ${names.length} clusters`,
    (signal) => ctx.engine.findClusters(names, { signal }),
  );
  const picked = await askChoice(at, 'Which cluster?', matchItems(matches));
  if (picked === undefined || picked === 'back') return picked;
  const { label, found } = picked;
  return { context: label, ...(found !== undefined && { found }) };
}

/** Binds the workspace to the context and waits until the engine that starts for it has spoken. */
async function switchContext(ctx: CommandContext, { context, found }: Chosen): Promise<void> {
  const { cluster } = ctx.state.status ?? {};
  const isNow = cluster?.context === context;
  const bound = ctx.bindings.current?.clusterUid;
  // Chosen although it is shown already: the cluster that the context has come to lead to is meant.
  const isAnew = isNow && cluster.uid !== undefined && bound !== undefined && bound !== cluster.uid;
  if (isNow && !isAnew && found === undefined) return;
  let subscription: vscode.Disposable | undefined;
  const switched = new Promise<void>((resolve) => {
    subscription = ctx.state.onDidChange(() => {
      if (ctx.state.status?.cluster?.context === context) resolve();
    });
  });
  try {
    await (isAnew ? ctx.bindings.chooseAnew(context) : ctx.bindings.choose(context, found));
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
