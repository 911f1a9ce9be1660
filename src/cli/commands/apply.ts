import { formatDiagnostic } from '../../base/diagnostic.ts';
import { formatRef } from '../../kube/object.ts';
import type { Command } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, sopsOptions, outputOption } from '../globalOptions.ts';
import { namedObject } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';
import { fromOption, planOf } from '../planOf.ts';
import { hasDifferences, planText } from '../printers/planText.ts';
import { runText } from '../printers/runText.ts';
import { printResult } from '../printResult.ts';

export const applyCommand: Command = {
  name: 'apply',
  summary: 'Apply a workload as shown, without pruning',
  usage: 'KIND NAME [--from working-tree|source] [--yes]',
  completions: ['kind', 'object'],
  details:
    'Shows the plan, asks, and applies exactly that plan; when the cluster moved in between it stops with PlanOutdated.',
  examples: [['plumb apply kustomization apps', 'apply the files you stand in after looking at the plan']],
  options: { ...clusterOptions, ...outputOption, ...fromOption, ...sopsOptions, ...yesOption },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const ref = namedObject(ctx);
      const plan = await planOf(ctx, engine, ref);
      for (const diagnostic of plan.diagnostics) ctx.terminal.err(`${formatDiagnostic(diagnostic)}\n`);
      ctx.terminal.err(planText(plan, ctx.terminal.style, Date.now()));
      if (!hasDifferences({ ...plan, stale: [] })) return 0;
      if (!(await confirmed(ctx, `apply ${formatRef(ref)} to ${plan.cluster}?`))) return 130;
      const run = await engine.apply(plan.id, { signal: ctx.signal });
      printResult(ctx, run, () => runText(run, ctx.terminal.style));
      return run.ready ? 0 : 4;
    }),
};
