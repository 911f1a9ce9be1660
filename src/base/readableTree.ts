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

/** The tree with one file more, or another in its place. */
export function withFile(tree: ReadableTree, path: string, content: Uint8Array): ReadableTree {
  const slash = path.lastIndexOf('/');
  const folder = slash < 0 ? '' : path.slice(0, slash);
  const name = path.slice(slash + 1);
  const { realPath, fromAbsolute } = tree;
  return {
    has: (other) => other === path || tree.has(other),
    get: (other) => (other === path ? content : tree.get(other)),
    isFolder: (other) => other !== path && (other === folder || tree.isFolder(other)),
    list: (other) =>
      other === folder && !tree.has(path) ? [...tree.list(folder), name].sort() : tree.list(other),
    ...(realPath !== undefined && { realPath: (other) => (other === path ? path : realPath(other)) }),
    ...(fromAbsolute !== undefined && { fromAbsolute }),
  };
}
