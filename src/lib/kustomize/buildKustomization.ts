import type { Diagnostic } from '../../base/diagnostic.ts';
import type { ReadableTree } from '../../base/readableTree.ts';
import { joinTreePath } from '../../base/treePath.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { BuildCache } from './buildCache.ts';
import { BuildRun } from './buildRun.ts';
import { finishObjects, type FinishOptions } from './finish.ts';
import { buildLayer, emptyLayer, openLayer, type Layer } from './layer.ts';
import { Loader, type Dependencies, type RemoteNeed, type Remotes } from './loader.ts';
import { nowhere } from './node.ts';
import { originsOf, type Places } from './nodeOrigins.ts';
import { diagnosticOf, type BuildProblem } from './problem.ts';
import { noProvenance } from './provenance.ts';
import type { FinishedObject } from './finish.ts';
import { keyOfChanges, type RootChanges } from './rootChanges.ts';

export interface BuildOptions {
  /** Which files a kustomization may read: those of the tree (as Flux allows, the default), or below its own folder only. */
  readonly loadRestrictions?: 'none' | 'rootOnly';
  /** Refuses repositories and files behind URLs, as Flux does with --no-remote-bases. */
  readonly refuseRemotes?: boolean;
  /** What earlier builds asked for in `needs`, by URL. */
  readonly remotes?: Remotes;
  /** The order of the objects where sortOptions says none: as listed (Flux), or `kustomize build`'s order of kinds. */
  readonly order?: 'listed' | 'legacy';
  /** Objects without an apiVersion: refused as in Flux's controllers (the default), or built as `kustomize build` does. */
  readonly untyped?: 'refused' | 'built';
  /** The version in managedByLabel; `(devel)` as in Flux's controllers when absent, `v5.8.1` in the kustomize program. */
  readonly version?: string;
  /** What Flux changes in the root kustomization. */
  readonly rootChanges?: RootChanges;
  /** What earlier builds have left for this one to reuse. */
  readonly cache?: BuildCache;
}

export interface BuildResult {
  /** The objects in their order; empty when there is an error or something is missing. */
  readonly objects: readonly BuiltObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** What must be fetched and given as `remotes` before the build can be finished. */
  readonly needs: readonly RemoteNeed[];
}

interface KnownBuild {
  readonly dependencies: Dependencies;
  readonly objects: readonly FinishedObject[];
  readonly warnings: readonly BuildProblem[];
}

/**
 * Builds the kustomization in a folder of the tree exactly as kustomize 5.8.1 (api v0.21.1) does, with the place that set
 * each field. All problems in the user's files are told at once, with file and line. Pure: nothing is read but the tree.
 */
export function buildKustomization(
  tree: ReadableTree,
  path: string,
  options: BuildOptions = {},
): BuildResult {
  const {
    cache = new BuildCache({ limit: 0 }),
    loadRestrictions = 'none',
    order = 'listed',
    version = '(devel)',
    untyped = 'refused',
  } = options;
  const run = new BuildRun(tree, cache, {
    restrictToRoot: loadRestrictions === 'rootOnly',
    refuseRemotes: options.refuseRemotes ?? false,
    remotes: options.remotes ?? new Map(),
    rootChanges: options.rootChanges,
  });
  // Flux reads the built-in definitions before each build, so an openapi field adds to them.
  if (options.rootChanges !== undefined) run.noteSchemaUse('merged');
  const root = joinTreePath('', path);
  if (root === undefined || !tree.isFolder(root)) return missingFolder(path);
  const changes = keyOfChanges(options.rootChanges);
  const key = `build:${run.rules}:${order}:${untyped}:${version}:${root}:${changes}`;
  const known = cache.recall(key) as KnownBuild | undefined;
  if (known !== undefined && run.isUnchanged(known.dependencies))
    return resultOf(run, known.objects, known.warnings, root);
  const { value: objects, dependencies } = run.recording(() =>
    build(run, new Loader(run, tree, root), { order, version, requiresApiVersion: untyped === 'refused' }),
  );
  if (run.hasFailed) return resultOf(run, [], run.problems, root);
  if (!run.hasOwnSchemas) cache.keep(key, { dependencies, objects, warnings: run.problems }, objects.length);
  return resultOf(run, objects, run.problems, root);
}

function build(
  run: BuildRun,
  loader: Loader,
  how: Pick<FinishOptions, 'order' | 'version' | 'requiresApiVersion'>,
): readonly FinishedObject[] {
  const file = openLayer(run, loader, { component: false, place: undefined, isRoot: true });
  if (file === undefined) return [];
  const metadata = (file.input.buildMetadata ?? []).map(({ value }) => value);
  run.tracksProvenance = metadata.length > 0;
  const layer: Layer = buildLayer(
    { run, loader, file, provenance: noProvenance, name: loader.root },
    emptyLayer,
  );
  if (run.hasFailed) return [];
  const finish: FinishOptions = { ...how, metadata, sortOptions: file.input.sortOptions, name: loader.root };
  return run.attempt(() => finishObjects(run, layer, finish)) ?? [];
}

function resultOf(
  run: BuildRun,
  finished: readonly FinishedObject[],
  problems: readonly BuildProblem[],
  root: string,
): BuildResult {
  const places: Places = { lineOf: (source) => run.lineOf(source) };
  const fallback = root === '' ? 'kustomization.yaml' : `${root}/kustomization.yaml`;
  return {
    objects: finished.map(({ object, root: node }) => ({ object, origins: originsOf(node, places) })),
    diagnostics: problems.map((problem) => diagnosticOf(problem, fallback, places)),
    needs: [...run.needs.values()],
  };
}

function missingFolder(path: string): BuildResult {
  const problem: BuildProblem = {
    code: 'build-file-missing',
    message: `there is no folder ${path}`,
    place: nowhere,
    path,
    hint: 'check the path of the Kustomization',
  };
  return {
    objects: [],
    diagnostics: [diagnosticOf(problem, path, { lineOf: ({ line }) => line })],
    needs: [],
  };
}
