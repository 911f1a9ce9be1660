import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DiskTree } from './diskTree.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plumb-disk-')));
after(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'apps'));
writeFileSync(join(folder, 'apps/web.yaml'), 'kind: Service\n');
symlinkSync('web.yaml', join(folder, 'apps/link.yaml'));
symlinkSync('loop', join(folder, 'apps/loop'));

const disk = new DiskTree(folder);
const at = (path: string): string => disk.fromAbsolute(join(folder, path));

test('reads a file once, and follows links to it', () => {
  assert.equal(String(disk.get(at('apps/web.yaml'))), 'kind: Service\n');
  assert.equal(disk.get(at('apps/web.yaml')), disk.get(at('apps/web.yaml')));
  assert.equal(String(disk.get(at('apps/link.yaml'))), 'kind: Service\n');
  assert.equal(disk.realPath(at('apps/link.yaml')), at('apps/web.yaml'));
});

test('sees nothing where a link leads in a circle, below a file or at a folder', () => {
  for (const path of ['apps/loop', 'apps/web.yaml/below', 'apps', 'nowhere'])
    assert.equal(disk.get(at(path)), undefined, path);
  assert.equal(disk.isFolder(at('apps')), true);
  assert.deepEqual(disk.list(at('apps')), ['link.yaml', 'loop', 'web.yaml']);
  assert.deepEqual(disk.list(at('nowhere')), []);
});
