import type { ReadableTree } from '../../base/readableTree.ts';
import { joinTreePath, relativeTreePath } from '../../base/treePath.ts';
import { isHttpUrl, parseGitUrl, type GitUrl } from './gitUrl.ts';
import { requireDepth } from './limits.ts';
import type { Place } from './node.ts';
import { fail } from './problem.ts';

/** Something a build needs that is not in its tree: a repository, or a file behind a URL. */
export type RemoteNeed =
  ({ readonly type: 'git' } & GitUrl) | { readonly type: 'http'; readonly url: string };

/** Fetched repositories and files by URL as written in the kustomization; undefined could not be fetched. */
export type Remotes = ReadonlyMap<string, ReadableTree | Uint8Array | { readonly error: string }>;

/** Gets what a build has asked for; what cannot be had says why. */
export type FetchRemotes = (needs: readonly RemoteNeed[], signal: AbortSignal) => Promise<Remotes>;

/** One path a layer has looked at: when there is something else now, the layer must be built again. */
export interface Dependency {
  /** The URL of the fetched tree it is in, or of the fetched file it is; '' for the build's own tree. */
  readonly repository: string;
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
  readonly isFolder: boolean;
}

/** The paths that a step has looked at, in groups as the steps inside it did. */
export type Dependencies = readonly (Dependency | Dependencies)[];

/** What all loaders of a build share. */
export interface LoaderContext {
  readonly restrictToRoot: boolean;
  readonly refuseRemotes: boolean;
  readonly remotes: Remotes;
  readonly needs: Map<string, RemoteNeed>;
  /** Takes note of a path that the build has looked at. */
  record(dependency: Dependency): void;
}

/** Reads files for one kustomization folder, as far as its rules allow. */
export class Loader {
  readonly tree: ReadableTree;
  readonly root: string;
  readonly #context: LoaderContext;
  readonly #referrer: Loader | undefined;
  readonly #restrictToRoot: boolean;
  /** The repository the tree is, when it was fetched. */
  readonly repository: GitUrl | undefined;
  /** In front of paths in texts: '' for the build's own tree, the URL for a fetched one. */
  readonly label: string;

  constructor(
    context: LoaderContext,
    tree: ReadableTree,
    root: string,
    referrer?: Loader,
    repository?: GitUrl,
  ) {
    this.#context = context;
    this.tree = tree;
    this.root = root;
    this.#referrer = referrer;
    this.repository = repository ?? (referrer?.tree === tree ? referrer.repository : undefined);
    this.#restrictToRoot = context.restrictToRoot || this.repository !== undefined;
    this.label = this.repository === undefined ? '' : `${this.repository.url}:`;
  }

  /** The path in the tree that a path of the kustomization means; undefined when it leads out of the tree. */
  resolve(path: string): string | undefined {
    return path.startsWith('/') ? this.tree.fromAbsolute?.(path) : joinTreePath(this.root, path);
  }

  /** Files behind links count as where they really are. */
  #mayRead(full: string): boolean {
    const real = this.tree.realPath?.(full) ?? full;
    return !this.#restrictToRoot || this.root === '' || real.startsWith(`${this.root}/`);
  }

  /** The bytes of a path of the tree; what is there, also nothing or a folder, is noted. */
  read(full: string): Uint8Array | undefined {
    const bytes = this.tree.get(full);
    const isFolder = bytes === undefined && this.tree.isFolder(full);
    this.#context.record({ repository: this.repository?.url ?? '', path: full, bytes, isFolder });
    return bytes;
  }

  /** How a file is named in diagnostics. */
  pathOf(path: string): string {
    return this.label + path;
  }

  /** The bytes of a file that the kustomization names. Throws BuildFailure when it may not or cannot be read. */
  load(path: string, place: Place): Uint8Array {
    if (isHttpUrl(path)) return this.#remoteFile(path, place);
    const full = this.resolve(path);
    if (full === undefined || !this.#mayRead(full)) return this.#outside(path, place);
    const bytes = this.read(full);
    if (bytes !== undefined) return bytes;
    if (this.tree.isFolder(full))
      fail('build-file-missing', `${path} is a folder, a file is expected here`, place);
    return fail('build-file-missing', `there is no file ${path}`, place, this.#similar(full));
  }

  /** True for a path that kustomize would clone rather than read: a URL that names no YAML or JSON file. */
  isRepository(path: string): boolean {
    const git = parseGitUrl(path);
    if (git === undefined) return false;
    return (
      !isHttpUrl(path) ||
      git.ref !== '' ||
      /\.git(?:\/|$)|_git\/|[^:]\/\//.test(path) ||
      !/\.(?:ya?ml|json)$/i.test(path)
    );
  }

  /** True for a file behind a URL that has yet to be fetched; it is then noted as a need. */
  isMissingRemote(path: string, place: Place): boolean {
    return isHttpUrl(path) && this.#fetched(path, { type: 'http', url: path }, place) === undefined;
  }

  /** A loader for a folder or repository that the kustomization names. Throws BuildFailure when it cannot be used. */
  descend(path: string, place: Place): Loader | undefined {
    if (path === '') fail('build-file-missing', 'an empty path names no folder', place);
    const repository = parseGitUrl(path);
    if (repository !== undefined) return this.#clone(repository, place);
    if (isHttpUrl(path)) return undefined;
    if (path.startsWith('/')) fail('build-outside-root', `the path ${path} must be relative`, place);
    const resolved = this.resolve(path);
    if (resolved === undefined) return this.#outside(path, place);
    this.read(resolved);
    if (this.tree.has(resolved))
      fail('build-file-missing', `${path} is a file, a folder is expected here`, place);
    if (!this.tree.isFolder(resolved))
      fail('build-file-missing', `there is no file or folder ${path}`, place, this.#similar(resolved));
    const root = this.tree.realPath?.(resolved) ?? resolved;
    for (const loader of this.#chain())
      if (loader.tree === this.tree && isInside(loader.root, root))
        fail(
          'build-cycle',
          loader === this
            ? `${path} contains this kustomization: a cycle`
            : `${path} leads back to ${relativeTreePath(this.root, loader.root)}, which is being built: a cycle`,
          place,
          'move what both need into a folder of its own',
        );
    requireDepth(this.#chain().length, place);
    return new Loader(this.#context, this.tree, root, this);
  }

  /** This loader and those of the kustomizations that led to it. */
  #chain(): readonly Loader[] {
    const chain: Loader[] = [this];
    for (let above = this.#referrer; above !== undefined; above = above.#referrer) chain.push(above);
    return chain;
  }

  #clone(repository: GitUrl, place: Place): Loader | undefined {
    for (const loader of this.#chain())
      if (loader.repository?.url.startsWith(repository.url) === true)
        fail('build-cycle', `${repository.url} is being built already: a cycle`, place);
    const fetched = this.#fetched(repository.url, { type: 'git', ...repository }, place);
    if (fetched === undefined) return undefined;
    if (fetched instanceof Uint8Array)
      return fail('build-invalid-file', `${repository.url} is a file, not a repository`, place);
    const root = joinTreePath('', repository.path);
    if (root === undefined || !fetched.isFolder(root))
      return fail('build-file-missing', `the repository has no folder ${repository.path}`, place);
    return new Loader(this.#context, fetched, root, this, repository);
  }

  #remoteFile(url: string, place: Place): Uint8Array {
    const fetched = this.#fetched(url, { type: 'http', url }, place);
    if (fetched instanceof Uint8Array) {
      this.#context.record({ repository: url, path: '', bytes: fetched, isFolder: false });
      return fetched;
    }
    return fail('build-file-missing', `${url} has not been fetched`, place);
  }

  #fetched(url: string, need: RemoteNeed, place: Place): ReadableTree | Uint8Array | undefined {
    const { remotes, refuseRemotes, needs } = this.#context;
    if (refuseRemotes)
      fail(
        'build-remote-refused',
        `remote bases are not allowed: ${url}`,
        place,
        'copy the files into the repository, or make them a source of their own',
      );
    const fetched = remotes.get(url);
    if (fetched === undefined) {
      needs.set(url, need);
      return undefined;
    }
    if ('error' in fetched) fail('build-file-missing', `cannot fetch ${url}: ${fetched.error}`, place);
    return fetched;
  }

  #outside(path: string, place: Place): never {
    return fail(
      'build-outside-root',
      this.resolve(path) === undefined
        ? `${path} is outside of the source`
        : `${path} is not in or below the kustomization's folder`,
      place,
      'copy the file below the kustomization, or build with LoadRestrictionsNone as Flux does',
    );
  }

  /** What is wrong with the missing file, or one beside it whose name differs only in case or ending. */
  #similar(path: string): string | undefined {
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? '' : path.slice(0, slash);
    const stem = (name: string) => name.toLowerCase().replace(/\.[^.]*$/, '');
    const name = path.slice(slash + 1);
    const names = this.tree.list(folder);
    if (names.includes(name)) return 'it is a link that leads nowhere, or no regular file';
    const similar = names.find((each) => stem(each) === stem(name));
    return similar === undefined ? undefined : `did you mean ${similar}?`;
  }
}

function isInside(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
