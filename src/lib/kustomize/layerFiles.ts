import type { FileObjects } from './buildCache.ts';
import type { BuildRun } from './buildRun.ts';
import type { Located } from './decode.ts';
import { isHttpUrl } from './gitUrl.ts';
import { readKustomization, type KustomizationFile } from './kustomizationFile.ts';
import type { Dependencies, Loader } from './loader.ts';
import type { MergeSchemas } from './mergeSchema.ts';
import { isBuiltinKind } from './resId.ts';
import { annotateOrigin, appendPath, type Provenance } from './provenance.ts';
import type { Resource } from './resource.ts';
import { emptyConfig, type TransformerConfig } from './transformerConfig.ts';

/** One kustomization while it is built. */
export interface LayerInput {
  readonly run: BuildRun;
  readonly loader: Loader;
  readonly file: KustomizationFile;
  readonly provenance: Provenance;
  /** Its folder; that of a component stands behind the folder of what it is a part of. */
  readonly name: string;
}

interface KnownFile {
  readonly dependencies: Dependencies;
  readonly file: KustomizationFile;
}

/** The kustomization of a folder, read anew when a file it was made from has changed. */
export function readLayerFile(run: BuildRun, loader: Loader): KustomizationFile | undefined {
  const key = `file:${loader.label}${loader.root}`;
  const known = run.cache.recall(key) as KnownFile | undefined;
  if (known !== undefined && run.isUnchanged(known.dependencies)) {
    run.recordAll(known.dependencies);
    return known.file;
  }
  const { value: file, dependencies } = run.recording(() => readKustomization(loader, run.problems));
  if (file !== undefined) run.cache.keep(key, { dependencies, file }, 1);
  return file;
}

interface Memo {
  readonly file: KustomizationFile;
  readonly schemas: MergeSchemas;
  readonly config: TransformerConfig;
  readonly dependencies: Dependencies;
  readonly value: unknown;
}

/**
 * The value of a step that depends on the kustomization file, the configuration and the files it reads. `size` is the number
 * of objects that the value holds.
 */
export function remembered<T>(
  { run, loader, file, provenance, name: layer }: LayerInput,
  name: string,
  make: () => T,
  { config = emptyConfig, size = 1 }: { readonly config?: TransformerConfig; readonly size?: number } = {},
): T {
  const marks = run.tracksProvenance ? JSON.stringify(provenance) : '';
  const key = `${name}:${run.rules}:${marks}:${loader.label}${layer}`;
  const known = run.cache.recall(key) as Memo | undefined;
  if (
    known?.file === file &&
    known.config === config &&
    known.schemas === run.schemas &&
    run.isUnchanged(known.dependencies)
  ) {
    run.recordAll(known.dependencies);
    return known.value as T;
  }
  const { value, dependencies } = run.recording(make);
  const memo: Memo = { file, config, schemas: run.schemas, dependencies, value };
  if (!run.hasFailed) run.cache.keep(key, memo, size);
  return value;
}

/** What an entry of resources led to in the last build. */
interface KnownResource {
  readonly path: Located<string>;
  readonly full: string;
  readonly bytes: Uint8Array;
  readonly objects: FileObjects;
}

/** What the entries of a list led to, by their position in it; filled as they are read. */
export function knownFiles(
  { run, loader }: LayerInput,
  paths: readonly Located<string>[],
): (KnownResource | undefined)[] {
  const key = `resources:${run.rules}:${loader.label}${loader.root}`;
  let known = run.cache.recall(key) as (KnownResource | undefined)[] | undefined;
  if (known === undefined) run.cache.keep(key, (known = []), paths.length);
  known.length = Math.min(known.length, paths.length);
  return known;
}

/** The objects of a path that is a file; undefined when it is a folder or a repository. */
export function objectsOfFile(
  input: LayerInput,
  path: Located<string>,
  known: (KnownResource | undefined)[],
  index: number,
): readonly Resource[] | undefined {
  const { run, loader, provenance } = input;
  let found = known[index];
  if (found?.path === path && loader.tree.get(found.full) === found.bytes) loader.read(found.full);
  else if (loader.isRepository(path.value) || path.value === '') return undefined;
  else {
    const full = isHttpUrl(path.value) ? undefined : loader.resolve(path.value);
    if (full !== undefined && !loader.tree.has(full) && loader.tree.isFolder(full)) return undefined;
    if (loader.isMissingRemote(path.value, path.node)) return [];
    const bytes = loader.load(path.value, path.node);
    const objects = run.cache.read(full === undefined ? path.value : loader.pathOf(full), bytes);
    found = { path, full: full ?? path.value, bytes, objects };
    known[index] = found;
  }
  const { resources, problems, warnings } = found.objects;
  run.problems.push(...problems, ...warnings);
  if (resources.some(({ id }) => !isBuiltinKind(id))) run.noteSchemaUse('met');
  if (!run.tracksProvenance) return resources;
  const origin = appendPath(provenance, path.value);
  return resources.map((object) => annotateOrigin(object, origin));
}
