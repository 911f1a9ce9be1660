import { formatRef } from '../../kube/object.ts';
import type { ObjectRef } from '../../kube/object.ts';
import type { Engine } from '../../protocol/engine.ts';
import type { OverridePlan, OverrideReach, RunView, SuspendedBy } from '../../protocol/views.ts';
import { allObjects, allOption } from '../allObjects.ts';
import { type Command, type CommandContext, flagOption, UsageError } from '../command.ts';
import { confirmed, yesOption } from '../confirm.ts';
import { clusterOptions, sopsOptions, outputOption } from '../globalOptions.ts';
import { namedObject } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';
import { runText } from '../printers/runText.ts';
import { printResult } from '../printResult.ts';

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'Reconcile one object, or all of a kind, now and wait for it',
  usage: 'KIND NAME|--all [--with-source] [--local | --override [--with-descendants] [--yes]]',
  completions: ['kind', 'object'],
  details:
    'Where Flux runs in the cluster it is asked by annotation. With --local Plumb takes the Leases of the installation, is the\ncontroller for this run, and gives them back; it refuses while anybody else reconciles.\nWith --override one run of a Kustomization applies the files you stand in while Flux runs: the object is suspended until the run\nends, and after that its own source counts again. With --with-descendants the Kustomizations below it that read the same source are\noverridden and run with it; without, they keep the files of their own source.',
  examples: [
    [
      'plumb reconcile kustomization apps --with-source',
      'fetch, then apply, by the controllers in the cluster',
    ],
    ['plumb reconcile kustomization --all', 'all of flux-system that are not suspended, dependencies first'],
    ['plumb reconcile gitrepo flux-system --local', 'fetch without any controller in the cluster'],
    ['plumb reconcile kustomization apps --override', 'try the files you stand in, beside Flux'],
    ['plumb reconcile kustomization flux-system --override --with-descendants', 'all that it makes, too'],
  ],
  options: {
    ...clusterOptions,
    ...outputOption,
    ...sopsOptions,
    ...allOption,
    'with-source': { type: 'boolean', description: 'fetch the source first' },
    ...yesOption,
    override: {
      type: 'boolean',
      description: 'one run of the files you stand in, in place of the controller',
    },
    'with-descendants': {
      type: 'boolean',
      description: 'with --override: the Kustomizations below it, too',
    },
    local: { type: 'boolean', description: 'reconcile with Plumb itself, holding the Leases meanwhile' },
  },
  run: (ctx) => {
    const run = wantedRuns(ctx);
    return withEngine(ctx, async (engine) => {
      if (flagOption(ctx, 'local')) await engine.setMode('local', { signal: ctx.signal });
      const progress = engine.onEvent((event) => {
        if (event.type === 'stageStarted')
          ctx.terminal.err(ctx.terminal.style.dim(`  ${formatRef(event.ref)}: ${event.stage}\n`));
      });
      const runs = await run(engine);
      progress.dispose();
      if (runs === undefined) return 130;
      const isMany = flagOption(ctx, 'all') || flagOption(ctx, 'with-descendants');
      printResult(ctx, isMany ? runs : (runs[0] ?? runs), () =>
        runs.length === 0
          ? 'nothing to reconcile: all are suspended, or there are none\n'
          : runs.map((each) => runText(each, ctx.terminal.style)).join(''),
      );
      return runs.every(({ ready }) => ready) ? 0 : 4;
    });
  },
};

/** What the command line asks for, before anything is done; its runs are undefined when the user did not agree to an override. */
function wantedRuns(ctx: CommandContext): (engine: Engine) => Promise<readonly RunView[] | undefined> {
  const { signal } = ctx;
  const isOverride = flagOption(ctx, 'override');
  const isWithSource = flagOption(ctx, 'with-source');
  if (flagOption(ctx, 'with-descendants') && !isOverride)
    throw new UsageError('--with-descendants goes with --override');
  const query = allObjects(ctx);
  if (query !== undefined && isOverride)
    throw new UsageError('--override takes one object; --with-descendants adds those below it');
  if (query !== undefined) return (engine) => engine.reconcileAll(query, isWithSource, { signal });
  const ref = namedObject(ctx);
  if (isOverride) return (engine) => overridden(ctx, engine, ref);
  return async (engine) => [await engine.reconcile(ref, isWithSource, { signal })];
}

/** One run each under an override, which ends whatever becomes of the runs. */
async function overridden(
  ctx: CommandContext,
  engine: Engine,
  ref: ObjectRef,
): Promise<readonly RunView[] | undefined> {
  const { signal, terminal } = ctx;
  const plan = await engine.planOverride(ref, { signal });
  const reach: OverrideReach = flagOption(ctx, 'with-descendants') ? 'descendants' : 'object';
  for (const warning of plan.warnings) terminal.err(`! ${warning}\n`);
  if (!(await confirmed(ctx, overrideQuestion(plan, reach)))) return undefined;
  await engine.startOverride(plan.id, reach, { signal });
  const runs: RunView[] = [];
  try {
    const below = reach === 'object' ? [] : plan.descendants.map((descendant) => descendant.ref);
    for (const next of [ref, ...below]) {
      const run = await engine.reconcile(next, false, { signal });
      runs.push(run);
      if (!run.ready) break;
    }
    return runs;
  } finally {
    await engine.endOverride(ref);
  }
}

function overrideQuestion(
  { ref, cluster, folder, suspendedBy, descendants }: OverridePlan,
  reach: OverrideReach,
): string {
  const below = reach === 'object' ? [] : descendants;
  const names = [formatRef(ref), ...below.map((descendant) => formatRef(descendant.ref))];
  const suspended = [{ ref, suspendedBy }, ...below].flatMap((object) =>
    object.suspendedBy === undefined
      ? []
      : [`${formatRef(object.ref)} was suspended by ${whoOf(object.suspendedBy)}; `],
  );
  const controller = below.length === 0 ? 'its controller' : 'their controller';
  return `${suspended.join('')}apply ${folder} as ${names.join(', ')} to ${cluster}, in place of ${controller}?`;
}

function whoOf({ manager, by = manager, time, reason }: SuspendedBy): string {
  const since = time === undefined ? '' : ` since ${time}`;
  return `${by}${since}${reason === undefined ? '' : ` (${reason})`}`;
}
