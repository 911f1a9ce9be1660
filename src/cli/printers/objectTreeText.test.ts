import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectRef } from '../../kube/object.ts';
import type { FluxNode, InventoryNode, TreeView } from '../../protocol/views.ts';
import { styleFor } from '../terminal.ts';
import { compactTree, objectTreeOf, objectTreeText } from './objectTreeText.ts';

const ks = (name: string): ObjectRef => ({
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name,
});
const configMap = (name: string): ObjectRef => ({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  namespace: 'shop',
  name,
});
const entry = (ref: ObjectRef, rest: Partial<InventoryNode> = {}): InventoryNode => ({
  ref,
  presence: 'both',
  state: 'ready',
  ...rest,
});
const node = (
  ref: ObjectRef,
  inventory: readonly InventoryNode[],
  rest: Partial<FluxNode> = {},
): FluxNode => ({
  ref,
  presence: 'both',
  state: 'ready',
  suspended: false,
  dependsOn: [],
  inventory,
  ...rest,
});

const tree: TreeView = {
  sources: [],
  workloads: [
    node(ks('flux-system'), [entry(ks('flux-system')), entry(ks('apps')), entry(configMap('settings'))]),
    node(
      ks('apps'),
      [
        entry(configMap('a'), { state: 'failed', message: 'gone\nmore' }),
        entry(configMap('b'), { presence: 'onlyInGit', state: 'unknown' }),
        entry(ks('flux-system')),
      ],
      { state: 'waiting', message: 'dependency not ready' },
    ),
  ],
  diagnostics: [],
};

test('a workload is shown with all that it applies, and never below itself', () => {
  const found = objectTreeOf(tree, ks('flux-system'));
  assert.ok(found);
  assert.equal(
    objectTreeText(found, styleFor(false)),
    `Kustomization/flux-system/flux-system
├── Kustomization/flux-system/apps  waiting  dependency not ready
│   ├── ConfigMap/shop/a  failed  gone
│   └── ConfigMap/shop/b  git only
└── ConfigMap/shop/settings
`,
  );
  assert.equal(
    objectTreeText(compactTree(found), styleFor(false)),
    `Kustomization/flux-system/flux-system
└── Kustomization/flux-system/apps  waiting  dependency not ready
`,
  );
});

test('an unknown workload has no tree', () => {
  assert.equal(objectTreeOf(tree, ks('nobody')), undefined);
});
