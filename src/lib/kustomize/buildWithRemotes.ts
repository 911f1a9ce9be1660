import type { ReadableTree } from '../../base/readableTree.ts';
import { buildKustomization, type BuildOptions, type BuildResult } from './buildKustomization.ts';
import type { FetchRemotes, Remotes } from './loader.ts';

/** A base that is fetched may name others; nobody nests them this deep on purpose. */
const maxRounds = 20;

/** Builds, and fetches what the build needs from elsewhere until it has all of it. */
export async function buildWithRemotes(
  tree: ReadableTree,
  path: string,
  options: Omit<BuildOptions, 'remotes'>,
  { fetch, signal }: { readonly fetch: FetchRemotes; readonly signal: AbortSignal },
): Promise<BuildResult> {
  let remotes: Remotes = new Map();
  for (let round = 0; ; round++) {
    const result = buildKustomization(tree, path, { ...options, remotes });
    if (result.needs.length === 0 || result.diagnostics.some(({ severity }) => severity === 'error'))
      return result;
    const unfetched = result.needs.map(
      ({ url }) => [url, { error: 'remote bases are nested too deep' }] as const,
    );
    const fetched = round < maxRounds ? await fetch(result.needs, signal) : new Map(unfetched);
    remotes = new Map([...remotes, ...fetched]);
  }
}
