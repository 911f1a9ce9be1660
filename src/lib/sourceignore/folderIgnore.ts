import type { ReadableTree } from '../../base/readableTree.ts';
import { isFolderIgnored, isIgnored, type IgnorePattern } from './ignorePattern.ts';
import { ignoreFileName, readIgnoreFiles, standardPatterns } from './sourceIgnore.ts';

/** What the ignore files below a folder leave out when it is built in place of an artifact. */
export interface FolderIgnore {
  /** Equal for the same ignore files. */
  readonly key: string;
  /** Whether a manifest is passed over where the folder has no kustomization that lists them. */
  skipsManifest(path: string): boolean;
  /** Whether a file or folder that the folder's kustomization lists is passed over. */
  skipsEntry(path: string): boolean;
}

/**
 * Reads the ignore files of a folder and of those below it, as `flux build kustomization` does: they add to the standard
 * list, which an artifact's would replace; those of folders above do not count. Follows fluxcd/pkg kustomize Generator.
 */
export function readFolderIgnore(tree: ReadableTree, folder: string): FolderIgnore {
  const files = [...ignoreFilesIn(tree, folder)];
  const own = readIgnoreFiles(files);
  const patterns: readonly IgnorePattern[] = [...standardPatterns(folder), ...own];
  return {
    key: JSON.stringify(files.map(([path, content]) => [path, Buffer.from(content).toString('latin1')])),
    skipsManifest: (path) => own.length > 0 && isIgnored(path, patterns),
    skipsEntry: (path) =>
      tree.isFolder(path) && !isLink(tree, path)
        ? isFolderIgnored(path, patterns)
        : isIgnored(path, patterns),
  };
}

function* ignoreFilesIn(tree: ReadableTree, folder: string): Iterable<readonly [string, Uint8Array]> {
  for (const name of tree.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const content = name === ignoreFileName ? tree.get(path) : undefined;
    if (content !== undefined) yield [path, content];
    else if (name !== '.git' && tree.isFolder(path) && !isLink(tree, path)) yield* ignoreFilesIn(tree, path);
  }
}

function isLink(tree: ReadableTree, path: string): boolean {
  return tree.realPath !== undefined && tree.realPath(path) !== path;
}
