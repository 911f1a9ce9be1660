import { FileTree } from '../../base/fileTree.ts';
import { plumbError } from '../../base/plumbError.ts';
import { joinTreePath, treeDirname } from '../../base/treePath.ts';
import type { FetchedCommit, GitClient, GitSelector } from '../../clients/git/gitClient.ts';
import type { TreeEntry } from '../../clients/git/gitObjects.ts';
import { repositoryKey, type GitRemote } from '../../clients/git/gitRemote.ts';
import type { GitRepositorySpec } from '../../flux/api/source.gen.ts';
import { artifactIgnore, ignoreFileName, readIgnoreFiles } from '../../lib/sourceignore/sourceIgnore.ts';

/** What the reference of a GitRepository asks for: commit before name, tag, semver and branch; master by default. */
export type RefChoice = GitSelector | { readonly type: 'semver'; readonly range: string };

export function refChoice(spec: GitRepositorySpec): RefChoice {
  const { commit, name, tag, semver, branch } = spec.ref ?? {};
  if (isSet(commit)) return { type: 'commit', commit, ...(isSet(branch) && { branch }) };
  if (isSet(name)) return { type: 'ref', name };
  if (isSet(tag)) return { type: 'tag', tag };
  if (isSet(semver)) return { type: 'semver', range: semver };
  return { type: 'branch', branch: isSet(branch) ? branch : 'master' };
}

/** `<branch|tag|ref>@sha1:<hash>`, as Flux writes revisions; the bare hash for a commit without a branch. */
export function revisionOf(selector: GitSelector, hash: string): string {
  const digest = `${hash.length === 64 ? 'sha256' : 'sha1'}:${hash}`;
  switch (selector.type) {
    case 'branch':
      return `${selector.branch}@${digest}`;
    case 'tag':
      return `${selector.tag}@${digest}`;
    case 'ref':
      return `${selector.name}@${digest}`;
    case 'commit':
      return selector.branch === undefined ? digest : `${selector.branch}@${digest}`;
  }
}

export interface CheckoutOptions {
  readonly ignore?: string;
  readonly sparseCheckout?: readonly string[];
  readonly recurseSubmodules: boolean;
  readonly signal: AbortSignal;
}

/** The files of a commit as source-controller would archive them: ignore rules applied before anything is read. */
export async function checkoutFiles(
  git: GitClient,
  remote: GitRemote,
  commit: FetchedCommit,
  options: CheckoutOptions,
): Promise<FileTree> {
  const entries = (await git.listTree(commit, options.signal)).filter(({ path }) =>
    isInSparseCheckout(path, options.sparseCheckout),
  );
  requireSparsePaths(entries, options.sparseCheckout ?? []);
  const submodules = options.recurseSubmodules
    ? await checkoutSubmodules(git, remote, commit, entries, options)
    : [];
  const files = entries.filter(({ type }) => type === 'file' || type === 'executable');
  const ignoreFiles = files.filter(
    ({ path }) => path === ignoreFileName || path.endsWith(`/${ignoreFileName}`),
  );
  const ignoreContents = await git.readFiles(commit, ignoreFiles, options.signal);
  const fromSubmodules = submodules.flatMap(({ path, files: tree }) =>
    [...tree.entries()].map(([name, bytes]) => [`${path}/${name}`, bytes] as const),
  );
  const isIgnored = artifactIgnore(readIgnoreFiles([...ignoreContents, ...fromSubmodules]), options.ignore);
  const kept = files.filter(({ path }) => !isIgnored(path));
  const contents = await git.readFiles(commit, kept, options.signal);
  return FileTree.from([...contents, ...fromSubmodules.filter(([path]) => !isIgnored(path))]);
}

/** Every file of a commit as `git clone` has them; links are left out. */
export async function cloneFiles(
  git: GitClient,
  remote: GitRemote,
  commit: FetchedCommit,
  options: Pick<CheckoutOptions, 'recurseSubmodules' | 'signal'>,
): Promise<FileTree> {
  const entries = await git.listTree(commit, options.signal);
  const files = entries.filter(({ type }) => type === 'file' || type === 'executable');
  const all = new Map(await git.readFiles(commit, files, options.signal));
  if (options.recurseSubmodules)
    for (const { path, files: inner } of await checkoutSubmodules(git, remote, commit, entries, options))
      for (const [name, bytes] of inner.entries()) all.set(`${path}/${name}`, bytes);
  return FileTree.ofAnySize(all);
}

/** A prefix of the path counts, as in go-git: `app` also takes `apple/`. */
function isInSparseCheckout(path: string, folders: readonly string[] | undefined): boolean {
  if (folders === undefined || folders.length === 0) return true;
  return folders.some((folder) => path.startsWith(folder.replace(/^\.\//, '')));
}

function requireSparsePaths(entries: readonly TreeEntry[], folders: readonly string[]): void {
  for (const folder of folders) {
    const path = joinTreePath('', folder.replace(/^\/+/, ''));
    const isThere = entries.some((entry) => entry.path === path || entry.path.startsWith(`${path}/`));
    if (isThere || path === '') continue;
    throw plumbError('GitOperationFailed', {
      message: `failed to sparse checkout directories : sparse checkout dir '${folder}' does not exist in repository`,
      hint: 'correct spec.sparseCheckout of the GitRepository',
    });
  }
}

interface Submodule {
  readonly path: string;
  readonly files: FileTree;
}

async function checkoutSubmodules(
  git: GitClient,
  remote: GitRemote,
  commit: FetchedCommit,
  entries: readonly TreeEntry[],
  options: CheckoutOptions,
  depth = 0,
): Promise<readonly Submodule[]> {
  const links = entries.filter(({ type }) => type === 'submodule');
  const configEntry = entries.find(({ path }) => path === '.gitmodules');
  if (links.length === 0 || configEntry === undefined) return [];
  if (depth > 10)
    throw plumbError('GitOperationFailed', { message: 'submodules are nested more than 10 deep' });
  const config = await git.readFiles(commit, [configEntry], options.signal);
  const urls = parseSubmodules(Buffer.from(config.get('.gitmodules') ?? []).toString());
  const result: Submodule[] = [];
  for (const { path, hash } of links) {
    const url = urls.get(path);
    if (url === undefined) continue;
    const submodule = submoduleRemote(remote, url);
    const fetched = await git.fetch(submodule, { type: 'commit', commit: hash }, options.signal);
    const inner = await git.listTree(fetched, options.signal);
    const nested = await checkoutSubmodules(git, submodule, fetched, inner, options, depth + 1);
    const files = inner.filter(({ type }) => type === 'file' || type === 'executable');
    result.push({ path, files: FileTree.from(await git.readFiles(fetched, files, options.signal)) });
    result.push(...nested.map((child) => ({ ...child, path: `${path}/${child.path}` })));
  }
  return result;
}

/** A submodule gets the parent's credentials only where it lies on the parent's host. */
function submoduleRemote(parent: GitRemote, url: string): GitRemote {
  const resolved = /^\.\.?\//.test(url) ? resolveRelative(parent.url, url) : url;
  const hostOf = (address: string): string | undefined => repositoryKey(address)?.split('/')[0];
  if (hostOf(resolved) === hostOf(parent.url)) return { ...parent, url: resolved };
  const { timeoutMs, proxyUrl } = parent;
  return {
    url: resolved,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(proxyUrl !== undefined && { proxyUrl }),
  };
}

function resolveRelative(base: string, relative: string): string {
  const url = new URL(base);
  let path = url.pathname.replace(/\/+$/, '').slice(1);
  let rest = relative;
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2);
    else if (rest.startsWith('../')) {
      rest = rest.slice(3);
      path = treeDirname(path);
    } else break;
  }
  url.pathname = `/${path === '' ? '' : `${path}/`}${rest}`;
  return url.toString();
}

/** Path to URL of a `.gitmodules` file. */
function parseSubmodules(text: string): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  for (const section of text.split(/^\s*\[/m)) {
    const value = (key: string): string | undefined =>
      new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`, 'm').exec(section)?.[1];
    const path = value('path');
    const url = value('url');
    if (section.startsWith('submodule') && path !== undefined && url !== undefined) urls.set(path, url);
  }
  return urls;
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
