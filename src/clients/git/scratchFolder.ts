import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'plumb-git-';
/** Only then: a process in another container that shares the folder may look dead from here. */
const abandonedMs = 24 * 3_600_000;

let swept: Promise<void> | undefined;

/**
 * A private folder for files that git needs from this process; its user removes it. What processes that were killed have
 * left of theirs goes with the first call.
 */
export async function makeScratchFolder(purpose: 'auth' | 'index' | 'store' | 'tree'): Promise<string> {
  swept ??= removeAbandonedScratch();
  await swept;
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-${purpose}-`));
}

/** Removes the scratch folders of this user whose process is gone, a day after they were made. */
export async function removeAbandonedScratch(): Promise<void> {
  const names = await readdir(tmpdir());
  for (const name of names) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-/.exec(name.slice(prefix.length)) ?? []) : [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(tmpdir(), name);
    // Another process may be removing it at the same time: it is gone then, or will be.
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true || found.uid !== (process.getuid?.() ?? found.uid)) continue;
    if (Date.now() - found.mtimeMs > abandonedMs)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Whether a process of that id runs here, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
