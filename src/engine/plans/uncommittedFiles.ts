import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';

/** How many files are named before the rest is counted. */
const namedFiles = 5;

/**
 * What the user should know of files that no commit holds yet: the plan counts them in, and a reconciler would not see them.
 * Of `untracked` those that lie below the Kustomization's path or hold one of its objects.
 */
export function uncommittedNotes(
  untracked: readonly string[],
  { spec }: Kustomization,
  objects: readonly BuiltObject[],
): readonly string[] {
  const folder = (spec.path ?? '').replace(/^(\.?\/)+/, '').replace(/\/*$/, '/');
  const sources = new Set(objects.map(({ origins }) => origins.at('')?.path));
  const files = untracked.filter((path) => sources.has(path) || folder === '/' || path.startsWith(folder));
  if (files.length === 0) return [];
  const shown = files.slice(0, namedFiles).join(', ');
  const more = files.length > namedFiles ? ` and ${files.length - namedFiles} more` : '';
  return [`in no commit yet: ${shown}${more}; this plan has them, Flux has not`];
}
