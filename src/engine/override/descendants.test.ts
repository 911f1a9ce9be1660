import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/object.ts';
import { descendantsOf } from './descendants.ts';

interface Given {
  readonly parent?: string;
  readonly source?: string;
  readonly dependsOn?: readonly string[];
}

function kustomization(name: string, { parent, source = 'fleet', dependsOn = [] }: Given = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: {
      name,
      namespace: 'flux-system',
      ...(parent !== undefined && {
        labels: {
          'kustomize.toolkit.fluxcd.io/name': parent,
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      }),
    },
    spec: {
      sourceRef: { kind: 'GitRepository', name: source },
      dependsOn: dependsOn.map((other) => ({ name: other })),
    },
  };
}

function namesBelow(root: string, all: readonly KubeObject[]): readonly string[] {
  const found = all.find(({ metadata }) => metadata.name === root) as KubeObject;
  return descendantsOf(found, all).map(({ object, depth }) => `${object.metadata.name} ${depth}`);
}

test('children and their children come after their parents, dependents after their dependencies', () => {
  const all = [
    kustomization('grandchild', { parent: 'child' }),
    kustomization('apps', { parent: 'root', dependsOn: ['child'] }),
    kustomization('child', { parent: 'root' }),
    kustomization('root'),
    kustomization('stranger', { parent: 'other' }),
  ];
  assert.deepEqual(namesBelow('root', all), ['child 1', 'apps 1', 'grandchild 2']);
  assert.deepEqual(namesBelow('child', all), ['grandchild 1']);
  assert.deepEqual(namesBelow('apps', all), []);
});

test('one that reads another source is left out, but not what it makes from the source of the root', () => {
  const all = [
    kustomization('root'),
    kustomization('tenant', { parent: 'root', source: 'tenants' }),
    kustomization('shared', { parent: 'tenant' }),
  ];
  assert.deepEqual(namesBelow('root', all), ['shared 2']);
});

test('a Kustomization that makes itself, or its own parent, is no descendant of itself', () => {
  const all = [
    kustomization('root', { parent: 'child' }),
    kustomization('child', { parent: 'root' }),
    kustomization('self', { parent: 'self' }),
  ];
  assert.deepEqual(namesBelow('root', all), ['child 1']);
  assert.deepEqual(namesBelow('self', all), []);
});
