import { formatRef } from '../../kube/object.ts';
import { parseFluxRef } from '../../engine/fluxRef.ts';
import type { ObjectRef } from '../../kube/object.ts';
import type { Engine } from '../../protocol/engine.ts';
import type { OverridePlan, RunView } from '../../protocol/views.ts';
import { type Command, type CommandContext, flagOption, textOption } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, macOption, outputOption } from '../globalOptions.ts';
import { withEngine } from '../openEngine.ts';
import { runText } from '../printers/runText.ts';
import { printResult } from '../printResult.ts';

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'Reconcile one object now and wait for it',
  usage: 'KIND NAME [--with-source] [--local | --override [--yes]]',
  completions: ['kind', 'object'],
  details:
    'Where Flux runs in the cluster it is asked by annotation. With --local Plumb takes the Leases of the installation, is the\ncontroller for this run, and gives them back; it refuses while anybody else reconciles.\nWith --override one run of a Kustomization applies the files you stand in while Flux runs: the object is suspended until the run\nends, and after that its own source counts again.',
  examples: [
    [
      'plumb reconcile kustomization apps --with-source',
      'fetch, then apply, by the controllers in the cluster',
    ],
    ['plumb reconcile gitrepo flux-system --local', 'fetch without any controller in the cluster'],
    ['plumb reconcile kustomization apps --override', 'try the files you stand in, beside Flux'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    ...macOption,
    'with-source': { type: 'boolean', description: 'fetch the source first' },
    ...yesOption,
    override: {
      type: 'boolean',
      description: 'one run of the files you stand in, in place of the controller',
    },
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
      const run = flagOption(ctx, 'override')
        ? await overridden(ctx, engine, ref)
        : await engine.reconcile(ref, flagOption(ctx, 'with-source'), { signal });
      progress.dispose();
      if (run === undefined) return 130;
      printResult(ctx, run, () => runText(run, ctx.terminal.style));
      return run.ready ? 0 : 4;
    }),
};

/** One run under an override, which ends whatever becomes of the run; undefined when the user did not agree. */
async function overridden(ctx: CommandContext, engine: Engine, ref: ObjectRef): Promise<RunView | undefined> {
  const { signal, terminal } = ctx;
  const plan = await engine.planOverride(ref, { signal });
  for (const warning of plan.warnings) terminal.err(`! ${warning}\n`);
  if (!(await confirmed(ctx, overrideQuestion(plan)))) return undefined;
  await engine.startOverride(plan.id, { signal });
  try {
    return await engine.reconcile(ref, false, { signal });
  } finally {
    await engine.endOverride(ref);
  }
}

function overrideQuestion({ ref, cluster, folder, suspendedBy }: OverridePlan): string {
  const question = `apply ${folder} as ${formatRef(ref)} to ${cluster}, in place of its controller?`;
  if (suspendedBy === undefined) return question;
  const { manager, time, reason } = suspendedBy;
  const since = time === undefined ? '' : ` since ${time}`;
  return `suspended by ${manager}${since}${reason === undefined ? '' : ` (${reason})`}; ${question}`;
}
