import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { userEnvironment, type GitEnvironment } from './gitEnvironment.ts';
import { BlobCache, listTree, type TreeEntry } from './gitObjects.ts';
import type { GitProgram } from './gitCall.ts';
import { runGit } from './gitProcess.ts';

/** A folder as the next commit would hold it. */
export interface WorkingTree {
  /** The top of the repository, or the folder itself when it lies in none. */
  readonly root: string;
  /** Of HEAD; absent before the first commit and outside a repository. */
  readonly head?: { readonly hash: string; readonly treeHash: string };
  /** Absent when HEAD is detached. */
  readonly branch?: string;
  /** Changes when any file does; equals `head.treeHash` when there is nothing to commit. */
  readonly treeHash: string;
  readonly entries: readonly TreeEntry[];
  /** Files in `entries` that no commit knows yet. */
  readonly untracked: readonly string[];
  /** Names and fetch URLs, after `insteadOf`. */
  readonly remotes: readonly { readonly name: string; readonly url: string }[];
  /** Bytes after git's clean filters, by path. */
  readFiles(entries: readonly TreeEntry[], signal?: AbortSignal): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Removes the temporary objects; `readFiles` must not be called afterwards. */
  close(): Promise<void>;
}

/**
 * Adds everything git does not ignore to a copy of the index, with new objects in a temporary folder:
 * the repository itself is only read. Filters (line ends, LFS) run as in `git add`.
 */
export async function readWorkingTree(
  program: GitProgram,
  folder: string,
  blobs: Map<string, BlobCache>,
  signal?: AbortSignal,
): Promise<WorkingTree> {
  const scratch = await mkdtemp(join(tmpdir(), 'plumb-git-tree-'));
  try {
    return await addEverything(program, resolve(folder), scratch, blobs, signal);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
}

async function addEverything(
  program: GitProgram,
  folder: string,
  scratch: string,
  blobs: Map<string, BlobCache>,
  signal: AbortSignal | undefined,
): Promise<WorkingTree> {
  const user = userEnvironment();
  const runIn = (cwd: string, env: GitEnvironment, ...args: string[]): Promise<string> =>
    runGit(program, { args, folder: cwd, env, subject: folder, ...(signal !== undefined && { signal }) });
  const quietly = (...args: string[]): Promise<string | undefined> =>
    runIn(folder, user, ...args).then(
      (output) => output.replace(/\n$/, ''),
      () => {
        signal?.throwIfAborted();
        return undefined;
      },
    );
  // Each process of git costs more than its work: they are few, and those that need not wait for others do not.
  const located = await quietly(
    'rev-parse',
    '--show-toplevel',
    '--absolute-git-dir',
    '--git-path',
    'objects',
  );
  const [top, ownGitFolder, objectsPath = ''] = located?.split('\n') ?? [];
  const root = top ?? folder;
  const gitFolder = ownGitFolder ?? (await makeRepository(scratch, runIn, user));
  const objects = join(scratch, 'objects');
  await mkdir(objects, { recursive: true });
  const index = join(scratch, 'index');
  const indexBefore = join(scratch, 'index.before');
  for (const copy of [index, indexBefore])
    await copyFile(join(gitFolder, 'index'), copy).catch(() => undefined);
  const realObjects =
    top === undefined ? join(scratch, 'repository', 'objects') : resolve(folder, objectsPath);
  const env: GitEnvironment = {
    ...user,
    GIT_DIR: gitFolder,
    GIT_WORK_TREE: root,
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: realObjects,
  };
  const run = (...args: string[]): Promise<string> => runIn(root, env, ...args);
  const repository = Promise.all([
    quietly('rev-parse', '--verify', '--quiet', 'HEAD^{commit}'),
    quietly('rev-parse', '--verify', '--quiet', 'HEAD^{tree}'),
    quietly('symbolic-ref', '--quiet', '--short', 'HEAD'),
    quietly('remote', '--verbose'),
  ]);
  const others = ['ls-files', '-z', '--others', '--exclude-standard', '--full-name'];
  const [untracked, treeHash, [head, headTree, branch, remotes]] = await Promise.all([
    runIn(root, { ...env, GIT_INDEX_FILE: indexBefore }, ...others),
    run('add', '--all', '--', '.').then(async () => (await run('write-tree')).trim()),
    repository,
  ]);
  const source = { program, folder: root, env };
  const isInRepository = top !== undefined;
  return {
    root,
    treeHash,
    ...(isInRepository &&
      head !== undefined &&
      headTree !== undefined && { head: { hash: head, treeHash: headTree } }),
    ...(isInRepository && branch !== undefined && { branch }),
    entries: await listTree(source, treeHash, signal),
    untracked: untracked.split('\0').filter((path) => path !== ''),
    remotes: isInRepository ? parseRemotes(remotes ?? '') : [],
    readFiles(entries, readSignal) {
      const cache = blobs.get(root) ?? new BlobCache();
      blobs.set(root, cache);
      return cache.read(source, entries, readSignal);
    },
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

/** Outside any repository: an empty one in the scratch folder, so that .gitignore and filters count all the same. */
async function makeRepository(
  scratch: string,
  runIn: (cwd: string, env: GitEnvironment, ...args: string[]) => Promise<string>,
  env: GitEnvironment,
): Promise<string> {
  const folder = join(scratch, 'repository');
  await runIn(scratch, env, 'init', '--quiet', '--bare', folder);
  return folder;
}

function parseRemotes(output: string): WorkingTree['remotes'] {
  return output.split('\n').flatMap((line) => {
    const match = /^([^\t]+)\t(.*) \(fetch\)/.exec(line);
    return match === null ? [] : [{ name: match[1] as string, url: match[2] as string }];
  });
}
