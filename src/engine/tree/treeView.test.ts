import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../base/json.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ClusterSide, FileSide } from './fluxNode.ts';
import { stateOfFluxObject, worstState } from './syncState.ts';
import { treeView } from './treeView.ts';

const location = {
  folder: '/fleet',
  path: 'a.yaml',
  range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } },
};

function kustomization(name: string, extra: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system', generation: 1 },
    spec: { path: './apps', sourceRef: { kind: 'GitRepository', name: 'fleet' } },
    ...extra,
  };
}

function ready(status: string, reason: string, message = ''): JsonObject {
  return {
    status: {
      observedGeneration: 1,
      lastAppliedRevision: 'main@sha1:1',
      conditions: [{ type: 'Ready', status, reason, message }],
    },
  };
}

const file = (object: KubeObject): FileSide => ({ object, location });
const live = (object: KubeObject, rest: Partial<ClusterSide> = {}): ClusterSide => ({
  object,
  inventory: [],
  liveStates: new Map(),
  ...rest,
});

test('every node is in both, only in Git, or only in the cluster', () => {
  const tree = treeView({
    files: [file(kustomization('both')), file(kustomization('new'))],
    cluster: [
      live(kustomization('both', ready('True', 'ReconciliationSucceeded'))),
      live(kustomization('old')),
    ],
    diagnostics: [],
  });
  const presences = tree.workloads.map(({ ref, presence, location: at }) => [
    ref.name,
    presence,
    at !== undefined,
  ]);
  assert.deepEqual(presences, [
    ['both', 'both', true],
    ['new', 'onlyInGit', true],
    ['old', 'onlyInCluster', false],
  ]);
});

test('without a cluster the tree stands on the files alone and claims no state', () => {
  const built = [
    { ref: { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' }, location },
  ];
  const tree = treeView({
    files: [{ ...file(kustomization('apps')), built }],
    cluster: undefined,
    diagnostics: [],
  });
  const [node] = tree.workloads;
  assert.equal(node?.presence, 'unknown');
  assert.equal(node?.state, 'unknown');
  assert.deepEqual(node?.sourceRef?.namespace, 'flux-system');
  assert.deepEqual(
    node?.inventory.map(({ ref, presence }) => [ref.name, presence]),
    [['web', 'unknown']],
  );
});

test('children are the union of what was recorded and what is built', () => {
  const ref = (name: string) => ({ group: '', version: 'v1', kind: 'ConfigMap', namespace: 'shop', name });
  const tree = treeView({
    files: [{ ...file(kustomization('apps')), built: [{ ref: ref('kept') }, { ref: ref('added') }] }],
    cluster: [
      live(kustomization('apps', ready('True', 'ReconciliationSucceeded')), {
        inventory: [ref('kept'), ref('removed')],
        liveStates: new Map([['/ConfigMap/shop/kept', { state: 'ready' }]]),
      }),
    ],
    diagnostics: [],
  });
  const children = tree.workloads[0]?.inventory.map((node) => [node.ref.name, node.presence, node.state]);
  assert.deepEqual(children, [
    ['kept', 'both', 'ready'],
    ['removed', 'onlyInCluster', 'failed'],
    ['added', 'onlyInGit', 'unknown'],
  ]);
});

test('what others depend on stands first, and a cycle loses nobody', () => {
  const depends = (...names: string[]): JsonObject => ({
    spec: { dependsOn: names.map((name) => ({ name })) },
  });
  const tree = treeView({
    files: [
      file(kustomization('apps', depends('infra'))),
      file(kustomization('infra', depends('zero'))),
      file(kustomization('zero')),
      file(kustomization('ring-a', depends('ring-b'))),
      file(kustomization('ring-b', depends('ring-a'))),
    ],
    cluster: undefined,
    diagnostics: [],
  });
  assert.deepEqual(
    tree.workloads.map((node) => node.ref.name),
    ['zero', 'infra', 'apps', 'ring-b', 'ring-a'],
  );
});

test('a running reconciliation tells what it is at', () => {
  const at = { type: 'Reconciling', status: 'True', reason: 'Progressing', message: 'Running health checks' };
  const running = ready('Unknown', 'Progressing') as { status: { conditions: JsonObject[] } };
  const object = kustomization('a', { status: { conditions: [...running.status.conditions, at] } });
  const tree = treeView({ files: [], cluster: [live(object)], diagnostics: [] });
  assert.equal(tree.workloads[0]?.message, 'Running health checks');
});

test('the state follows suspend, conditions, unseen generations and drift', () => {
  const cases: readonly (readonly [KubeObject, string])[] = [
    [kustomization('a', ready('True', 'ReconciliationSucceeded')), 'ready'],
    [kustomization('a', ready('False', 'BuildFailed')), 'failed'],
    [kustomization('a', ready('False', 'DependencyNotReady')), 'waiting'],
    [kustomization('a', ready('Unknown', 'Progressing')), 'progressing'],
    [kustomization('a', { spec: { suspend: true }, ...ready('False', 'BuildFailed') }), 'suspended'],
    [kustomization('a'), 'progressing'],
    [
      kustomization('a', {
        metadata: { name: 'a', generation: 2 },
        ...ready('True', 'ReconciliationSucceeded'),
      }),
      'progressing',
    ],
  ];
  for (const [object, expected] of cases) assert.equal(stateOfFluxObject(object), expected);
  const tree = treeView({
    files: [],
    cluster: [live(kustomization('a', ready('True', 'ReconciliationSucceeded')), { driftedObjects: 2 })],
    diagnostics: [],
  });
  assert.deepEqual([tree.workloads[0]?.state, tree.workloads[0]?.driftedObjects], ['drifted', 2]);
  assert.equal(worstState(['ready', 'progressing', 'failed']), 'failed');
});
