import { bootstrapDefaults } from '../../protocol/bootstrap.ts';
import { type Command, flagOption, textOption } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { uninstallPlanText, uninstallResultText } from '../printers/setupText.ts';
import { printResult } from '../printResult.ts';

export const uninstallCommand: Command = {
  name: 'uninstall',
  summary: 'Take Flux out of the cluster; workloads stay',
  usage: '[--namespace NAME] [--keep-namespace] [--yes]',
  details:
    'Shows what is deleted and what stays, asks, and deletes: controllers, rights, finalizers of all Flux objects, definitions,\nnamespace. Workloads, Helm release records elsewhere and files in Git are not touched.',
  examples: [
    ['plumb uninstall --dry-run', 'show what would go and what stays'],
    ['plumb uninstall --keep-namespace', 'keep the namespace with its Secrets'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    ...yesOption,
    'keep-namespace': { type: 'boolean', description: 'do not delete the namespace' },
    'dry-run': { type: 'boolean', description: 'show the preview and stop' },
    silent: { type: 'boolean', description: 'do not ask; the same as --yes' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const { signal, terminal } = ctx;
      const namespace = textOption(ctx, 'namespace') ?? bootstrapDefaults.namespace;
      const options = { namespace, keepNamespace: flagOption(ctx, 'keep-namespace') };
      const plan = await engine.planUninstall(options, { signal });
      if (flagOption(ctx, 'dry-run')) {
        printResult(ctx, plan, () => uninstallPlanText(plan, terminal.style));
        return 0;
      }
      terminal.err(uninstallPlanText(plan, terminal.style));
      const isAgreed =
        flagOption(ctx, 'silent') || (await confirmed(ctx, `uninstall Flux from ${plan.cluster}?`));
      if (!isAgreed) return 130;
      const result = await engine.uninstall(plan.id, { signal });
      printResult(ctx, result, () => uninstallResultText(result, terminal.style));
      return result.failures.length === 0 ? 0 : 4;
    }),
};
