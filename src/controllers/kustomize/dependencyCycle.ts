import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { dependenciesOf } from '../../flux/references.ts';
import { type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { RunContext } from '../../ssa/runContext.ts';

/** Objects looked at before the search is given up. */
const searchLimit = 100;

/**
 * The way from the Kustomization through what it depends on back to itself, both ends included; undefined when there is none.
 * None on the way is ever reconciled, and upstream only says that a dependency is not ready. Read-only.
 */
export async function findDependencyCycle(
  ctx: RunContext,
  kustomization: Kustomization,
): Promise<readonly ObjectRef[] | undefined> {
  const self = refOf(kustomization);
  const seen = new Set<string>();
  const paths: (readonly ObjectRef[])[] = dependenciesOf(kustomization).map(({ ref }) => [self, ref]);
  for (let path = paths.shift(); path !== undefined && seen.size < searchLimit; path = paths.shift()) {
    const last = path.at(-1) as ObjectRef;
    if (refKey(last) === refKey(self)) return path;
    if (seen.has(refKey(last))) continue;
    seen.add(refKey(last));
    for (const ref of await dependenciesAt(ctx, last)) paths.push([...path, ref]);
  }
  return undefined;
}

async function dependenciesAt(ctx: RunContext, ref: ObjectRef): Promise<readonly ObjectRef[]> {
  const watched = ctx.watched?.(ref);
  const answer = watched === undefined ? await ctx.cluster.get(ref, ctx.signal) : undefined;
  const object = watched ?? (answer?.type === 'ok' ? answer.value : undefined);
  return object === undefined ? [] : dependenciesOf(object).map((dependency) => dependency.ref);
}
