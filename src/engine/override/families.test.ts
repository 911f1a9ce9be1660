import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectRef } from '../../kube/object.ts';
import { Families } from './families.ts';

function kustomization(name: string): ObjectRef {
  const group = 'kustomize.toolkit.fluxcd.io';
  return { group, version: 'v1', kind: 'Kustomization', namespace: 'flux-system', name };
}

const [root, child, added, stranger] = ['root', 'child', 'added', 'stranger'].map(kustomization) as [
  ObjectRef,
  ObjectRef,
  ObjectRef,
  ObjectRef,
];

test('what was shown and what was made since belong to the root, until it is forgotten', () => {
  const families = new Families();
  families.found(root, [child]);
  families.add(root, added);
  for (const member of [root, child, added]) {
    assert.deepEqual(families.rootOf(member), root);
    assert.equal(families.has(root, member), true);
  }
  assert.equal(families.rootOf(stranger), undefined);
  assert.deepEqual(families.madeBelow(root), [added]);
  assert.deepEqual(families.below(root), [added, child]);
  families.forget(root);
  assert.deepEqual([families.roots(), families.below(root), families.rootOf(child)], [[], [], undefined]);
});

test('an object without descendants has no family', () => {
  const families = new Families();
  families.add(root, added);
  assert.deepEqual([families.has(root, root), families.madeBelow(root)], [false, []]);
});
