import type { BuildRun } from './buildRun.ts';
import { readKustomization, type KustomizationFile } from './kustomizationFile.ts';
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
  run.cache.keep(key, { dependencies, file } satisfies KnownRoot, 1);
  return file;
}
