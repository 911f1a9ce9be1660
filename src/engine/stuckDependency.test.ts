import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, refKey, refOf } from '../kube/object.ts';
import { isStuck } from './stuckDependency.ts';

interface Given {
  readonly dependsOn?: readonly string[];
  readonly source?: string;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly attempted?: string;
  readonly suspend?: boolean;
}

function kustomization(name: string, given: Given = {}): KubeObject {
  const { dependsOn = [], source = 'fleet', ready = 'True', reason = '', attempted = 'new', suspend } = given;
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: {
      sourceRef: { kind: 'GitRepository', name: source },
      dependsOn: dependsOn.map((other) => ({ name: other })),
      ...(suspend === true && { suspend }),
    },
    status: {
      lastAttemptedRevision: attempted,
      conditions: [{ type: 'Ready', status: ready, reason, message: '', lastTransitionTime: '' }],
    },
  };
}

const waits = { ready: 'False', reason: 'DependencyNotReady', attempted: 'old' } as const;
const failed = { ready: 'False', reason: 'BuildFailed' } as const;

for (const [what, others, stuck] of [
  ['is ready at the older revision', [kustomization('base', { attempted: 'old' })], false],
  ['runs', [kustomization('base', { ready: 'Unknown', reason: 'Progressing' })], false],
  ['is ready by now', [kustomization('base')], false],
  ['failed at the older revision', [kustomization('base', { ...failed, attempted: 'old' })], false],
  ['failed at this one', [kustomization('base', failed)], true],
  [
    'has failed with a source of its own',
    [kustomization('base', { ...failed, attempted: 'x', source: 'b' })],
    true,
  ],
  ['is suspended before it got there', [kustomization('base', { attempted: 'old', suspend: true })], true],
  ['is not there', [], true],
  [
    'waits for one that runs',
    [
      kustomization('base', { ...waits, dependsOn: ['crds'] }),
      kustomization('crds', { ready: 'Unknown', attempted: 'old' }),
    ],
    false,
  ],
  [
    'waits for one that failed',
    [kustomization('base', { ...waits, dependsOn: ['crds'] }), kustomization('crds', failed)],
    true,
  ],
  ['waits for it in turn', [kustomization('base', { ...waits, dependsOn: ['apps'] })], true],
] as const satisfies readonly (readonly [string, readonly KubeObject[], boolean])[])
  test(`what waits for a dependency that ${what} is ${stuck ? 'stuck' : 'on the way'}`, () => {
    const apps = kustomization('apps', { ...waits, dependsOn: ['base'] });
    const objects = new Map([apps, ...others].map((object) => [refKey(refOf(object)), object]));
    assert.equal(
      isStuck(apps, 'new', (ref) => objects.get(refKey(ref))),
      stuck,
    );
  });
