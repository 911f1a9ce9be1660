import { readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join, parse, relative, sep } from 'node:path';
import { plumbError } from '../base/plumbError.ts';
import type { ReadableTree } from '../base/readableTree.ts';

/**
 * The disk as a tree: files are read when they are asked for, and once. Its root is that of the disk, so that paths may lead
 * anywhere. Nothing but regular files and folders is seen. Throws InvalidPath for what may not be read.
 */
export class DiskTree implements ReadableTree {
  readonly #root: string;
  readonly #contents = new Map<string, Uint8Array | undefined>();
  readonly #stats = new Map<string, Stats | undefined>();
  readonly #onRead: (readBytes: number) => void;
  #readBytes = 0;

  /** The tree of the disk that holds a path. `onRead` is called with the bytes read so far. */
  constructor(path: string, onRead: (readBytes: number) => void = () => undefined) {
    this.#root = parse(path).root;
    this.#onRead = onRead;
  }

  has(path: string): boolean {
    return this.#stat(path)?.isFile() === true;
  }

  get(path: string): Uint8Array | undefined {
    if (this.#contents.has(path)) return this.#contents.get(path);
    const content = this.has(path) ? readable(path, () => readFileSync(this.diskPath(path))) : undefined;
    this.#contents.set(path, content);
    if (content !== undefined) this.#onRead((this.#readBytes += content.byteLength));
    return content;
  }

  isFolder(path: string): boolean {
    return this.#stat(path)?.isDirectory() === true;
  }

  list(folder: string): readonly string[] {
    return this.isFolder(folder) ? readable(folder, () => readdirSync(this.diskPath(folder)).sort()) : [];
  }

  readonly realPath = (path: string): string => {
    return this.#stat(path) === undefined ? path : this.#treePath(realpathSync(this.diskPath(path)));
  };

  readonly fromAbsolute = (path: string): string => this.#treePath(path);

  /** The path on the disk. */
  diskPath(path: string): string {
    return join(this.#root, path);
  }

  #treePath(path: string): string {
    return relative(this.#root, path).split(sep).join('/');
  }

  #stat(path: string): Stats | undefined {
    if (!this.#stats.has(path)) this.#stats.set(path, statOf(this.diskPath(path)));
    return this.#stats.get(path);
  }
}

/** Undefined where nothing is: links that lead nowhere or in circles, names below a file, names that are too long. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(code ?? '')) return undefined;
    throw unreadable(path, error);
  }
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): Error {
  return plumbError('InvalidPath', {
    subject: path,
    message: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
