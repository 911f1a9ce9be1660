import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { leavesDrift } from './detectOnly.ts';

const revision = 'main@sha1:1';
const asked: Kustomization = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'apps', generation: 2, annotations: { 'plumb.dev/drift': 'detect' } },
  spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' } },
  status: {
    observedGeneration: 2,
    lastAppliedRevision: revision,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'ReconciliationSucceeded',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  },
};
const annotations = asked.metadata.annotations;

const cases: readonly (readonly [
  what: string,
  kustomization: Kustomization,
  source: string,
  leaves: boolean,
])[] = [
  ['nothing new', asked, revision, true],
  ['no annotation', { ...asked, metadata: { name: 'apps', generation: 2 } }, revision, false],
  ['a new revision', asked, 'main@sha1:2', false],
  ['a changed spec', { ...asked, metadata: { ...asked.metadata, generation: 3 } }, revision, false],
  [
    'a request',
    {
      ...asked,
      metadata: {
        ...asked.metadata,
        annotations: { ...annotations, 'reconcile.fluxcd.io/requestedAt': 'now' },
      },
    },
    revision,
    false,
  ],
  ['a run that failed', { ...asked, status: { ...asked.status, conditions: [] } }, revision, false],
  ['a deletion', { ...asked, metadata: { ...asked.metadata, deletionTimestamp: 'now' } }, revision, false],
];

for (const [what, kustomization, source, leaves] of cases)
  test(`drift is ${leaves ? 'left' : 'not left'} with ${what}`, () => {
    assert.equal(leavesDrift(kustomization, source), leaves);
  });
