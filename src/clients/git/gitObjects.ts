import { plumbError } from '../../base/plumbError.ts';
import type { GitEnvironment } from './gitEnvironment.ts';
import type { GitProgram } from './gitCall.ts';
import { catFile, runGit } from './gitProcess.ts';

/** One entry of a tree, however deep. Folders are not listed. */
export interface TreeEntry {
  readonly path: string;
  readonly type: 'file' | 'executable' | 'symlink' | 'submodule';
  /** Of the blob, or of the submodule's commit. */
  readonly hash: string;
}

/** Where git objects are read from. */
export interface ObjectSource {
  readonly program: GitProgram;
  readonly folder: string;
  readonly env: GitEnvironment;
}

const typeByMode: Readonly<Record<string, TreeEntry['type']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'submodule',
};

/** Every entry below a commit or tree, in git's order. */
export async function listTree(
  source: ObjectSource,
  treeish: string,
  signal?: AbortSignal,
): Promise<readonly TreeEntry[]> {
  const output = await runGit(source.program, {
    args: ['ls-tree', '-r', '-z', '--full-tree', treeish],
    folder: source.folder,
    env: source.env,
    ...(signal !== undefined && { signal }),
  });
  return parseEntries(output);
}

/** The lines of `ls-tree -z` or `ls-files -z --stage`. */
export function parseEntries(output: string): readonly TreeEntry[] {
  return output.split('\0').flatMap((line) => {
    const match = /^(\d+) (?:\w+ )?([0-9a-f]{40,})(?: \d)?\t(.*)$/s.exec(line);
    const type = typeByMode[match?.[1] ?? ''];
    return type === undefined ? [] : [{ type, hash: match?.[2] as string, path: match?.[3] as string }];
  });
}

/** The objects of those hashes, whatever their type, by hash. Throws GitOperationFailed when one is missing. */
export async function readObjects(
  source: ObjectSource,
  hashes: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted = [...new Set(hashes)];
  if (wanted.length === 0) return new Map();
  const output = await catFile(source.program, {
    args: ['--batch'],
    folder: source.folder,
    env: source.env,
    input: `${wanted.join('\n')}\n`,
    ...(signal !== undefined && { signal }),
  });
  return parseBatch(output);
}

function parseBatch(output: Buffer): ReadonlyMap<string, Uint8Array> {
  const objects = new Map<string, Uint8Array>();
  let offset = 0;
  while (offset < output.length) {
    const end = output.indexOf(0x0a, offset);
    const line = output.toString('latin1', offset, end);
    const match = /^([0-9a-f]+) \w+ (\d+)$/.exec(line);
    if (match === null) {
      throw plumbError('GitOperationFailed', { message: `git cat-file: ${line}: object cannot be read` });
    }
    const start = end + 1;
    const size = Number(match[2]);
    // A copy, so that one small file kept in a tree does not keep the whole output.
    objects.set(match[1] as string, Uint8Array.from(output.subarray(start, start + size)));
    offset = start + size + 1;
  }
  return objects;
}

/** Keeps the bytes of files between trees of one repository, so that an unchanged file stays the same object. */
export class BlobCache {
  #blobs: ReadonlyMap<string, Uint8Array> = new Map();

  /** The bytes of every entry by path; only what the last call did not have is read. */
  async read(
    source: ObjectSource,
    entries: readonly TreeEntry[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const known = this.#blobs;
    const missing = entries.map(({ hash }) => hash).filter((hash) => !known.has(hash));
    const read = await readObjects(source, missing, signal);
    const kept = new Map<string, Uint8Array>();
    const files = new Map<string, Uint8Array>();
    for (const { path, hash } of entries) {
      const bytes = (known.get(hash) ?? read.get(hash)) as Uint8Array;
      kept.set(hash, bytes);
      files.set(path, bytes);
    }
    this.#blobs = kept;
    return files;
  }
}
