import { asPlumbError } from '../base/plumbError.ts';
import type { GitClient, GitSelector } from '../clients/git/gitClient.ts';
import type { GitAuth, GitRemote } from '../clients/git/gitRemote.ts';
import { cloneFiles } from '../controllers/source/gitCheckout.ts';
import type { Clock } from '../ssa/runContext.ts';
import type { FetchRemotes, RemoteNeed, Remotes } from '../lib/kustomize/loader.ts';

/** No manifest is larger; a URL must not fill the memory. */
const maxFileBytes = 64 * 1024 * 1024;
const timeoutMs = 60_000;
/** The longest that a URL may ask for with `?timeout=`; a timer takes no more than 24 days. */
const maxTimeoutMs = 3_600_000;

type Fetched = Remotes extends ReadonlyMap<string, infer T> ? T : never;

/** How long what was fetched stays as it is: previews build on every keystroke, and must not ask the network each time. */
const freshMs = 5 * 60_000;

interface Kept {
  readonly fetched: Fetched;
  readonly at: number;
}

export interface RemoteFetcherOptions {
  readonly git: GitClient;
  readonly clock: Clock;
  /** Without it nobody's credentials are used, as in the controller. */
  readonly auth?: Extract<GitAuth, { type: 'user' }>;
}

/**
 * Fetches remote bases of kustomizations: repositories through git, with the user's own configuration or without
 * credentials, and files over HTTP. What cannot be fetched becomes the reason why, told at the line that names it.
 */
export function remoteFetcher({ git, clock, auth }: RemoteFetcherOptions): FetchRemotes {
  const kept = new Map<string, Kept>();
  return async (needs, signal) => {
    const now = clock.now();
    for (const [url, { at }] of kept) if (now - at > freshMs) kept.delete(url);
    const remotes = new Map<string, Fetched>();
    for (const need of needs) {
      const fetched = kept.get(need.url)?.fetched ?? (await fetchOne(git, auth, need, signal));
      if (!('error' in fetched)) kept.set(need.url, { fetched, at: kept.get(need.url)?.at ?? now });
      remotes.set(need.url, fetched);
    }
    return remotes;
  };
}

async function fetchOne(
  git: GitClient,
  auth: GitAuth | undefined,
  need: RemoteNeed,
  signal: AbortSignal,
): Promise<Fetched> {
  const fetched =
    need.type === 'http' ? fetchFile(need.url, signal) : fetchRepository(git, auth, need, signal);
  return fetched.catch((error: unknown) => {
    signal.throwIfAborted();
    return { error: asPlumbError(error).message };
  });
}

async function fetchRepository(
  git: GitClient,
  auth: GitAuth | undefined,
  need: Extract<RemoteNeed, { type: 'git' }>,
  signal: AbortSignal,
): Promise<Fetched> {
  const remote: GitRemote = {
    url: urlOf(need.repository),
    ...(auth !== undefined && { auth }),
    ...(need.timeoutMs !== undefined && { timeoutMs: Math.min(need.timeoutMs, maxTimeoutMs) }),
  };
  const commit = await git.fetch(remote, await selectorOf(git, remote, need.ref, signal), signal);
  return cloneFiles(git, remote, commit, { recurseSubmodules: need.submodules, signal });
}

/** `user@host:path` is how ssh addresses are written short. */
function urlOf(repository: string): string {
  const short = /^([^@/:]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(repository);
  return short === null ? repository : `ssh://${short[1] ?? ''}${short[2]}/${short[3]}`;
}

/** What git takes a name for: a commit, else a full reference, a tag or a branch, in this order. */
async function selectorOf(
  git: GitClient,
  remote: GitRemote,
  ref: string,
  signal: AbortSignal,
): Promise<GitSelector> {
  if (ref === '') return { type: 'ref', name: 'HEAD' };
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return { type: 'commit', commit: ref };
  if (ref.startsWith('refs/')) return { type: 'ref', name: ref };
  const refs = await git.listRefs(remote, [`refs/tags/${ref}`, `refs/${ref}`], signal);
  if (refs.has(`refs/tags/${ref}`)) return { type: 'tag', tag: ref };
  if (refs.has(`refs/${ref}`)) return { type: 'ref', name: `refs/${ref}` };
  return { type: 'branch', branch: ref };
}

async function fetchFile(url: string, signal: AbortSignal): Promise<Fetched> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const response = await fetch(url, { signal: limit });
  if (!response.ok) return { error: `status code ${response.status} (${response.statusText})` };
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += (chunk as Uint8Array).byteLength;
    if (sizeBytes > maxFileBytes) return { error: `the file is larger than ${maxFileBytes / 1048576} MB` };
    chunks.push(chunk as Uint8Array);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
