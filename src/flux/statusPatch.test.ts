import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../base/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { setCondition, type Conditions } from './conditions.ts';
import { rebaseConditions, statusPatches } from './statusPatch.ts';

const at = { generation: 1, now: 0 };

function objectWith(status: JsonObject, metadata: JsonObject = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', ...metadata }, status };
}

function conditions(...states: readonly (readonly [type: string, status: 'True' | 'False'])[]): Conditions {
  return states.reduce<Conditions>(
    (list, [type, status]) => setCondition(list, { type, status, reason: 'R', message: '' }, at),
    [],
  );
}

test('an unchanged object needs no patch, whatever the server wrote itself', () => {
  const before = objectWith({ a: 1 }, { resourceVersion: '1', generation: 1 });
  const after = objectWith({ a: 1 }, { resourceVersion: '2', generation: 2, managedFields: [] });
  assert.deepEqual(statusPatches(before, after), { conditionsChanged: false });
});

test('finalizers, status and conditions are told apart', () => {
  const before = objectWith({ a: 1, conditions: [] });
  const after = objectWith({ a: 2, conditions: conditions(['Ready', 'True']) }, { finalizers: ['f'] });
  assert.deepEqual(statusPatches(before, after), {
    object: { metadata: { finalizers: ['f'] } },
    status: { a: 2 },
    conditionsChanged: true,
  });
});

test('our conditions win over the latest ones and those of others stay', () => {
  const before = objectWith({ conditions: conditions(['Ready', 'False'], ['Reconciling', 'True']) });
  const after = objectWith({ conditions: conditions(['Ready', 'True']) });
  const latest = objectWith({
    conditions: conditions(['Ready', 'False'], ['Reconciling', 'True'], ['Theirs', 'True']),
  });
  assert.deepEqual(
    rebaseConditions(before, after, latest).map(({ type, status }) => `${type}=${status}`),
    ['Ready=True', 'Theirs=True'],
  );
});
