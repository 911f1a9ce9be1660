import { createGitClient } from '../clients/git/gitClient.ts';
import type { FetchRemotes } from '../lib/kustomize/loader.ts';
import { defaultCacheFolder } from './cacheFolder.ts';
import { remoteFetcher } from './remoteBases.ts';
import { systemClock } from './systemClock.ts';

/** Fetches remote bases with the user's own git, until it is closed. */
export function userRemotes(): { readonly fetch: FetchRemotes; readonly close: () => Promise<void> } {
  const git = createGitClient({ cacheFolder: defaultCacheFolder() });
  return {
    fetch: remoteFetcher({ git, clock: systemClock, auth: { type: 'user' } }),
    close: () => git.close(),
  };
}
