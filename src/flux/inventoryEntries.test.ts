import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inventoryEntry, parseInventoryEntry } from './inventoryEntries.ts';

test('entries name objects as Flux does, and are read back', () => {
  const cases = [
    [
      { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'web', name: 'app' },
      'web_app_apps_Deployment',
    ],
    [{ group: '', version: 'v1', kind: 'Namespace', name: 'web' }, '_web__Namespace'],
    [{ group: '', version: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'b.c' }, 'a_b.c__ConfigMap'],
    [
      { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole', name: 'system:view' },
      '_system__view_rbac.authorization.k8s.io_ClusterRole',
    ],
  ] as const;
  for (const [ref, id] of cases) {
    assert.deepEqual(inventoryEntry(ref), { id, v: ref.version });
    assert.deepEqual(parseInventoryEntry({ id, v: ref.version }), ref);
  }
});

test('what is no entry names nothing', () => {
  for (const id of ['', 'a', 'a_b', 'a_b_c', 'a__c_', 'a_b_x_c_d'])
    assert.equal(parseInventoryEntry({ id, v: 'v1' }), undefined, id);
});
