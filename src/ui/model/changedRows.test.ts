import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FluxNode } from '../../protocol/views.ts';
import { changedRows } from './changedRows.ts';
import { workloadEntries } from './treeEntries.ts';

const web = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };

function node(name: string, given: Partial<FluxNode> = {}): FluxNode {
  const group = 'kustomize.toolkit.fluxcd.io';
  return {
    ref: { group, version: 'v1', kind: 'Kustomization', namespace: 'flux-system', name },
    presence: 'both',
    state: 'ready',
    suspended: false,
    dependsOn: [],
    inventory: [{ ref: web, presence: 'both', state: 'ready' }],
    ...given,
  };
}

function changed(before: readonly FluxNode[], after: readonly FluxNode[]): unknown {
  const rows = changedRows(workloadEntries(before, new Map()), workloadEntries(after, new Map()));
  return rows === 'all' ? rows : rows.map(({ label }) => label);
}

describe('rows to read again', () => {
  const drifted = [{ ref: web, presence: 'both', state: 'drifted' }] as const;
  const cases: readonly (readonly [string, readonly FluxNode[], readonly FluxNode[], unknown])[] = [
    ['none where nothing changed', [node('infra'), node('apps')], [node('infra'), node('apps')], []],
    [
      'the one that changed',
      [node('infra'), node('apps')],
      [node('infra'), node('apps', { state: 'failed' })],
      ['apps'],
    ],
    [
      'the one whose object changed',
      [node('infra'), node('apps')],
      [node('infra'), node('apps', { inventory: drifted })],
      ['apps'],
    ],
    ['all where one came', [node('infra')], [node('infra'), node('apps')], 'all'],
    ['all where one went', [node('infra'), node('apps')], [node('apps')], 'all'],
    ['all where they changed places', [node('infra'), node('apps')], [node('apps'), node('infra')], 'all'],
    ['all the first time, also when there are none', [], [], 'all'],
  ];
  for (const [name, before, after, expected] of cases)
    it(name, () => assert.deepEqual(changed(before, after), expected));
});
