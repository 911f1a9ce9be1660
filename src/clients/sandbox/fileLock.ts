import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const heartbeatMs = 5_000;
const silenceMs = 60_000;
const pollMs = 200;

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
}

/**
 * Runs the work while this process holds the lock file; others on this machine wait.
 * A lock whose process is gone, or that was not touched for a minute, is taken over.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const mine = `${process.pid} ${randomUUID()}`;
  let hasWaited = false;
  while (!(await create(path, mine))) {
    options.signal?.throwIfAborted();
    if (await takeAway(path)) continue;
    if (!hasWaited) options.onWait?.();
    hasWaited = true;
    await delay(pollMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  const heartbeat = setInterval(() => {
    // A failed touch only makes the lock look old.
    utimes(path, new Date(), new Date()).catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readOrUndefined(path)) === mine) await unlink(path);
  }
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Moves an abandoned lock away. When it turns out to be a fresh one, created meanwhile, it is put back. */
async function takeAway(path: string): Promise<boolean> {
  const holder = await readOrUndefined(path);
  if (holder === undefined || !(await isAbandoned(path, holder))) return false;
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return true;
    throw error;
  }
  if ((await readOrUndefined(aside)) !== holder) await link(aside, path).catch(() => undefined);
  await unlink(aside);
  return true;
}

async function isAbandoned(path: string, holder: string): Promise<boolean> {
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  const pid = Number(holder.split(' ')[0]);
  // An empty file belongs to a process that is just writing it.
  if (!Number.isInteger(pid) || pid <= 0) return age > silenceMs;
  return age > silenceMs || !isRunning(pid);
}

/** Whether a process of that id exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
