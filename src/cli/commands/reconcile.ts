import { formatRef } from '../../kube/object.ts';
import { parseFluxRef } from '../../engine/fluxRef.ts';
import { type Command, flagOption, textOption } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { runText } from '../printers/runText.ts';
import { printResult } from '../printResult.ts';

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'Reconcile one object now and wait for it',
  usage: 'KIND NAME [--with-source] [--local]',
  completions: ['kind', 'object'],
  details:
    'Where Flux runs in the cluster it is asked by annotation. With --local Plumb takes the Leases of the installation, is the\ncontroller for this run, and gives them back; it refuses while anybody else reconciles.',
  examples: [
    [
      'plumb reconcile kustomization apps --with-source',
      'fetch, then apply, by the controllers in the cluster',
    ],
    ['plumb reconcile gitrepo flux-system --local', 'fetch without any controller in the cluster'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    'with-source': { type: 'boolean', description: 'fetch the source first' },
    local: { type: 'boolean', description: 'reconcile with Plumb itself, holding the Leases meanwhile' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const { signal } = ctx;
      const ref = parseFluxRef(ctx.positionals, textOption(ctx, 'namespace'));
      if (flagOption(ctx, 'local')) await engine.setMode('local', { signal });
      const progress = engine.onEvent((event) => {
        if (event.type === 'stageStarted')
          ctx.terminal.err(ctx.terminal.style.dim(`  ${formatRef(event.ref)}: ${event.stage}\n`));
      });
      const run = await engine.reconcile(ref, flagOption(ctx, 'with-source'), { signal });
      progress.dispose();
      printResult(ctx, run, () => runText(run, ctx.terminal.style));
      return run.ready ? 0 : 4;
    }),
};
