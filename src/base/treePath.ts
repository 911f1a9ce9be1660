/**
 * Joins a path of a FileTree with a relative one and resolves `.` and `..`; '' is the root.
 * Gives undefined when the result would leave the root or `relative` is absolute.
 */
export function joinTreePath(base: string, relative: string): string | undefined {
  if (relative.startsWith('/')) return undefined;
  const parts: string[] = [];
  for (const part of `${base}/${relative}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/** The folder of a path of a FileTree; '' is the root. */
export function treeDirname(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last segment of a path. */
export function treeBasename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path that leads from folder `from` to `to`, with `..` where needed; '.' when they are the same. */
export function relativeTreePath(from: string, to: string): string {
  const fromParts = from === '' ? [] : from.split('/');
  const toParts = to === '' ? [] : to.split('/');
  let common = 0;
  while (common < fromParts.length && common < toParts.length && fromParts[common] === toParts[common])
    common++;
  const parts = [...fromParts.slice(common).map(() => '..'), ...toParts.slice(common)];
  return parts.length === 0 ? '.' : parts.join('/');
}
