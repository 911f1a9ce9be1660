import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { plumbError } from '../../base/plumbError.ts';

/** A file system in memory, where Linux has one. */
const memoryFolder = '/dev/shm';

/**
 * Gives the text to a program as a file that lies in memory only: in a folder of its own that nobody else can enter,
 * removed when the work ends, however it ends. Gives what the file holds then.
 * Throws InvalidConfiguration where there is no file system in memory: plain text is never written to a disk.
 */
export async function withMemoryFile(
  path: string,
  content: Uint8Array,
  work: (memoryFile: string) => Promise<void>,
): Promise<Uint8Array> {
  await requireMemory();
  const folder = await mkdtemp(join(memoryFolder, 'plumb-'));
  const file = join(folder, basename(path));
  try {
    await writeFile(file, content, { mode: 0o600, flag: 'wx' });
    await work(file);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function requireMemory(): Promise<void> {
  const isThere = await access(memoryFolder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (process.platform === 'linux' && isThere) return;
  throw plumbError('InvalidConfiguration', {
    message: 'there is no file system in memory here (/dev/shm), and plain text is never written to a disk',
    hint: 'decrypt to a pipe with plumb sops decrypt, or edit the file with the sops command',
  });
}
