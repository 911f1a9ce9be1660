import { plumbError } from './plumbError.ts';
import { joinTreePath } from './treePath.ts';

/** Bytes of all files after sourceignore that a tree may hold. */
export const maxTreeBytes = 64 * 1024 * 1024;

const utf8 = new TextDecoder('utf-8');

/**
 * An immutable, synchronous, in-memory map from POSIX path to bytes: the whole input of everything in `lib/`.
 * Paths are relative, normalised, without a leading slash; there are no links and nothing outside the root.
 * Changing one entry shares the others; entries keep their identity, so caches may key on the bytes object.
 */
export class FileTree {
  readonly #files: ReadonlyMap<string, Uint8Array>;
  #folders: ReadonlyMap<string, readonly string[]> | undefined;
  readonly sizeBytes: number;

  private constructor(files: ReadonlyMap<string, Uint8Array>, sizeBytes: number) {
    this.#files = files;
    this.sizeBytes = sizeBytes;
  }

  static readonly empty = new FileTree(new Map(), 0);

  /** A tree of the given files. Throws TreeTooLarge over 64 MB, InvalidPath for a path that is not relative and normal. */
  static from(files: Iterable<readonly [path: string, content: Uint8Array | string]>): FileTree {
    const map = new Map<string, Uint8Array>();
    let sizeBytes = 0;
    for (const [path, content] of files) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      requireNormalPath(path);
      sizeBytes += bytes.byteLength - (map.get(path)?.byteLength ?? 0);
      map.set(path, bytes);
    }
    requireSize(sizeBytes);
    return new FileTree(map, sizeBytes);
  }

  /** As `from`, for files that are no artifact: a tree of any size. */
  static ofAnySize(files: ReadonlyMap<string, Uint8Array>): FileTree {
    return new FileTree(files, 0);
  }

  get size(): number {
    return this.#files.size;
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  get(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  /** The file as UTF-8 text; invalid bytes become U+FFFD, a byte order mark is dropped. */
  text(path: string): string | undefined {
    const bytes = this.#files.get(path);
    return bytes === undefined ? undefined : utf8.decode(bytes);
  }

  /** Every path, in insertion order. */
  paths(): IterableIterator<string> {
    return this.#files.keys();
  }

  entries(): IterableIterator<[string, Uint8Array]> {
    return this.#files.entries();
  }

  /** True for '' and for every folder that holds a file at any depth. */
  isFolder(path: string): boolean {
    return path === '' || this.#index().has(path);
  }

  /** Names directly in the folder, files and folders, sorted by code unit; empty when there is no such folder. */
  list(folder: string): readonly string[] {
    return this.#index().get(folder) ?? [];
  }

  /** The tree with one file set, or removed when `content` is undefined. */
  with(path: string, content: Uint8Array | string | undefined): FileTree {
    requireNormalPath(path);
    const files = new Map(this.#files);
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const sizeBytes = this.sizeBytes - (files.get(path)?.byteLength ?? 0) + (bytes?.byteLength ?? 0);
    requireSize(sizeBytes);
    if (bytes === undefined) files.delete(path);
    else files.set(path, bytes);
    const tree = new FileTree(files, sizeBytes);
    if (files.size === this.#files.size && bytes !== undefined) tree.#folders = this.#folders;
    return tree;
  }

  /** The part below a folder, with paths relative to it. */
  sub(folder: string): FileTree {
    if (folder === '') return this;
    const prefix = `${folder}/`;
    const files = new Map<string, Uint8Array>();
    let sizeBytes = 0;
    for (const [path, bytes] of this.#files) {
      if (!path.startsWith(prefix)) continue;
      files.set(path.slice(prefix.length), bytes);
      sizeBytes += bytes.byteLength;
    }
    return new FileTree(files, sizeBytes);
  }

  #index(): ReadonlyMap<string, readonly string[]> {
    this.#folders ??= indexFolders(this.#files.keys());
    return this.#folders;
  }
}

function indexFolders(paths: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  for (const path of paths) {
    let folder = '';
    for (const part of path.split('/')) {
      const names = folders.get(folder) ?? new Set();
      folders.set(folder, names.add(part));
      folder = folder === '' ? part : `${folder}/${part}`;
    }
  }
  return new Map([...folders].map(([folder, names]) => [folder, [...names].sort()]));
}

function requireNormalPath(path: string): void {
  if (path !== '' && joinTreePath('', path) === path) return;
  throw plumbError('InvalidPath', { message: `path ${JSON.stringify(path)} is not relative and normalised` });
}

function requireSize(sizeBytes: number): void {
  if (sizeBytes <= maxTreeBytes) return;
  throw plumbError('TreeTooLarge', {
    message: `files take ${Math.ceil(sizeBytes / 1048576)} MB, at most ${maxTreeBytes / 1048576} MB can be held`,
    hint: 'exclude what is not deployed with .sourceignore or spec.ignore, or set a sub-path',
  });
}
