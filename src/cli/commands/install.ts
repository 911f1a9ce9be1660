import { bootstrapDefaults } from '../../protocol/bootstrap.ts';
import { type Command, flagOption, textOption } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { installPlanText, objectLines } from '../printers/setupText.ts';
import { printResult } from '../printResult.ts';

export const installCommand: Command = {
  name: 'install',
  summary: 'Install the definitions and rights of Flux, without controllers',
  usage: '[--namespace NAME] [--export] [--yes]',
  details:
    'For clusters that Plumb reconciles in local mode. Applied as flux install applies: field manager flux, definitions first.\nOn a cluster where Flux or the Flux Operator is installed there is nothing to install, and it refuses.',
  examples: [
    ['plumb install', 'show what is missing, ask, and install it'],
    ['plumb install --export > gotk-components.yaml', 'print the manifests; no cluster is asked'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    ...yesOption,
    export: { type: 'boolean', description: 'print the manifests as YAML instead of applying them' },
    'dry-run': { type: 'boolean', description: 'show what would be installed and stop' },
    force: { type: 'boolean', description: 'go on where an installation is there already' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const { signal } = ctx;
      const namespace = textOption(ctx, 'namespace') ?? bootstrapDefaults.namespace;
      if (flagOption(ctx, 'export')) {
        ctx.terminal.out(await engine.exportInstall(namespace));
        return 0;
      }
      const { timeoutMs } = bootstrapDefaults;
      const plan = await engine.planInstall(
        { namespace, force: flagOption(ctx, 'force'), timeoutMs },
        { signal },
      );
      if (flagOption(ctx, 'dry-run')) {
        printResult(ctx, plan, () => installPlanText(plan, ctx.terminal.style));
        return 0;
      }
      ctx.terminal.err(installPlanText(plan, ctx.terminal.style));
      const hasWork = plan.objects.some(({ action }) => action !== 'unchanged');
      if (hasWork && !(await confirmed(ctx, `install on ${plan.cluster}?`))) return 130;
      const result = await engine.install(plan.id, { signal });
      printResult(
        ctx,
        result,
        () => `installed\n${objectLines(result.objects, ctx.terminal.style).join('\n')}\n`,
      );
      return 0;
    }),
};
