import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterMatch } from '../../protocol/views.ts';
import { matchItems } from './clusterMatches.ts';

function workload(name: string, path: string, isInFolder = true): ClusterMatch['workloads'][number] {
  const ref = {
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name,
  };
  return { ref, folder: '/fleet', path, isInFolder };
}

test('clusters that reconcile the folder come first, with the path everything begins at', () => {
  const items = matchItems([
    { context: 'off', workloads: [], problem: 'connect ECONNREFUSED' },
    { context: 'other', uid: 'u1', workloads: [] },
    {
      context: 'prod',
      uid: 'u2',
      workloads: [workload('apps', 'apps/prod'), workload('flux-system', 'clusters/prod')],
    },
    { context: 'all', uid: 'u3', workloads: [workload('one', ''), workload('two', 'gone', false)] },
  ]);
  assert.deepEqual(items, [
    {
      label: 'prod',
      description: 'reconciles clusters/prod',
      detail: '2 Kustomizations of this folder',
      found: { uid: 'u2', path: 'clusters/prod' },
    },
    {
      label: 'all',
      description: 'reconciles the whole folder',
      detail: '2 Kustomizations of this folder, 1 with a path it does not have: gone',
      found: { uid: 'u3', path: '' },
    },
    {
      label: 'other',
      description: 'does not reconcile this folder',
      detail: 'no source has one of its remotes',
    },
    { label: 'off', description: 'could not be asked', detail: 'connect ECONNREFUSED' },
  ]);
});
