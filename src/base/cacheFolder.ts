import { isAbsolute, join } from 'node:path';

/** Plumb's cache folder: `$XDG_CACHE_HOME/plumb`, else `~/.cache/plumb`. Nothing in it is dear. */
export function cacheFolderOf(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  // The XDG specification has relative values ignored.
  return join(isAbsolute(base) ? base : join(home, '.cache'), 'plumb');
}
