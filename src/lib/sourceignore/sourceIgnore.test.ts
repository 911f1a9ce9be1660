import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import { applySourceIgnore, bucketIgnore } from './sourceIgnore.ts';

function check(
  files: Readonly<Record<string, string>>,
  specIgnore: string | undefined,
  kept: readonly string[],
): void {
  const tree = applySourceIgnore(FileTree.from(Object.entries(files)), specIgnore);
  assert.deepEqual([...tree.paths()], kept);
}

const empty = (...paths: string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, '']));

test('drops version control files and the default list', () => {
  check(
    empty(
      '.git/HEAD',
      'a/.gitignore',
      'logo.png',
      'app.yaml',
      '.github/ci.yaml',
      'x/.sops.yaml',
      'x/appveyor.yml',
    ),
    undefined,
    ['app.yaml'],
  );
});

test('any own pattern drops the default list but not version control files', () => {
  check({ ...empty('.gitignore', 'logo.png', 'app.yaml'), 'sub/.sourceignore': '*.md' }, undefined, [
    'logo.png',
    'app.yaml',
    'sub/.sourceignore',
  ]);
  check(empty('.gitignore', 'logo.png', 'app.yaml'), '*.md', ['logo.png', 'app.yaml']);
});

test('a file with only comments and blank lines leaves the defaults on', () => {
  check({ 'logo.png': '', '.sourceignore': '# nothing\n\n   \n' }, undefined, ['.sourceignore']);
});

test('re-includes a folder below an excluded root', () => {
  check(empty('deploy/app.yaml', 'docs/readme.md', 'root.yaml'), '/*\n!/deploy/**', ['deploy/app.yaml']);
  check(empty('deploy/app.yaml', 'docs/readme.md', 'root.yaml'), '/*\n!/deploy', ['deploy/app.yaml']);
});

test('scopes an ignore file to its folder, and spec.ignore wins over all', () => {
  check(
    { 'a/.sourceignore': 'x.yaml', 'a/x.yaml': '', 'a/b/x.yaml': '', 'x.yaml': '' },
    '!b/x.yaml\n.sourceignore',
    ['x.yaml'],
  );
  check({ 'a/.sourceignore': 'x.yaml', 'a/x.yaml': '', 'a/b/x.yaml': '' }, '!**/b/x.yaml\n.sourceignore', [
    'a/b/x.yaml',
  ]);
});

test('a trailing slash excludes what is below a folder, not a file of that name', () => {
  check(empty('build', 'build/x', 'a/build/x'), 'build/', ['build']);
});

test('a Bucket has no defaults and leaves its ignore file out', () => {
  const ignores = bucketIgnore('*.md\n', '!keep.md');
  const keys = ['.sourceignore', 'a/', '.git/HEAD', 'logo.png', 'b/x.md', 'keep.md'];
  assert.deepEqual(
    keys.filter((key) => !ignores(key)),
    ['.git/HEAD', 'logo.png', 'keep.md'],
  );
});
