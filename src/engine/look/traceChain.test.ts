import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import type { FluxNode, TreeView } from '../../protocol/views.ts';
import { kindOfWord } from './kindWord.ts';
import { eventView } from './listEvents.ts';
import { ownerOf, stepsFrom, workloadOfLabels } from './traceChain.ts';

const kustomization = (name: string): ObjectRef => ({
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name,
});
const fleet: ObjectRef = {
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'GitRepository',
  namespace: 'flux-system',
  name: 'fleet',
};

function node(ref: ObjectRef, rest: Partial<FluxNode> = {}): FluxNode {
  return {
    ref,
    presence: 'both',
    state: 'ready',
    suspended: false,
    dependsOn: [],
    inventory: [],
    sourceRef: fleet,
    ...rest,
  };
}

function object(metadata: Partial<KubeObject['metadata']>): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', ...metadata } };
}

test('a chain goes up through labels and inventories and ends at the workload that applies itself', () => {
  const root = kustomization('flux-system');
  const tree: TreeView = {
    sources: [node(fleet)],
    workloads: [
      node(root, {
        parent: root,
        inventory: [{ ref: kustomization('infra'), presence: 'both', state: 'ready' }],
      }),
      node(kustomization('infra')),
      node(kustomization('apps'), { parent: kustomization('infra') }),
    ],
    diagnostics: [],
  };
  assert.deepEqual(
    stepsFrom(tree, kustomization('apps')).map(({ workload, source }) => [
      workload.ref.name,
      source?.ref.name,
    ]),
    [
      ['apps', 'fleet'],
      ['infra', 'fleet'],
      ['flux-system', 'fleet'],
    ],
  );
  assert.deepEqual(stepsFrom(tree, kustomization('gone')), []);
  assert.deepEqual(stepsFrom(tree, undefined), []);
});

test('ownership labels of both controllers name the workload; half of them name nothing', () => {
  const labels = {
    'helm.toolkit.fluxcd.io/name': 'redis',
    'helm.toolkit.fluxcd.io/namespace': 'cache',
  };
  assert.deepEqual(workloadOfLabels(object({ labels })), {
    group: 'helm.toolkit.fluxcd.io',
    version: 'v2',
    kind: 'HelmRelease',
    namespace: 'cache',
    name: 'redis',
  });
  assert.equal(workloadOfLabels(object({ labels: { 'helm.toolkit.fluxcd.io/name': 'redis' } })), undefined);
  assert.equal(workloadOfLabels(object({})), undefined);
});

test('the controlling owner goes before others', () => {
  const owner = (name: string, controller: boolean) => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name,
    controller,
  });
  const ownerReferences = [owner('a', false), owner('b', true)];
  assert.deepEqual(ownerOf(object({ ownerReferences })), {
    group: 'apps',
    version: 'v1',
    kind: 'ReplicaSet',
    namespace: 'shop',
    name: 'b',
  });
  assert.equal(ownerOf(object({})), undefined);
});

test('kinds are told as for kubectl', () => {
  const kinds = [
    { group: 'apps', kind: 'Deployment', plural: 'deployments', shortNames: ['deploy'] },
    { group: 'other.example', kind: 'Deployment', plural: 'deployments', shortNames: [] },
  ];
  for (const word of ['deployment', 'Deployments', 'deploy', 'deployment.apps'])
    assert.equal(kindOfWord(word, kinds)?.group, 'apps', word);
  assert.equal(kindOfWord('deployments.other.example', kinds)?.group, 'other.example');
  assert.equal(kindOfWord('deployment.third.example', kinds), undefined);
  assert.equal(kindOfWord('pod', kinds), undefined);
});

test('an event of the newer API is shown like one of the older, others than of Flux objects not at all', () => {
  const involvedObject = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    name: 'apps',
  };
  const event: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'flux-system' },
    involvedObject,
    type: 'Warning',
    reason: 'BuildFailed',
    message: 'kustomization.yaml is missing',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingComponent: 'kustomize-controller',
  };
  assert.deepEqual(eventView(event), {
    object: { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', name: 'apps' },
    type: 'Warning',
    reason: 'BuildFailed',
    message: 'kustomization.yaml is missing',
    count: 1,
    lastSeen: '2026-01-01T00:00:00.000000Z',
    component: 'kustomize-controller',
  });
  assert.equal(
    eventView({ ...event, involvedObject: { ...involvedObject, apiVersion: 'apps/v1' } }),
    undefined,
  );
});
