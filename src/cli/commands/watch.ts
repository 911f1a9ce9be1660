import { asPlumbError } from '../../base/plumbError.ts';
import type { FluxNode, TreeView } from '../../protocol/views.ts';
import type { Engine } from '../../protocol/engine.ts';
import { formatRef } from '../../kube/object.ts';
import { type Command, type CommandContext, flagOption } from '../command.ts';
import { clusterOptions, sopsOptions } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { shortRevision, stateText, treeText } from '../printers/treeText.ts';

const clearScreen = '\u001b[H\u001b[J';

export const watchCommand: Command = {
  name: 'watch',
  summary: 'Follow the cluster live; with --local reconcile it',
  usage: '[--local] [--until-ready]',
  details:
    'At a terminal a live table, in a pipe a line for each change. With --local Plumb is the controllers while this runs:\nit holds every Lease of the installation and reconciles on interval, on new commits, on request, and on drift at the interval.',
  examples: [
    ['plumb watch', 'look on'],
    ['plumb watch --local', 'be the reconciler until Ctrl-C'],
    ['plumb watch --local --until-ready', 'reconcile everything once, for scripts'],
  ],
  options: {
    ...clusterOptions,
    ...sopsOptions,
    local: { type: 'boolean', description: 'reconcile with Plumb itself while this runs' },
    'until-ready': { type: 'boolean', description: 'end with 0 once everything is ready' },
  },
  run: (ctx) => withEngine(ctx, (engine) => follow(ctx, engine), { schedule: 'continuous' }),
};

async function follow(ctx: CommandContext, engine: Engine): Promise<number> {
  const { signal } = ctx;
  if (flagOption(ctx, 'local')) await engine.setMode('local', { signal });
  const shown = new Map<string, string>();
  let wake = (): void => undefined;
  const listener = engine.onEvent((event) => {
    if (event.type === 'treeChanged' || event.type === 'objectsChanged' || event.type === 'runFinished')
      wake();
    if (event.type === 'modeChanged') ctx.terminal.err(`! ${event.cluster.mode} mode: ${event.why}\n`);
  });
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const tree = await engine.tree({ signal });
      show(ctx, tree, shown);
      if (flagOption(ctx, 'until-ready') && isReady(tree)) return 0;
      await Promise.race([changed, aborted]);
      if (signal.aborted) return whenCancelled(ctx);
    }
  } catch (error) {
    // Ctrl-C is the way to end this, also while the tree is being read.
    if (signal.aborted && asPlumbError(error).kind === 'cancelled') return whenCancelled(ctx);
    throw error;
  } finally {
    listener.dispose();
  }
}

/** To look on until Ctrl-C is what was asked for; to wait until all is ready was not reached. */
function whenCancelled(ctx: CommandContext): number {
  return flagOption(ctx, 'until-ready') ? 130 : 0;
}

/** Everything that is not suspended is ready, and there is something. */
function isReady(tree: TreeView): boolean {
  const nodes = [...tree.sources, ...tree.workloads].filter(({ presence }) => presence !== 'onlyInGit');
  return nodes.length > 0 && nodes.every(({ state }) => state === 'ready' || state === 'suspended');
}

function show(ctx: CommandContext, tree: TreeView, shown: Map<string, string>): void {
  const { terminal } = ctx;
  if (terminal.isInteractive) return terminal.out(`${clearScreen}${treeText(tree, terminal.style)}`);
  for (const node of [...tree.sources, ...tree.workloads]) {
    const line = nodeLine(node, ctx);
    const name = formatRef(node.ref);
    if (shown.get(name) === line) continue;
    shown.set(name, line);
    terminal.out(`${line}\n`);
  }
}

function nodeLine(node: FluxNode, { terminal }: CommandContext): string {
  const parts = [
    formatRef(node.ref),
    stateText(node, terminal.style),
    shortRevision(node.revision ?? ''),
    node.message ?? '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}
