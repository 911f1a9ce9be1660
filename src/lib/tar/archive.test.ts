import assert from 'node:assert/strict';
import { gunzipSync, gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { pack, type Header } from 'tar-stream';
import { FileTree } from '../../base/fileTree.ts';
import { packArchive, unpackArchive } from './archive.ts';

async function tarOf(
  ...entries: readonly (readonly [Partial<Header> & { name: string }, string?])[]
): Promise<Uint8Array> {
  const archive = pack();
  const chunks: Buffer[] = [];
  for (const [header, content] of entries) archive.entry(header, content ?? '');
  archive.finalize();
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('a tree comes back as it was, long names and empty files included', async () => {
  const long = `${'deep/'.repeat(60)}${'n'.repeat(120)}.yaml`;
  const tree = FileTree.from([
    ['b/c.yaml', 'c: 1\n'],
    ['a.yaml', new Uint8Array([0, 255])],
    ['empty', ''],
    [long, 'long: true\n'],
    ['ü/ß.yaml', 'x'],
  ]);
  const back = await unpackArchive(await packArchive(tree));
  assert.deepEqual([...back.paths()].sort(), [...tree.paths()].sort());
  for (const [path, bytes] of tree.entries())
    assert.deepEqual(Buffer.from(back.get(path) ?? []), Buffer.from(bytes));
});

test('equal trees give equal bytes, in whatever order they were made', async () => {
  const one = FileTree.from([
    ['a', '1'],
    ['b/c', '2'],
  ]);
  const two = FileTree.from([
    ['b/c', '2'],
    ['a', '1'],
  ]);
  const bytes = await packArchive(one);
  assert.deepEqual(bytes, await packArchive(two));
  assert.match(gunzipSync(bytes).toString('latin1'), /^\.\0/);
});

test('links, devices and folders are left out', async () => {
  const archive = await tarOf(
    [{ name: 'd', type: 'directory' }],
    [{ name: 'd/link', type: 'symlink', linkname: '/etc/passwd' }],
    [{ name: 'd/hard', type: 'link', linkname: 'd/file' }],
    [{ name: 'd/fifo', type: 'fifo' }],
    [{ name: './d/file' }, 'x'],
  );
  assert.deepEqual([...(await unpackArchive(archive)).paths()], ['d/file']);
});

test('a file that leaves the root is refused', async () => {
  for (const name of ['../a', 'a/../../b', '/etc/passwd', 'a\\..\\b'])
    await assert.rejects(unpackArchive(await tarOf([{ name }, 'x'])), { code: 'InvalidPath' }, name);
});

test('what is no archive is refused, a truncated one and a bomb too', async () => {
  const good = await packArchive(FileTree.from([['a', 'x'.repeat(5000)]]));
  for (const bytes of [Buffer.from('no archive at all, just text'), good.subarray(0, good.length - 20)])
    await assert.rejects(unpackArchive(bytes), { code: 'ArtifactFailed' });
  const bomb = gzipSync(Buffer.alloc(129 * 1024 * 1024));
  await assert.rejects(unpackArchive(bomb), { code: 'TreeTooLarge' });
});
