import { type Command, flagOption } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { downPlanText, downResultText } from '../printers/downText.ts';
import { printResult } from '../printResult.ts';

const { kubeconfig, context } = clusterOptions;

export const downCommand: Command = {
  name: 'down',
  summary: 'Leave local mode for good; objects stay',
  usage: '[--dry-run] [--yes]',
  details:
    'For a cluster that Plumb reconciled and no Plumb will any more. Shows what it does, asks, and gives up Leases of a Plumb that\nis gone, ends its overrides, and removes the finalizers that nobody would run: without that, deleting a Flux object hangs.\nWhere Flux controllers are installed at zero replicas their finalizers stay for them. Nothing is deleted, and where\nsomebody reconciles it refuses. Local mode itself ends with Ctrl-C, or with the last window.',
  examples: [
    ['plumb down --dry-run', 'show what would be done and what stays'],
    ['plumb down', 'show it, ask, and do it'],
  ],
  options: {
    kubeconfig,
    context,
    ...outputOption,
    ...yesOption,
    'dry-run': { type: 'boolean', description: 'show what would be done and stop' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const { signal, terminal } = ctx;
      const plan = await engine.planDown({ signal });
      const work = plan.leases.length + plan.overrides.length + plan.finalizers.length;
      if (flagOption(ctx, 'dry-run') || work === 0) {
        printResult(ctx, plan, () => downPlanText(plan, terminal.style));
        return 0;
      }
      terminal.err(downPlanText(plan, terminal.style));
      if (!(await confirmed(ctx, `leave local mode on ${plan.cluster}?`))) return 130;
      const result = await engine.down(plan.id, { signal });
      printResult(ctx, result, () => downResultText(result, terminal.style));
      return result.failures.length === 0 ? 0 : 4;
    }),
};
