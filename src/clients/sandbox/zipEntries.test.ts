import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { zipEntries } from './zipEntries.ts';

interface Member {
  readonly path: string;
  readonly content: string;
  readonly method: 0 | 8;
  readonly mode: number;
  /** What the directory states, where that is not the truth. */
  readonly statedSize?: number;
}

function zip(members: readonly Member[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, content, method, mode, statedSize } of members) {
    const name = Buffer.from(path);
    const packed = method === 8 ? deflateRawSync(content) : Buffer.from(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(statedSize ?? Buffer.byteLength(content), 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(mode * 0x10000, 38);
    central.writeUInt32LE(offset, 42);
    files.push(local, name, packed);
    directory.push(central, name);
    offset += local.length + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

test('files come out with content and mode, folders do not', () => {
  const archive = zip([
    { path: 'go/', content: '', method: 0, mode: 0o40755 },
    { path: 'go/VERSION', content: 'go1', method: 0, mode: 0o100644 },
    { path: 'go/bin/go', content: 'x'.repeat(1000), method: 8, mode: 0o100755 },
  ]);
  assert.deepEqual(
    zipEntries(archive).map(({ path, isExecutable, read }) => [path, isExecutable, read().toString()]),
    [
      ['go/VERSION', false, 'go1'],
      ['go/bin/go', true, 'x'.repeat(1000)],
    ],
  );
});

test('an archive that is damaged or lies about sizes is refused', () => {
  const member: Member = { path: 'a', content: 'x'.repeat(1000), method: 8, mode: 0o100644 };
  assert.throws(() => zipEntries(Buffer.from('not a zip archive, but long enough')), /no zip archive/);
  assert.throws(() => zipEntries(zip([{ ...member, statedSize: 10 }]))[0]?.read(), /buffer|size|larger/i);
  assert.throws(() => zipEntries(zip([{ ...member, statedSize: 2000 }]))[0]?.read(), /another size/);
  const broken = zip([member]);
  broken.writeUInt32LE(0, 0);
  assert.throws(() => zipEntries(broken)[0]?.read(), /damaged/);
});
