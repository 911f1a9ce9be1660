import { resolve } from 'node:path';

/** Where the repository of a folder lies. */
export interface RepositoryPlace {
  /** The top of its working tree. */
  readonly root: string;
  readonly gitFolder: string;
  /** Where its objects are; several working trees share them. */
  readonly objects: string;
}

/** A repository with what it has checked out. */
export interface WorkingRepository extends RepositoryPlace {
  /** Absent before the first commit. */
  readonly head?: { readonly hash: string; readonly treeHash: string };
  /** Absent when HEAD is detached. */
  readonly branch?: string;
}

const placeQuery = ['rev-parse', '--show-toplevel', '--absolute-git-dir', '--git-path', 'objects'];

/**
 * Finds the repository of a folder; undefined when it lies in none. `ask` runs git there and gives undefined where git fails.
 * One process answers for all but a repository without a commit.
 */
export async function findRepository(
  folder: string,
  ask: (...args: string[]) => Promise<string | undefined>,
): Promise<WorkingRepository | undefined> {
  const whole = await ask(...placeQuery, 'HEAD^{commit}', 'HEAD^{tree}', '--symbolic-full-name', 'HEAD');
  const [top, gitFolder, objects, hash, treeHash, reference] =
    (whole ?? (await ask(...placeQuery)))?.split('\n') ?? [];
  if (top === undefined || gitFolder === undefined || objects === undefined) return undefined;
  const name = reference ?? (await ask('symbolic-ref', '--quiet', 'HEAD'));
  const branch = /^refs\/heads\/(.+)$/.exec(name ?? '')?.[1];
  return {
    root: top,
    gitFolder,
    objects: resolve(folder, objects),
    ...(hash !== undefined && treeHash !== undefined && { head: { hash, treeHash } }),
    ...(branch !== undefined && { branch }),
  };
}

/** Tells whether two answers name the same repository, whatever it has checked out; undefined stands for none. */
export function isSamePlace(one: RepositoryPlace | undefined, other: RepositoryPlace | undefined): boolean {
  return one?.root === other?.root && one?.gitFolder === other?.gitFolder && one?.objects === other?.objects;
}
