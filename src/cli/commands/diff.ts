import { formatDiagnostic } from '../../base/diagnostic.ts';
import type { Command } from '../command.ts';
import { clusterOptions, sopsOptions, outputOption } from '../globalOptions.ts';
import { namedObject } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';
import { fromOption, planOf } from '../planOf.ts';
import { hasDifferences, planText, refusedChanges } from '../printers/planText.ts';
import { printResult } from '../printResult.ts';

export const diffCommand: Command = {
  name: 'diff',
  summary: 'Show what an apply and prune would change in the cluster',
  usage: 'KIND NAME [--from working-tree|source] [-o text|json|yaml]',
  completions: ['kind', 'object'],
  details:
    'Builds as Flux does, asks the server for dry-runs, and names for each field both values, who set the live one, and the line in Git.\nWith -o json each field carries its pointer, both values, cause, owners (manager, operation, time) and location.\nExit code: 0 no differences, 1 differences, above 1 an error, as a refused object is. Changes nothing.',
  examples: [
    ['plumb diff kustomization apps', 'the files you stand in against the cluster'],
    ['plumb diff ks apps --from source', 'the revision the cluster has fetched against the cluster'],
  ],
  options: { ...clusterOptions, ...outputOption, ...fromOption, ...sopsOptions },
  run: (ctx) => {
    const ref = namedObject(ctx);
    return withEngine(ctx, async (engine) => {
      const plan = await planOf(ctx, engine, ref);
      for (const diagnostic of plan.diagnostics) ctx.terminal.err(`${formatDiagnostic(diagnostic)}\n`);
      printResult(ctx, plan, () => planText(plan, ctx.terminal.style, Date.now()));
      return refusedChanges(plan).length > 0 ? 2 : hasDifferences(plan) ? 1 : 0;
    });
  },
};
