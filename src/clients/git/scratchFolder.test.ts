import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeScratchFolder, removeAbandonedScratch } from './scratchFolder.ts';

const noProcess = 999_999_999;
const formerTmpdir = process.env['TMPDIR'];
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  process.env['TMPDIR'] = folder;
});

after(async () => {
  if (formerTmpdir === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = formerTmpdir;
  await rm(folder, { recursive: true });
});

test('a scratch folder is private and lies in the temporary folder', async () => {
  const made = await makeScratchFolder('auth');
  assert.equal(join(made, '..'), folder);
  assert.equal((await stat(made)).mode & 0o777, 0o700);
  await rm(made, { recursive: true });
});

test('what a killed process left goes after a day, and nothing else does', async () => {
  const old = new Date(Date.now() - 25 * 3_600_000);
  const leave = async (name: string, time?: Date): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path);
    await writeFile(join(path, 'identity'), 'a key');
    if (time !== undefined) await utimes(path, time, time);
    return path;
  };
  const left = await leave(`plumb-git-${noProcess}-auth-abcdef`, old);
  const kept = [
    await leave(`plumb-git-${noProcess}-auth-fresh`),
    await leave(`plumb-git-${process.pid}-store-abcdef`, old),
    await leave('plumb-git-abcdef', old),
    await leave(`other-${noProcess}-auth-abcdef`, old),
  ];
  await removeAbandonedScratch();
  assert.equal(existsSync(left), false);
  for (const path of kept) assert.equal(existsSync(path), true, path);
});
