import { fileURLToPath } from 'node:url';
import { isAbsolute, relative, sep } from 'node:path';
import { unlessAborted } from '../../base/unlessAborted.ts';
import { FileTree } from '../../base/fileTree.ts';
import { treeBasename } from '../../base/treePath.ts';
import type { GitClient } from '../../clients/git/gitClient.ts';
import { artifactIgnore, ignoreFileName, readIgnoreFiles } from '../../lib/sourceignore/sourceIgnore.ts';
import type { DocumentText } from '../../protocol/engine.ts';

/** A workspace folder as Flux would get it from a commit: its own ignore files applied, a source's spec.ignore not yet. */
export interface FolderSnapshot {
  /** The top of the git repository, or the folder itself: what paths are relative to. */
  readonly root: string;
  readonly files: FileTree;
  readonly branch?: string;
  readonly head?: string;
  /** True when nothing differs from HEAD, so that a build of it is a build of that commit. */
  readonly isCommitted: boolean;
  readonly remotes: readonly string[];
  readonly untracked: readonly string[];
  /** Changes when any saved file does. */
  readonly treeHash: string;
}

/** Folders that hold no manifests and would only cost memory. */
const neverRead = /(^|\/)(node_modules|\.git)\//;
/** Links and submodules are nothing an artifact holds by default. */
const readableTypes = new Set(['file', 'executable']);

/** The folders of a workspace and the documents open in it. Snapshots are cached until a file changes. */
export class Workspace {
  readonly #git: GitClient;
  readonly #folders: readonly string[];
  readonly #closing: AbortSignal;
  readonly #snapshots = new Map<string, Promise<FolderSnapshot>>();
  readonly #documents = new Map<string, DocumentText>();
  /** Snapshots with the documents on top. */
  #edited = new WeakMap<FolderSnapshot, FolderSnapshot>();

  constructor(git: GitClient, folders: readonly string[], closing: AbortSignal) {
    this.#git = git;
    this.#closing = closing;
    this.#folders = folders;
  }

  /** Saved files only: what anything that writes uses. */
  async saved(signal?: AbortSignal): Promise<readonly FolderSnapshot[]> {
    return Promise.all(this.#folders.map((folder) => this.#snapshot(folder, signal)));
  }

  /** Saved files with the open documents on top: what previews use. */
  async edited(signal?: AbortSignal): Promise<readonly FolderSnapshot[]> {
    const snapshots = await this.saved(signal);
    return snapshots.map((snapshot) => this.#withDocuments(snapshot));
  }

  openDocument(document: DocumentText): void {
    this.#edited = new WeakMap();
    this.#documents.set(document.uri, document);
  }

  closeDocument(uri: string): void {
    this.#edited = new WeakMap();
    this.#documents.delete(uri);
  }

  document(uri: string): DocumentText | undefined {
    return this.#documents.get(uri);
  }

  /** Forgets the snapshots of the folders that hold one of the files. */
  filesChanged(paths: readonly string[]): void {
    for (const folder of this.#folders) {
      if (paths.some((path) => isInside(folder, path))) this.#snapshots.delete(folder);
    }
  }

  async #snapshot(folder: string, signal?: AbortSignal): Promise<FolderSnapshot> {
    const reading = this.#snapshots.get(folder) ?? this.#read(folder);
    return signal === undefined ? reading : unlessAborted(reading, signal);
  }

  /** Without the caller's signal: others wait for the same reading, and one that goes away must not take it from them. */
  #read(folder: string): Promise<FolderSnapshot> {
    const reading = readSnapshot(this.#git, folder, this.#closing);
    this.#snapshots.set(folder, reading);
    // A failed reading must not be what the next caller gets.
    reading.catch(() => {
      if (this.#snapshots.get(folder) === reading) this.#snapshots.delete(folder);
    });
    return reading;
  }

  /** The same documents on the same files give the same object, so that caches keyed by it hold. */
  #withDocuments(snapshot: FolderSnapshot): FolderSnapshot {
    const known = this.#edited.get(snapshot);
    if (known !== undefined) return known;
    let { files } = snapshot;
    for (const { uri, text } of this.#documents.values()) {
      const path = treePathOf(snapshot.root, uri);
      if (path === undefined || files.text(path) === text) continue;
      files = files.with(path, text);
    }
    const edited = files === snapshot.files ? snapshot : { ...snapshot, files, isCommitted: false };
    this.#edited.set(snapshot, edited);
    return edited;
  }
}

/** The path in the tree of a document's URI or an absolute path; undefined outside of the root. */
export function treePathOf(root: string, uri: string): string | undefined {
  const path = uri.startsWith('file:') ? fileURLToPath(uri) : uri;
  if (!isAbsolute(path) || !isInside(root, path)) return undefined;
  return relative(root, path).split(sep).join('/');
}

function isInside(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below !== '' && !below.startsWith('..') && !isAbsolute(below);
}

async function readSnapshot(git: GitClient, folder: string, signal: AbortSignal): Promise<FolderSnapshot> {
  const tree = await git.readWorkingTree(folder, signal);
  try {
    const entries = tree.entries.filter(({ path, type }) => readableTypes.has(type) && !neverRead.test(path));
    const ignoreFiles = await tree.readFiles(
      entries.filter(({ path }) => treeBasename(path) === ignoreFileName),
      signal,
    );
    const ignores = artifactIgnore(readIgnoreFiles(ignoreFiles), undefined);
    const contents = await tree.readFiles(
      entries.filter(({ path }) => !ignores(path)),
      signal,
    );
    return {
      root: tree.root,
      files: FileTree.from(contents),
      ...(tree.branch !== undefined && { branch: tree.branch }),
      ...(tree.head !== undefined && { head: tree.head.hash }),
      isCommitted: tree.head?.treeHash === tree.treeHash,
      remotes: tree.remotes.map(({ url }) => url),
      untracked: tree.untracked,
      treeHash: tree.treeHash,
    };
  } finally {
    await tree.close();
  }
}
