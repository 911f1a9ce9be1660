import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { userEnvironment, type GitEnvironment } from './gitEnvironment.ts';
import { BlobCache, parseEntries, type TreeEntry } from './gitObjects.ts';
import type { GitProgram } from './gitCall.ts';
import { runGit } from './gitProcess.ts';
import { makeScratchFolder } from './scratchFolder.ts';
import {
  findRepository,
  isSamePlace,
  type RepositoryPlace,
  type WorkingRepository,
} from './workingRepository.ts';

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

/** What is kept between readings: bytes of files by the root of their tree, and where a folder's repository was found. */
export interface WorkingTreeMemory {
  readonly blobs: Map<string, BlobCache>;
  readonly places: Map<string, RepositoryPlace>;
}

type Run = (cwd: string, env: GitEnvironment, ...args: string[]) => Promise<string>;

/**
 * Adds everything git does not ignore to a copy of the index, with new objects in a temporary folder:
 * the repository itself is only read. Filters (line ends, LFS) run as in `git add`.
 */
export async function readWorkingTree(
  program: GitProgram,
  folder: string,
  memory: WorkingTreeMemory,
  signal?: AbortSignal,
): Promise<WorkingTree> {
  const user = userEnvironment();
  const run: Run = (cwd, env, ...args) =>
    runGit(program, { args, folder: cwd, env, subject: folder, ...(signal !== undefined && { signal }) });
  const ask = (...args: string[]): Promise<string | undefined> =>
    run(resolve(folder), user, ...args).then(
      (output) => output.replace(/\n$/, ''),
      () => {
        signal?.throwIfAborted();
        return undefined;
      },
    );
  const find = (): Promise<WorkingRepository | undefined> => findRepository(resolve(folder), ask);
  const remembered = memory.places.get(folder);
  const asked = remembered === undefined ? await find() : undefined;
  const expected = remembered ?? asked;
  const scratch = await makeScratchFolder('tree');
  const close = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    // Each process of git costs more than its work: they are few, and those that need not wait for others do not.
    const [added, found, remotes] = await Promise.all([
      addEverything(run, expected ?? (await makeRepository(scratch, resolve(folder), run, user)), scratch),
      remembered === undefined ? asked : find(),
      ask('remote', '--verbose'),
    ]);
    if (isSamePlace(expected, found)) {
      if (found !== undefined) memory.places.set(folder, found);
      return workingTree(program, added, found, remotes ?? '', memory.blobs, close);
    }
  } catch (error) {
    await close();
    throw error;
  }
  // The folder has come into another repository meanwhile.
  await close();
  memory.places.delete(folder);
  return await readWorkingTree(program, folder, memory, signal);
}

function workingTree(
  program: GitProgram,
  { root, env, entries, untracked, treeHash }: Added,
  repository: WorkingRepository | undefined,
  remotes: string,
  blobs: Map<string, BlobCache>,
  close: () => Promise<void>,
): WorkingTree {
  const source = { program, folder: root, env };
  return {
    root,
    treeHash,
    ...(repository?.head !== undefined && { head: repository.head }),
    ...(repository?.branch !== undefined && { branch: repository.branch }),
    entries,
    untracked,
    remotes: repository === undefined ? [] : parseRemotes(remotes),
    readFiles(wanted, signal) {
      const cache = blobs.get(root) ?? new BlobCache();
      blobs.set(root, cache);
      return cache.read(source, wanted, signal);
    },
    close,
  };
}

interface Added {
  readonly root: string;
  readonly env: GitEnvironment;
  readonly treeHash: string;
  readonly entries: readonly TreeEntry[];
  readonly untracked: readonly string[];
}

async function addEverything(
  run: Run,
  { root, gitFolder, objects: realObjects }: RepositoryPlace,
  scratch: string,
): Promise<Added> {
  const objects = join(scratch, 'objects');
  await mkdir(objects, { recursive: true });
  const index = join(scratch, 'index');
  const indexBefore = join(scratch, 'index.before');
  for (const copy of [index, indexBefore])
    await copyFile(join(gitFolder, 'index'), copy).catch(() => undefined);
  const env: GitEnvironment = {
    ...userEnvironment(),
    GIT_DIR: gitFolder,
    GIT_WORK_TREE: root,
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: realObjects,
  };
  const others = ['ls-files', '-z', '--others', '--exclude-standard', '--full-name'];
  const adding = run(root, env, 'add', '--all', '--', '.');
  const [treeHash, listed, untracked] = await Promise.all([
    adding.then(() => run(root, env, 'write-tree')),
    adding.then(() => run(root, env, 'ls-files', '-z', '--stage', '--full-name')),
    run(root, { ...env, GIT_INDEX_FILE: indexBefore }, ...others),
  ]);
  return {
    root,
    env,
    treeHash: treeHash.trim(),
    entries: parseEntries(listed),
    untracked: untracked.split('\0').filter((path) => path !== ''),
  };
}

/** Outside any repository: an empty one in the scratch folder, so that .gitignore and filters count all the same. */
async function makeRepository(
  scratch: string,
  root: string,
  run: Run,
  env: GitEnvironment,
): Promise<RepositoryPlace> {
  const gitFolder = join(scratch, 'repository');
  await run(scratch, env, 'init', '--quiet', '--bare', gitFolder);
  return { root, gitFolder, objects: join(gitFolder, 'objects') };
}

function parseRemotes(output: string): WorkingTree['remotes'] {
  return output.split('\n').flatMap((line) => {
    const match = /^([^\t]+)\t(.*) \(fetch\)/.exec(line);
    return match === null ? [] : [{ name: match[1] as string, url: match[2] as string }];
  });
}
