/**
 * Files by POSIX path, relative to a root and normalised: a FileTree in memory, or a disk. Reading it twice gives the same
 * bytes object, so caches may key on it.
 */
export interface ReadableTree {
  has(path: string): boolean;
  get(path: string): Uint8Array | undefined;
  isFolder(path: string): boolean;
  list(folder: string): readonly string[];
  /** Where a path leads when links are followed; absent in a tree that has none. */
  readonly realPath?: (path: string) => string;
  /** The path in the tree of an absolute one; absent in a tree that knows no place on a disk. */
  readonly fromAbsolute?: (path: string) => string | undefined;
}
