import { defaultFluxNamespace, parseFluxKind } from '../engine/fluxRef.ts';
import type { ObjectsQuery } from '../protocol/views.ts';
import { type CommandContext, flagOption, textOption, UsageError } from './command.ts';

export const allOption = {
  all: { type: 'boolean', description: 'every object of the kind in the namespace' },
} as const;

/** What `KIND --all` names, as the Flux CLI: the objects of one namespace. Undefined without the flag. */
export function allObjects(ctx: CommandContext): ObjectsQuery | undefined {
  if (!flagOption(ctx, 'all')) return undefined;
  const [word = '', ...rest] = ctx.positionals;
  if (rest.length > 0 || word.includes('/'))
    throw new UsageError('--all goes with a kind alone, without a name');
  const { group, version, kind } = parseFluxKind(word);
  return { group, version, kind, namespace: textOption(ctx, 'namespace') ?? defaultFluxNamespace };
}
