import { gunzip, gzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { FileTree, maxTreeBytes } from '../../base/fileTree.ts';
import { plumbError } from '../../base/plumbError.ts';
import { joinTreePath } from '../../base/treePath.ts';

const maxEntries = 200_000;
const zeroTime = new Date(0);

/**
 * The tree as a gzipped tar archive, laid out as source-controller does: sorted, folders included, without owner names
 * or times. Equal trees give equal bytes; they are not the bytes Go's gzip would give.
 */
export async function packArchive(tree: FileTree): Promise<Uint8Array> {
  const archive = pack();
  const bytes = collect(archive);
  const writeFolder = (folder: string): void => {
    const common = { uid: 0, gid: 0, mtime: zeroTime, uname: '', gname: '' };
    const name = folder === '' ? '.' : folder;
    archive.entry({ ...common, name, type: 'directory', mode: 0o750 });
    for (const child of tree.list(folder)) {
      const path = folder === '' ? child : `${folder}/${child}`;
      const content = tree.get(path);
      if (content === undefined) writeFolder(path);
      else archive.entry({ ...common, name: path, mode: 0o600 }, Buffer.from(content));
    }
  };
  writeFolder('');
  archive.finalize();
  return zlibCall(gzip, await bytes);
}

/**
 * The regular files of a tar archive, gzipped or not. Links, devices and everything else are left out, as Flux does.
 * Throws InvalidPath for a name that leaves the root, TreeTooLarge over 64 MB or 200 000 entries, ArtifactFailed when
 * the bytes are no archive.
 */
export async function unpackArchive(archive: Uint8Array): Promise<FileTree> {
  const isGzipped = archive[0] === 0x1f && archive[1] === 0x8b;
  const tar = isGzipped ? await zlibCall(gunzip, archive) : archive;
  const files = new Map<string, Uint8Array>();
  const parser = extract();
  const done = (async (): Promise<void> => {
    let entries = 0;
    for await (const entry of parser) {
      if (++entries > maxEntries) throw tooLarge(`more than ${maxEntries} entries`);
      const { name, type } = entry.header;
      if (type !== 'file' && type !== 'contiguous-file') {
        entry.resume();
        continue;
      }
      const path = joinTreePath('', name);
      if (path === undefined || path === '' || name.includes('\\') || name.includes('\0')) {
        throw plumbError('InvalidPath', {
          message: `the archive holds a file outside its root: ${JSON.stringify(name)}`,
        });
      }
      files.set(path, await collect(entry));
    }
  })();
  parser.end(Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength));
  try {
    await done;
  } catch (error) {
    throw error instanceof Error && error.name === 'PlumbError' ? error : notAnArchive(error);
  }
  return FileTree.from(files);
}

type ZlibFunction = (
  input: Uint8Array,
  options: { maxOutputLength?: number },
  callback: (error: Error | null, result: Buffer) => void,
) => void;

function zlibCall(work: ZlibFunction, input: Uint8Array): Promise<Buffer> {
  // Room for headers and padding: a tree at its limit still unpacks, a decompression bomb does not.
  const options = { maxOutputLength: maxTreeBytes * 2 };
  return new Promise((resolve, reject) => {
    work(input, options, (error, result) => {
      if (error === null) resolve(result);
      else
        reject(
          (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
            ? tooLarge('the archive is larger than a tree may be')
            : notAnArchive(error),
        );
    });
  });
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function tooLarge(message: string): Error {
  return plumbError('TreeTooLarge', {
    message,
    hint: 'leave files out with .sourceignore or spec.ignore of the source',
  });
}

function notAnArchive(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return plumbError('ArtifactFailed', { message: `the artifact is no tar archive: ${why}`, cause });
}
