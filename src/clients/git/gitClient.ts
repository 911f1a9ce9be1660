import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { plumbError } from '../../base/plumbError.ts';
import { controllerEnvironment, withRemote, type GitEnvironment } from './gitEnvironment.ts';
import { BlobCache, listTree, readObjects, type ObjectSource, type TreeEntry } from './gitObjects.ts';
import type { GitProgram } from './gitCall.ts';
import { runGit } from './gitProcess.ts';
import { publicUrl, type GitRemote } from './gitRemote.ts';
import { GitStore } from './gitStore.ts';
import { pushChanges, type CommitRequest } from './pushCommit.ts';
import type { RepositoryPlace } from './workingRepository.ts';
import { readWorkingTree, type WorkingTree } from './workingTree.ts';

/** What to fetch. A commit without a branch may lie anywhere; with one it must be in that branch's history. */
export type GitSelector =
  | { readonly type: 'branch'; readonly branch: string }
  | { readonly type: 'tag'; readonly tag: string }
  /** A full reference name, e.g. `refs/pull/1/head`. */
  | { readonly type: 'ref'; readonly name: string }
  | { readonly type: 'commit'; readonly commit: string; readonly branch?: string };

/** A commit that lies in the local store, with what its tag object says when it was fetched by an annotated tag. */
export interface FetchedCommit {
  readonly hash: string;
  readonly message: string;
  /** RFC 3339, as the committer's clock said. */
  readonly committedAt: string;
  /** Of the annotated tag it was fetched by. */
  readonly tagHash?: string;
  readonly repository: ObjectSource;
}

/** References of a remote: name to hash; an annotated tag also has its commit under the name with `^{}`. */
export type RemoteRefs = ReadonlyMap<string, string>;

export interface GitClient {
  /** References that match a pattern such as `refs/heads/main` or `refs/tags/*`; all when there is none. */
  listRefs(remote: GitRemote, patterns: readonly string[], signal?: AbortSignal): Promise<RemoteRefs>;
  /**
   * Makes the commit available locally: the newest state of a branch, tag or reference, as shallow as the selector allows.
   * Throws NotFound when the remote has no such reference or commit.
   */
  fetch(remote: GitRemote, selector: GitSelector, signal?: AbortSignal): Promise<FetchedCommit>;
  /** Every file, link and submodule of the commit. */
  listTree(commit: FetchedCommit, signal?: AbortSignal): Promise<readonly TreeEntry[]>;
  /** Bytes by path. Files that did not change since the last call for this repository are the same objects. */
  readFiles(
    commit: FetchedCommit,
    entries: readonly TreeEntry[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>>;
  /** A raw object, e.g. the commit or tag whose signature is to be verified. */
  readObject(commit: FetchedCommit, hash: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Commits changes on top of the branch and pushes; gives the commit's hash. Throws GitOperationFailed when rejected. */
  pushCommit(remote: GitRemote, request: CommitRequest, signal?: AbortSignal): Promise<string>;
  /** What a commit of the folder would contain, filters applied; the folder and its repository stay untouched. */
  readWorkingTree(folder: string, signal?: AbortSignal): Promise<WorkingTree>;
  /** Gives up the local store; a running command fails. */
  close(): Promise<void>;
}

export interface GitClientOptions {
  /** The git program; `git` on the PATH when absent. */
  readonly program?: GitProgram;
  /** Where fetched repositories are kept. */
  readonly cacheFolder: string;
}

const defaultTimeoutMs = 60_000;
/** More than any history has: a fetch with it makes a shallow repository complete. */
const wholeHistory = '--depth=2147483647';

/** Git through the user's program, isolated from the user's configuration except for working trees. */
export function createGitClient(options: GitClientOptions): GitClient {
  const program = options.program ?? 'git';
  const store = new GitStore(join(options.cacheFolder, 'git'));
  const blobs = new Map<string, BlobCache>();
  const places = new Map<string, RepositoryPlace>();
  const busy = new Map<string, Promise<unknown>>();
  const base = controllerEnvironment();

  /** One command at a time per repository: git's own locks would make the second one fail. */
  const exclusively = <T>(folder: string, work: () => Promise<T>): Promise<T> => {
    const next = (busy.get(folder) ?? Promise.resolve()).then(work, work);
    const settled = next.catch(() => undefined);
    busy.set(folder, settled);
    return next;
  };

  const onRemote = async <T>(
    remote: GitRemote,
    signal: AbortSignal | undefined,
    work: (run: (...args: string[]) => Promise<string>, source: ObjectSource) => Promise<T>,
  ): Promise<T> => {
    const folder = await store.folderFor(publicUrl(remote.url));
    const timeout = AbortSignal.timeout(remote.timeoutMs ?? defaultTimeoutMs);
    const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    return exclusively(folder, async () => {
      limit.throwIfAborted();
      await ensureRepository(program, folder, base);
      return withRemote(base, remote, (env) =>
        work(
          (...args) => runGit(program, { args, folder, env, signal: limit, subject: publicUrl(remote.url) }),
          { program, folder, env: base },
        ),
      );
    });
  };

  return {
    listRefs: (remote, patterns, signal) =>
      onRemote(remote, signal, async (run) =>
        parseRefs(await run('ls-remote', '--quiet', '--', publicUrl(remote.url), ...patterns)),
      ),
    fetch: (remote, selector, signal) =>
      onRemote(remote, signal, (run, source) => fetchCommit(run, source, remote, selector)),
    listTree: (commit, signal) => listTree(commit.repository, commit.hash, signal),
    readFiles(commit, entries, signal) {
      const { folder } = commit.repository;
      const cache = blobs.get(folder) ?? new BlobCache();
      blobs.set(folder, cache);
      return cache.read(commit.repository, entries, signal);
    },
    async readObject(commit, hash, signal) {
      return (await readObjects(commit.repository, [hash], signal)).get(hash) as Uint8Array;
    },
    pushCommit: (remote, request, signal) =>
      onRemote(remote, signal, (run, source) => pushChanges(run, source, publicUrl(remote.url), request)),
    readWorkingTree: (folder, signal) => readWorkingTree(program, folder, { blobs, places }, signal),
    async close() {
      await Promise.allSettled(busy.values());
      await store.close();
    },
  };
}

async function ensureRepository(program: GitProgram, folder: string, env: GitEnvironment): Promise<void> {
  const isThere = await stat(join(folder, 'HEAD')).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const run = (...args: string[]): Promise<string> => runGit(program, { args, folder, env });
  await run('init', '--quiet', '--bare', '.');
  await run('config', 'gc.autoDetach', 'false');
  await run('config', 'gc.autoPackLimit', '20');
  await run('config', 'gc.pruneExpire', '1.hour.ago');
}

type Run = (...args: string[]) => Promise<string>;

async function fetchCommit(
  run: Run,
  source: ObjectSource,
  remote: GitRemote,
  selector: GitSelector,
): Promise<FetchedCommit> {
  const url = publicUrl(remote.url);
  const fetchInto = (depth: string, from: string, to: string): Promise<string> =>
    run(
      'fetch',
      '--quiet',
      '--no-tags',
      '--force',
      '--no-write-fetch-head',
      depth,
      '--',
      url,
      `+${from}:${to}`,
    );
  switch (selector.type) {
    case 'branch':
    case 'tag':
    case 'ref': {
      const name =
        selector.type === 'ref'
          ? selector.name.replace(/\^\{\}$/, '')
          : `refs/${selector.type === 'branch' ? `heads/${selector.branch}` : `tags/${selector.tag}`}`;
      const local = `refs/plumb/${name.replace(/^refs\//, '')}`;
      await fetchInto('--depth=1', name, local).catch((error: unknown) => notFound(url, name, error));
      return describeCommit(run, source, local);
    }
    case 'commit': {
      const { commit, branch } = selector;
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) throw missing(url, `commit '${commit}'`);
      if (branch === undefined) await fetchAnywhere(fetchInto, run, commit);
      else await fetchOnBranch(fetchInto, run, commit, branch, url);
      return describeCommit(run, source, commit).catch(() => {
        throw missing(url, `commit '${commit}'`);
      });
    }
  }
}

async function fetchAnywhere(
  fetchInto: (depth: string, from: string, to: string) => Promise<string>,
  run: Run,
  commit: string,
): Promise<void> {
  if (await hasCommit(run, commit)) return;
  try {
    await fetchInto('--depth=1', commit, `refs/plumb/commits/${commit}`);
  } catch {
    // The server gives out reachable commits only through its branches.
    await fetchInto(wholeHistory, 'refs/heads/*', 'refs/plumb/heads/*');
  }
}

async function fetchOnBranch(
  fetchInto: (depth: string, from: string, to: string) => Promise<string>,
  run: Run,
  commit: string,
  branch: string,
  url: string,
): Promise<void> {
  const local = `refs/plumb/history/${branch}`;
  const isOnBranch = (): Promise<boolean> =>
    run('merge-base', '--is-ancestor', commit, local).then(
      () => true,
      () => false,
    );
  if (await isOnBranch()) return;
  const name = `refs/heads/${branch}`;
  await fetchInto(wholeHistory, name, local).catch((error: unknown) => notFound(url, name, error));
  if (!(await isOnBranch())) throw missing(url, `commit '${commit}' on branch '${branch}'`);
}

function hasCommit(run: Run, commit: string): Promise<boolean> {
  return run('cat-file', '-e', `${commit}^{commit}`).then(
    () => true,
    () => false,
  );
}

async function describeCommit(run: Run, source: ObjectSource, name: string): Promise<FetchedCommit> {
  const format = '--format=%H%x00%cI%x00%B';
  const [own, output] = await Promise.all([
    run('rev-parse', '--verify', '--quiet', name).then((text) => text.trim()),
    run('show', '--no-patch', '--no-show-signature', format, `${name}^{commit}`),
  ]);
  const [hash = '', committedAt = '', message = ''] = output.split('\0');
  return {
    hash,
    committedAt,
    message: message.replace(/\n+$/, ''),
    ...(own !== hash && { tagHash: own }),
    repository: source,
  };
}

function parseRefs(output: string): RemoteRefs {
  return new Map(
    output
      .split('\n')
      .filter((line) => line.includes('\t'))
      .map((line) => line.split('\t') as [string, string])
      .map(([hash, name]) => [name, hash]),
  );
}

function notFound(url: string, name: string, error: unknown): never {
  if (error instanceof Error && /couldn't find remote ref/.test(error.message))
    throw missing(url, `reference '${name}'`, error);
  throw error;
}

function missing(url: string, what: string, cause?: unknown): Error {
  return plumbError('NotFound', {
    subject: url,
    message: `${what} not found in the repository`,
    hint: 'check spec.ref of the GitRepository, and that the branch, tag or commit was pushed',
    cause,
  });
}
