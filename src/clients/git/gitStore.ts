import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../../base/digest.ts';
import { isAlive, makeScratchFolder } from './scratchFolder.ts';

/**
 * Bare repositories that outlive a process, one per URL, each used by one process at a time: its id stands beside it.
 * A second process gets a private copy below the temporary folder; a dead owner's is taken over and its locks removed.
 */
export class GitStore {
  readonly #folder: string;
  readonly #opened = new Map<string, Promise<string>>();
  readonly #owned: string[] = [];
  readonly #private: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The folder for the repository of that URL; it may not exist yet. The same one until close(). */
  folderFor(url: string): Promise<string> {
    const name = sha256Hex(url).slice(0, 32);
    let opened = this.#opened.get(name);
    if (opened === undefined) {
      opened = this.#open(name);
      this.#opened.set(name, opened);
    }
    return opened;
  }

  /** Gives up the repositories; the private copies are removed. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.values());
    for (const owner of this.#owned) await rm(owner, { force: true });
    for (const folder of this.#private) await rm(folder, { recursive: true, force: true });
  }

  async #open(name: string): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const owner = join(this.#folder, `${name}.pid`);
    const folder = join(this.#folder, name);
    if (await this.#own(owner)) {
      this.#owned.push(owner);
      await removeLocks(folder);
      return folder;
    }
    const own = await makeScratchFolder('store');
    this.#private.push(own);
    return join(own, name);
  }

  async #own(owner: string): Promise<boolean> {
    if (await createOwner(owner)) return true;
    const pid = await readFile(owner, 'utf8').catch(() => '');
    if (isAlive(Number(pid))) return false;
    // Moved away before it is judged: of two that see a dead owner only one gets the file.
    const moved = `${owner}.${process.pid}`;
    const isMoved = await rename(owner, moved).then(
      () => true,
      () => false,
    );
    const isDead = isMoved && (await readFile(moved, 'utf8').catch(() => pid)) === pid;
    if (isMoved && !isDead) await rename(moved, owner);
    else await rm(moved, { force: true });
    return isDead && createOwner(owner);
  }
}

async function createOwner(path: string): Promise<boolean> {
  return writeFile(path, String(process.pid), { flag: 'wx' }).then(
    () => true,
    () => false,
  );
}

async function removeLocks(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names) if (name.endsWith('.lock')) await rm(join(folder, name), { force: true });
}
