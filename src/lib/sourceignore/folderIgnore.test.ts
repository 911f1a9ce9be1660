import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import { readFolderIgnore } from './folderIgnore.ts';

function ignoreOf(files: Readonly<Record<string, string>>) {
  return readFolderIgnore(FileTree.from(Object.entries(files)), 'apps');
}

test('entries are left out by the standard list and by the ignore files in and below the folder', () => {
  const ignore = ignoreOf({
    '.sourceignore': 'above.yaml\n',
    'apps/.sourceignore': 'notes.yaml\nsub/\n!cloudbuild.yaml\n',
    'apps/deep/.sourceignore': '/here.yaml\n',
    'apps/sub/kustomization.yaml': '',
    'apps/subs/kustomization.yaml': '',
  });
  const paths = [
    ...['above.yaml', 'notes.yaml', 'sub', 'subs', 'cloudbuild.yaml', 'appveyor.yml', 'deep/notes.yaml'],
    ...['deep/here.yaml', 'deep/more/here.yaml'],
  ];
  assert.deepEqual(
    paths.filter((path) => ignore.skipsEntry(`apps/${path}`)),
    ['notes.yaml', 'sub', 'appveyor.yml', 'deep/notes.yaml', 'deep/here.yaml'],
  );
  assert.equal(ignore.skipsEntry('other/notes.yaml'), false);
});

test('a pattern for what is in a folder leaves out the folder only when it says so', () => {
  const folder = { 'apps/sub/kustomization.yaml': '' };
  const skips = (pattern: string) =>
    ignoreOf({ ...folder, 'apps/.sourceignore': pattern }).skipsEntry('apps/sub');
  assert.deepEqual(['sub', 'sub/', '/sub', 'sub/**', 'sub/*', 'sub/x.yaml'].map(skips), [
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('manifests are passed over only where the folder has ignore files of its own', () => {
  assert.equal(ignoreOf({ 'apps/appveyor.yml': '' }).skipsManifest('apps/appveyor.yml'), false);
  const own = ignoreOf({ 'apps/appveyor.yml': '', 'apps/.sourceignore': 'x\n' });
  assert.equal(own.skipsManifest('apps/appveyor.yml'), true);
});
