import { realpath, stat } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { plumbError } from '../base/plumbError.ts';
import type { Origin } from '../base/position.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import { formatRef, refOf } from '../kube/object.ts';
import { buildKustomization } from '../lib/kustomize/buildKustomization.ts';
import { printBuild } from '../lib/kustomize/printBuild.ts';
import { DiskTree } from './diskTree.ts';

export interface LocalBuildOptions {
  readonly loadRestrictions: 'none' | 'rootOnly';
  readonly format: 'yaml' | 'json';
  readonly signal: AbortSignal;
  /** Called with the bytes read so far. */
  readonly onRead?: (readBytes: number) => void;
}

export interface BuiltField {
  readonly object: string;
  readonly pointer: string;
  readonly origin: Origin;
}

export interface LocalBuild {
  /** What `kustomize build` prints, byte for byte; empty when there is an error. */
  readonly text: string;
  /** Each field of each object with the place that set it. */
  readonly fields: () => Iterable<BuiltField>;
  /** Paths are relative to the folder that was built. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Builds a folder of the disk as `kustomize build` does; reads the files that the build names, and writes nothing. */
export async function buildFolder(folder: string, options: LocalBuildOptions): Promise<LocalBuild> {
  await requireFolder(folder);
  const path = await realpath(folder);
  const tree = new DiskTree(path, options.onRead);
  const { objects, diagnostics, needs } = buildKustomization(tree, tree.fromAbsolute(path), {
    loadRestrictions: options.loadRestrictions,
    order: 'legacy',
    untyped: 'built',
    version: 'v5.8.1',
  });
  options.signal.throwIfAborted();
  if (needs.length > 0) {
    throw plumbError('BuildFailed', {
      subject: folder,
      message: `needs ${needs.map(({ url }) => url).join(', ')}, which plumb build does not fetch yet`,
      hint: 'copy the base into the repository',
    });
  }
  const fromFolder = (file: string): string =>
    relative(path, tree.diskPath(file)).split(sep).join('/') || basename(file);
  return {
    text: printBuild(objects, options.format),
    fields: () => fieldsOf(objects, fromFolder),
    diagnostics: diagnostics.map((diagnostic) => ({ ...diagnostic, path: fromFolder(diagnostic.path) })),
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
