import { formatRef } from '../../kube/object.ts';
import { parseFluxRef } from '../../engine/fluxRef.ts';
import { type Command, textOption } from '../command.ts';
import { clusterOptions } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';

export const suspendCommand: Command = {
  name: 'suspend',
  summary: 'Stop the reconciliation of one object',
  usage: 'KIND NAME [--reason TEXT]',
  completions: ['kind', 'object'],
  examples: [['plumb suspend kustomization apps --reason "load test until 5 pm"', 'others see why']],
  options: {
    ...clusterOptions,
    reason: { type: 'string', value: 'TEXT', description: 'why; kept on the object for others to see' },
  },
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const ref = parseFluxRef(ctx.positionals, textOption(ctx, 'namespace'));
      await engine.suspend(ref, textOption(ctx, 'reason'), { signal: ctx.signal });
      ctx.terminal.out(`${formatRef(ref)} suspended\n`);
      return 0;
    }),
};

export const resumeCommand: Command = {
  name: 'resume',
  summary: 'Go on with the reconciliation of one object',
  usage: 'KIND NAME',
  completions: ['kind', 'object'],
  examples: [['plumb resume kustomization apps', 'undo a suspend']],
  options: clusterOptions,
  run: (ctx) =>
    withEngine(ctx, async (engine) => {
      const ref = parseFluxRef(ctx.positionals, textOption(ctx, 'namespace'));
      await engine.resume(ref, { signal: ctx.signal });
      ctx.terminal.out(`${formatRef(ref)} resumed\n`);
      return 0;
    }),
};
