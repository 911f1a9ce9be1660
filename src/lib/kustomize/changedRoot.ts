import type { BuildRun } from './buildRun.ts';
import { isEmpty, readKustomization, type KustomizationFile } from './kustomizationFile.ts';
import type { KustomizationInput } from './kustomizationShape.ts';
import type { Dependencies, Loader } from './loader.ts';
import { changeRoot, keyOfChanges, type RootChanges } from './rootChanges.ts';

interface KnownRoot {
  readonly dependencies: Dependencies;
  readonly file: KustomizationFile;
}

/**
 * The root kustomization as Flux builds it: read with Go's types, so that unknown fields are left out and numbers and
 * booleans serve as texts, then changed.
 */
export function readChangedRoot(
  run: BuildRun,
  loader: Loader,
  changes: RootChanges,
): KustomizationFile | undefined {
  const key = `root:${loader.root}:${keyOfChanges(changes)}`;
  const known = run.cache.recall(key) as KnownRoot | undefined;
  if (known !== undefined && run.isUnchanged(known.dependencies)) {
    run.recordAll(known.dependencies);
    return known.file;
  }
  const { value: read, dependencies } = run.recording(() =>
    readKustomization(loader, run.problems, 'asFlux'),
  );
  if (read === undefined) return undefined;
  const file = { ...read, input: changeRoot(read.input, changes) };
  if (changes.leftOut !== undefined && isEmpty(withoutEmptyLists(file.input))) {
    run.problems.push({
      code: 'kustomization-empty',
      message: 'nothing is left to build: all that the kustomization lists is ignored',
      place: read.input.node,
      hint: 'look at the .sourceignore files of the folder',
    });
    return undefined;
  }
  run.cache.keep(key, { dependencies, file } satisfies KnownRoot, 1);
  return file;
}

function withoutEmptyLists(input: KustomizationInput): KustomizationInput {
  const { node, ...fields } = input;
  const kept = Object.entries(fields).filter(([, value]) => !(Array.isArray(value) && value.length === 0));
  return { ...Object.fromEntries(kept), node };
}
