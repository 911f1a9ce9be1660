import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareApplyOrder, stageOf } from './applyOrder.ts';
import { inventoryEntryOf, refOfInventoryEntry } from './inventoryId.ts';
import type { ObjectRef } from './object.ts';

const cases: readonly (readonly [ObjectRef, string])[] = [
  [
    { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'web', name: 'app' },
    'web_app_apps_Deployment',
  ],
  [{ group: '', version: 'v1', kind: 'Namespace', name: 'web' }, '_web__Namespace'],
  [
    { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole', name: 'system:x:y' },
    '_system__x__y_rbac.authorization.k8s.io_ClusterRole',
  ],
];

test('inventory ids are written and read as upstream does', () => {
  for (const [ref, id] of cases) {
    assert.deepEqual(inventoryEntryOf(ref), { id, v: ref.version });
    assert.deepEqual(refOfInventoryEntry({ id, v: ref.version }), ref);
  }
  assert.equal(refOfInventoryEntry({ id: 'broken', v: 'v1' }), undefined);
});

test('objects are applied in upstream order, definitions first and webhooks last', () => {
  const ref = (kind: string, name = 'x', group = ''): ObjectRef => ({ group, version: 'v1', kind, name });
  const sorted = [
    ref('ValidatingWebhookConfiguration'),
    ref('Widget'),
    ref('Deployment', 'b', 'apps'),
    ref('Deployment', 'a', 'apps'),
    ref('ServiceAccount'),
    ref('Namespace'),
    ref('CustomResourceDefinition'),
  ].sort(compareApplyOrder);
  assert.deepEqual(
    sorted.map(({ kind, name }) => `${kind}/${name}`),
    [
      'CustomResourceDefinition/x',
      'Namespace/x',
      'ServiceAccount/x',
      'Deployment/a',
      'Deployment/b',
      'Widget/x',
      'ValidatingWebhookConfiguration/x',
    ],
  );
});

test('stages: definitions, classes, custom kinds, the rest', () => {
  const at = (group: string, kind: string): string =>
    stageOf({ group, version: 'v1', kind, name: 'x' }, [{ group: 'x.io', kind: 'Early' }]);
  assert.equal(at('apiextensions.k8s.io', 'CustomResourceDefinition'), 'definitions');
  assert.equal(at('rbac.authorization.k8s.io', 'ClusterRole'), 'definitions');
  assert.equal(at('storage.k8s.io', 'StorageClass'), 'classes');
  assert.equal(at('x.io', 'Early'), 'custom');
  assert.equal(at('x.io', 'Namespace'), 'rest');
});
