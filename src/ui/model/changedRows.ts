import type { TreeEntry } from './treeEntries.ts';

/**
 * The top rows to read again, each with what stands below it; `all` where rows came, went or changed places. The editor forgets
 * every row while it reads all of them, and a command of a row that is called then does not learn which one it was.
 */
export function changedRows(
  before: readonly TreeEntry[],
  after: readonly TreeEntry[],
): readonly TreeEntry[] | 'all' {
  const isSameList = before.length === after.length && after.every(({ id }, at) => id === before[at]?.id);
  if (!isSameList || after.length === 0) return 'all';
  return after.filter((entry, at) => textOf(entry) !== textOf(before[at] as TreeEntry));
}

/** The rows and those below them. */
export function allEntries(roots: readonly TreeEntry[]): readonly TreeEntry[] {
  return roots.flatMap((root) => [root, ...allEntries(root.children)]);
}

/** Rows are plain data. */
function textOf(entry: TreeEntry): string {
  return JSON.stringify(entry);
}
