import { formatRef } from '../../kube/object.ts';
import { type Command, flagOption } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, sopsOptions, outputOption } from '../globalOptions.ts';
import { namedObject } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';
import { fromOption, planOf } from '../planOf.ts';
import { pruneText } from '../printers/planText.ts';
import { runText } from '../printers/runText.ts';
import { printResult } from '../printResult.ts';

export const pruneCommand: Command = {
  name: 'prune',
  summary: 'Delete what a workload recorded and no longer contains',
  usage: 'KIND NAME [--preview] [--from working-tree|source] [--yes]',
  completions: ['kind', 'object'],
  details:
    'Shows each object that will be deleted and what goes with it, asks, and deletes exactly those.\nObjects of other owners and objects annotated to be kept are left alone.',
  examples: [
    ['plumb prune kustomization apps --preview', 'only look'],
    ['plumb prune kustomization apps', 'look, then decide'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    ...fromOption,
    ...sopsOptions,
    ...yesOption,
    preview: { type: 'boolean', description: 'show and stop' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const ref = namedObject(ctx);
      const plan = await planOf(ctx, engine, ref);
      const deletions = plan.stale.filter(({ action }) => action === 'deleted').length;
      if (flagOption(ctx, 'preview')) {
        printResult(ctx, plan.stale, () => pruneText(plan, ctx.terminal.style));
        return deletions > 0 ? 1 : 0;
      }
      ctx.terminal.err(pruneText(plan, ctx.terminal.style));
      if (deletions === 0) return 0;
      if (!(await confirmed(ctx, `delete ${deletions} objects of ${formatRef(ref)} from ${plan.cluster}?`)))
        return 130;
      const run = await engine.prune(plan.id, { signal: ctx.signal });
      printResult(ctx, run, () => runText(run, ctx.terminal.style));
      return run.ready ? 0 : 4;
    }),
};
