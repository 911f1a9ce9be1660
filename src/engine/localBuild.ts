import { realpath, stat } from 'node:fs/promises';
import { basename, relative, resolve, sep } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { plumbError } from '../base/plumbError.ts';
import { joinTreePath } from '../base/treePath.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { formatRef, refOf } from '../kube/object.ts';
import type { BuildOptions, BuildResult } from '../lib/kustomize/buildKustomization.ts';
import { buildWithRemotes } from '../lib/kustomize/buildWithRemotes.ts';
import { parseGitUrl, type GitUrl } from '../lib/kustomize/gitUrl.ts';
import type { FetchRemotes } from '../lib/kustomize/loader.ts';
import { printBuild } from '../lib/kustomize/printBuild.ts';
import type { BuiltField } from '../protocol/engine.ts';
import type { ReadableTree } from '../base/readableTree.ts';
import { DiskTree } from './diskTree.ts';

export interface LocalBuildOptions {
  readonly loadRestrictions: 'none' | 'rootOnly';
  readonly format: 'yaml' | 'json';
  readonly remoteBases: 'fetched' | 'refused';
  readonly signal: AbortSignal;
  /** Called with the bytes read so far. */
  readonly onRead?: (readBytes: number) => void;
}

export interface LocalBuild {
  /** What `kustomize build` prints, byte for byte; empty when there is an error. */
  readonly text: string;
  /** Each field of each object with the place that set it. */
  readonly fields: () => Iterable<BuiltField>;
  /** Paths are relative to the folder that was built. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Builds what a path or a URL names as `kustomize build` does; reads the files that the build names, fetches what lies
 * elsewhere and writes nothing. Throws InvalidPath for a folder that is not there, GitOperationFailed for a repository
 * that cannot be fetched.
 */
export function buildTarget(target: string, cwd: string, options: LocalBuildOptions): Promise<LocalBuild> {
  const repository = parseGitUrl(target);
  return repository === undefined
    ? buildFolder(resolve(cwd, target), options)
    : buildRepository(repository, options);
}

async function buildFolder(folder: string, options: LocalBuildOptions): Promise<LocalBuild> {
  const { tree, path } = await openFolder(folder, options.onRead);
  const { objects, diagnostics } = await buildOnDisk(
    tree,
    path,
    options,
    asProgram(options.loadRestrictions),
  );
  return localBuild(folderNames(tree, path), objects, diagnostics, printBuild(objects, options.format));
}

/** As upstream, the files of a repository are always restricted to the folder of their kustomization. */
async function buildRepository(
  repository: GitUrl,
  { signal, format, remoteBases }: LocalBuildOptions,
): Promise<LocalBuild> {
  const { url, path } = repository;
  if (remoteBases === 'refused')
    throw plumbError('InvalidConfiguration', { subject: url, message: 'remote bases are not allowed' });
  const { userRemotes } = await import('./userRemotes.ts');
  const { fetch, close } = userRemotes();
  try {
    const fetched = (await fetch([{ type: 'git', ...repository }], signal)).get(url);
    if (fetched === undefined || 'error' in fetched || fetched instanceof Uint8Array) {
      const cause = fetched !== undefined && 'error' in fetched ? fetched.error : 'it is no repository';
      throw plumbError('GitOperationFailed', { subject: url, message: `cannot be fetched: ${cause}` });
    }
    const folder = joinTreePath('', path);
    if (folder === undefined || !fetched.isFolder(folder))
      throw plumbError('InvalidPath', { subject: url, message: `the repository has no folder ${path}` });
    const build = await buildWithRemotes(fetched, folder, asProgram('rootOnly'), { fetch, signal });
    const { objects, diagnostics } = build;
    return localBuild((file) => file, objects, diagnostics, printBuild(objects, format));
  } finally {
    await close();
  }
}

/** How `kustomize build` differs from Flux's controllers. */
function asProgram(loadRestrictions: LocalBuildOptions['loadRestrictions']): BuildOptions {
  return { loadRestrictions, order: 'legacy', untyped: 'built', version: 'v5.8.1' };
}

/** The disk, and a folder's real path on it. Throws InvalidPath when it is none. */
export async function openFolder(
  folder: string,
  onRead?: LocalBuildOptions['onRead'],
): Promise<{ readonly tree: DiskTree; readonly path: string }> {
  await requireFolder(folder);
  const path = await realpath(folder);
  return { tree: new DiskTree(path, onRead), path };
}

/** Builds with remote bases that the user's own git fetches, started when there are any. */
export async function buildOnDisk(
  tree: ReadableTree,
  path: string,
  { signal, remoteBases }: Pick<LocalBuildOptions, 'signal' | 'remoteBases'>,
  options: BuildOptions,
): Promise<BuildResult> {
  const closing: (() => Promise<void>)[] = [];
  const fetch: FetchRemotes = async (needs) => {
    const { userRemotes } = await import('./userRemotes.ts');
    const remotes = userRemotes();
    closing.push(remotes.close);
    return remotes.fetch(needs, signal);
  };
  try {
    const inner = tree.fromAbsolute?.(path) ?? path;
    const refuseRemotes = remoteBases === 'refused';
    return await buildWithRemotes(tree, inner, { ...options, refuseRemotes }, { fetch, signal });
  } finally {
    for (const close of closing) await close();
  }
}

/** How files are called to the user: relative to the folder that is built; URLs as they are. */
export function folderNames(tree: DiskTree, path: string): (file: string) => string {
  return (file) =>
    /^[^/]*:/.test(file) ? file : relative(path, tree.diskPath(file)).split(sep).join('/') || basename(file);
}

/** The answer about objects that were built. */
export function localBuild(
  nameOf: (file: string) => string,
  objects: readonly BuiltObject[],
  diagnostics: readonly Diagnostic[],
  text: string,
): LocalBuild {
  return {
    text,
    fields: () => fieldsOf(objects, nameOf),
    diagnostics: diagnostics.map((diagnostic) => ({ ...diagnostic, path: nameOf(diagnostic.path) })),
  };
}

function* fieldsOf(
  objects: readonly BuiltObject[],
  fromFolder: (file: string) => string,
): Iterable<BuiltField> {
  for (const { object: value, origins } of objects) {
    const object = formatRef(refOf({ ...value, apiVersion: value.apiVersion ?? '' }));
    for (const [pointer, origin] of origins.entries())
      yield { object, pointer, origin: { ...origin, path: fromFolder(origin.path) } };
  }
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw plumbError('InvalidPath', {
    subject: folder,
    message: found === undefined ? 'there is no such folder' : 'is a file, not a folder',
    hint: 'name the folder that holds the kustomization.yaml',
  });
}
