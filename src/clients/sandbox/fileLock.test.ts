import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withFileLock } from './fileLock.ts';

async function withFolder(work: (lock: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-lock-'));
  try {
    await work(join(folder, 'a.lock'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('one at a time holds the lock, and it is gone afterwards', () =>
  withFolder(async (lock) => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([withFileLock(lock, work), withFileLock(lock, work), withFileLock(lock, work)]);
    assert.equal(most, 1);
    assert.equal(existsSync(lock), false);
  }));

test('the lock of a process that is gone is taken over', () =>
  withFolder(async (lock) => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await writeFile(lock, `${pid} left-behind`);
    assert.equal(await withFileLock(lock, async () => 'done'), 'done');
  }));

test('a lock that nobody touched for a minute is taken over', () =>
  withFolder(async (lock) => {
    await writeFile(lock, `${process.pid} silent`);
    const longAgo = new Date(Date.now() - 61_000);
    await utimes(lock, longAgo, longAgo);
    assert.equal(await withFileLock(lock, async () => 'done'), 'done');
  }));

test('waiting ends when the signal aborts, and the holder keeps its lock', () =>
  withFolder(async (lock) => {
    const abort = new AbortController();
    await withFileLock(lock, async () => {
      const waiting = withFileLock(lock, async () => undefined, {
        signal: abort.signal,
        onWait: () => abort.abort(),
      });
      await assert.rejects(waiting, { name: 'AbortError' });
      assert.equal(existsSync(lock), true);
    });
  }));

test('failed work releases the lock', () =>
  withFolder(async (lock) => {
    await assert.rejects(
      withFileLock(lock, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(existsSync(lock), false);
  }));
