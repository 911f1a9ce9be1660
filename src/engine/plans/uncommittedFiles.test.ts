import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { uncommittedNotes } from './uncommittedFiles.ts';

const start = { line: 0, character: 0 };
const object: BuiltObject = {
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
  origins: {
    at: () => ({ path: 'base/a.yaml', range: { start, end: start } }),
    *entries() {
      // No field of its own.
    },
  },
};

function notes(untracked: readonly string[], path: string): readonly string[] {
  return uncommittedNotes(untracked, { spec: { path } } as Kustomization, [object]);
}

test('files below the path and files of its objects are named, others are not', () => {
  assert.deepEqual(notes(['README.md', 'base/a.yaml', 'apps-old/b.yaml', 'apps/c.yaml'], './apps'), [
    'in no commit yet: base/a.yaml, apps/c.yaml; this plan has them, Flux has not',
  ]);
  assert.deepEqual(notes(['README.md'], './apps/'), []);
});

test('the whole repository is below an empty path, and many files are counted', () => {
  const many = ['1', '2', '3', '4', '5', '6', '7'];
  assert.deepEqual(notes(many, ''), notes(many, './'));
  assert.match(notes(many, '')[0] ?? '', /^in no commit yet: 1, 2, 3, 4, 5 and 2 more;/);
});
