import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree } from '../../base/fileTree.ts';
import { BuildCache } from './buildCache.ts';
import { buildKustomization } from './buildKustomization.ts';

/** Ten ConfigMaps in a base, and an overlay of the given name that renames them. */
function treeOf(name: string): FileTree {
  const objects = Array.from(
    { length: 10 },
    (_, index) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${index}}\n`,
  );
  return FileTree.from([
    [`${name}/base/kustomization.yaml`, 'resources: [all.yaml]\n'],
    [`${name}/base/all.yaml`, objects.join('---\n')],
    [`${name}/over/kustomization.yaml`, `resources: [../base]\nnamePrefix: ${name}-\n`],
  ]);
}

function build(tree: FileTree, name: string, cache: BuildCache): readonly unknown[] {
  return buildKustomization(tree, `${name}/over`, { cache }).objects.map(({ object }) => object);
}

test('forgets what has not been used for longest once it holds too much', () => {
  const cache = new BuildCache({ limit: 200 });
  const trees = Array.from({ length: 20 }, (_, index) => treeOf(`t${index}`));
  const first = build(trees[0] as FileTree, 't0', cache);
  const one = cache.size;
  assert.ok(one >= 10, `${one} objects are counted`);
  for (const [index, tree] of trees.entries()) {
    assert.equal(build(tree, `t${index}`, cache).length, 10);
    assert.ok(cache.size <= 200, `${cache.size} objects are held`);
  }
  const again = build(trees[0] as FileTree, 't0', cache);
  assert.deepEqual(again, first);
  assert.notEqual(again[0], first[0], 'the first tree was forgotten');
  assert.equal(build(trees[0] as FileTree, 't0', cache)[0], again[0], 'and is known again');
});

test('an edit does not make a cache grow', () => {
  const cache = new BuildCache();
  let tree = treeOf('t');
  build(tree, 't', cache);
  const { size } = cache;
  for (let edit = 0; edit < 20; edit++) {
    tree = tree.with('t/over/kustomization.yaml', `resources: [../base]\nnamePrefix: e${edit}-\n`);
    build(tree, 't', cache);
    assert.equal(cache.size, size);
  }
});

test('holds nothing when it is told so', () => {
  const cache = new BuildCache({ limit: 0 });
  assert.equal(build(treeOf('t'), 't', cache).length, 10);
  assert.equal(cache.size, 0);
});
