import { parseFluxRef } from '../engine/fluxRef.ts';
import type { ObjectRef } from '../kube/object.ts';
import { type CommandContext, textOption, UsageError } from './command.ts';

/** The words of `KIND NAME` or `KIND/NAME`. Throws UsageError where one is missing, or where more follow that would be ignored. */
export function objectWords({ positionals }: CommandContext): readonly [kind: string, name: string] {
  const words = positionals.length === 1 ? (positionals[0] as string).split('/') : positionals;
  const [kind = '', name = '', ...more] = words;
  if (kind === '' || name === '')
    throw new UsageError('an object is named by KIND NAME or KIND/NAME, as in kustomization apps');
  if (more.length > 0) throw new UsageError(`unexpected ${more.join(' ')}: one object is named at a time`);
  return [kind, name];
}

/** The Flux object that the command line names. Throws UsageError, and InvalidConfiguration for what is no Flux kind. */
export function namedObject(ctx: CommandContext): ObjectRef {
  return parseFluxRef(objectWords(ctx), textOption(ctx, 'namespace'));
}
