import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { FileTree } from '../base/fileTree.ts';
import { plumbError } from '../base/plumbError.ts';
import type { Origin } from '../base/position.ts';
import { formatRef, refOf } from '../kube/object.ts';
import { BuildCache } from '../lib/kustomize/buildCache.ts';
import { buildKustomization } from '../lib/kustomize/buildKustomization.ts';
import { printBuild } from '../lib/kustomize/printBuild.ts';

export interface LocalBuildOptions {
  readonly loadRestrictions: 'none' | 'rootOnly';
  readonly format: 'yaml' | 'json';
  readonly signal: AbortSignal;
}

export interface LocalBuild {
  /** What `kustomize build` prints, byte for byte; empty when there is an error. */
  readonly text: string;
  /** Each field of each object with the place that set it. */
  readonly fields: readonly { readonly object: string; readonly pointer: string; readonly origin: Origin }[];
  /** Paths are relative to the folder that was built. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Folders above the built one that bases may lie in, where no repository says how far up they go. */
const highestClimb = 6;

/** Builds a folder of the disk as `kustomize build` does. Reads the folder and, for bases, the folders above it; writes nothing. */
export async function buildFolder(folder: string, options: LocalBuildOptions): Promise<LocalBuild> {
  const path = resolve(folder);
  await requireFolder(path, folder);
  let root = path;
  for (let climb = 0; ; climb++) {
    const tree = await readFolder(root, options.signal);
    const inner = relative(root, path).split(sep).join('/');
    const { objects, diagnostics, needs } = buildKustomization(tree, inner, {
      loadRestrictions: options.loadRestrictions,
      order: 'legacy',
      version: 'v5.8.1',
      cache: new BuildCache(),
    });
    const leavesTree = diagnostics.some(({ code }) => code === 'build-outside-root');
    if (leavesTree && climb < highestClimb && dirname(root) !== root) {
      root = dirname(root);
      continue;
    }
    if (needs.length > 0) {
      throw plumbError('BuildFailed', {
        subject: folder,
        message: `needs ${needs.map(({ url }) => url).join(', ')}, which plumb build does not fetch yet`,
        hint: 'copy the base into the repository',
      });
    }
    const fromFolder = (file: string): string =>
      relative(path, join(root, file)).split(sep).join('/') || basename(file);
    return {
      text: printBuild(objects, options.format),
      fields: objects.flatMap(({ object, origins }) =>
        [...origins.entries()].map(([pointer, origin]) => ({
          object: formatRef(refOf(object)),
          pointer,
          origin: { ...origin, path: fromFolder(origin.path) },
        })),
      ),
      diagnostics: diagnostics.map((diagnostic) => ({ ...diagnostic, path: fromFolder(diagnostic.path) })),
    };
  }
}

async function requireFolder(path: string, shown: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw plumbError('InvalidPath', {
    subject: shown,
    message: found === undefined ? 'there is no such folder' : 'is a file, not a folder',
    hint: 'name the folder that holds the kustomization.yaml',
  });
}

/** Every file below the folder but version control and packages; links are not followed. */
async function readFolder(root: string, signal: AbortSignal): Promise<FileTree> {
  const files: [string, Uint8Array][] = [];
  const walk = async (folder: string): Promise<void> => {
    signal.throwIfAborted();
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && entry.name !== '.git' && entry.name !== 'node_modules') await walk(path);
      else if (entry.isFile()) files.push([relative(root, path).split(sep).join('/'), await readFile(path)]);
    }
  };
  await walk(root);
  return FileTree.from(files);
}
