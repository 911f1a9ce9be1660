import { bootstrapDefaults } from '../../protocol/bootstrap.ts';
import { type Command, flagOption, textOption } from '../command.ts';
import { clusterOptions, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { checkText } from '../printers/setupText.ts';
import { printResult } from '../printResult.ts';

export const checkCommand: Command = {
  name: 'check',
  summary: 'Check the cluster, the installation of Flux and who reconciles',
  usage: '[--pre]',
  details: 'Read-only. Exits with 1 when a check fails; warnings do not fail.',
  examples: [
    ['plumb check', 'server, rights, definitions, controllers, Leases and policy'],
    ['plumb check --pre', 'only what must hold before an installation'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    pre: { type: 'boolean', description: 'only the prerequisites' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const namespace = textOption(ctx, 'namespace') ?? bootstrapDefaults.namespace;
      const all = await engine.check(namespace, { signal: ctx.signal });
      const items = flagOption(ctx, 'pre')
        ? all.items.filter(({ group }) => group === 'prerequisites')
        : all.items;
      const check = { ...all, items, passed: items.every(({ state }) => state !== 'failed') };
      printResult(ctx, check, () => checkText(check, ctx.terminal.style));
      return check.passed ? 0 : 1;
    }),
};
