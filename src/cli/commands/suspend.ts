import { formatRef, type ObjectRef } from '../../kube/object.ts';
import type { Engine } from '../../protocol/engine.ts';
import { allObjects, allOption } from '../allObjects.ts';
import { type Command, type CommandContext, textOption } from '../command.ts';
import { clusterOptions } from '../globalOptions.ts';
import { namedObject } from '../namedObject.ts';
import { withEngine } from '../openEngine.ts';

export const suspendCommand: Command = {
  name: 'suspend',
  summary: 'Stop the reconciliation of one object, or of all of a kind',
  usage: 'KIND NAME|--all [--reason TEXT]',
  completions: ['kind', 'object'],
  examples: [
    ['plumb suspend kustomization apps --reason "load test until 5 pm"', 'others see who and why'],
    ['plumb suspend kustomization --all -n shop', 'every one of a namespace'],
  ],
  options: {
    ...clusterOptions,
    ...allOption,
    reason: { type: 'string', value: 'TEXT', description: 'why; kept on the object for others to see' },
  },
  run: (ctx) =>
    forEach(ctx, 'suspended', (engine, ref) =>
      engine.suspend(ref, textOption(ctx, 'reason'), { signal: ctx.signal }),
    ),
};

export const resumeCommand: Command = {
  name: 'resume',
  summary: 'Go on with the reconciliation of one object, or of all of a kind',
  usage: 'KIND NAME|--all',
  completions: ['kind', 'object'],
  examples: [
    ['plumb resume kustomization apps', 'undo a suspend'],
    ['plumb resume kustomization --all', 'all that are suspended in flux-system, dependencies first'],
  ],
  options: { ...clusterOptions, ...allOption },
  run: (ctx) => forEach(ctx, 'resumed', (engine, ref) => engine.resume(ref, { signal: ctx.signal })),
};

/** Does it to the object that is named, or to all that are not as they should be; what is suspended already keeps its reason. */
function forEach(
  ctx: CommandContext,
  done: 'suspended' | 'resumed',
  act: (engine: Engine, ref: ObjectRef) => Promise<void>,
): Promise<number> {
  return withEngine(ctx, async (engine) => {
    const query = allObjects(ctx);
    const listed = query === undefined ? [] : await engine.objects(query, { signal: ctx.signal });
    const refs =
      query === undefined
        ? [namedObject(ctx)]
        : listed.filter(({ suspended }) => suspended === (done === 'resumed')).map(({ ref }) => ref);
    for (const ref of refs) {
      await act(engine, ref);
      ctx.terminal.out(`${formatRef(ref)} ${done}\n`);
    }
    if (refs.length === 0) ctx.terminal.err(`nothing to do: ${listed.length} objects, all ${done} already\n`);
    return 0;
  });
}
