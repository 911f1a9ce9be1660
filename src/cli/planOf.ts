import { isPlumbError } from '../base/plumbError.ts';
import type { ObjectRef } from '../kube/object.ts';
import type { Engine } from '../protocol/engine.ts';
import type { PlanView } from '../protocol/views.ts';
import { type CommandContext, type OptionSpec, textOption, UsageError } from './command.ts';

/** Where a plan takes the files from. */
export const fromOption = {
  from: {
    type: 'string',
    value: 'WHERE',
    completion: ['working-tree', 'source'],
    description:
      'working-tree: the files you stand in; source: the revision the cluster has fetched; default: the first that applies',
  },
} as const satisfies Record<string, OptionSpec>;

/** The plan of a workload, from where --from says. Without it: the working tree when it stands in for the source, else the source. */
export async function planOf(ctx: CommandContext, engine: Engine, ref: ObjectRef): Promise<PlanView> {
  const { signal } = ctx;
  switch (textOption(ctx, 'from')) {
    case 'working-tree':
      return engine.plan(ref, 'workingTree', { signal });
    case 'source':
      return engine.plan(ref, 'source', { signal });
    case undefined:
      try {
        return await engine.plan(ref, 'workingTree', { signal });
      } catch (error) {
        if (!isPlumbError(error, 'NotFound')) throw error;
        return engine.plan(ref, 'source', { signal });
      }
    default:
      throw new UsageError('--from takes working-tree or source');
  }
}
