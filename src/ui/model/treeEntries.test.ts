import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refKey } from '../../kube/object.ts';
import type { FluxNode, StatusView, SyncState } from '../../protocol/views.ts';
import { troubleBadge } from './badge.ts';
import { statusText } from './statusText.ts';
import { sourceEntries, stateIcon, workloadEntries } from './treeEntries.ts';

const group = 'kustomize.toolkit.fluxcd.io';
const apps: FluxNode = {
  ref: { group, version: 'v1', kind: 'Kustomization', namespace: 'flux-system', name: 'apps' },
  presence: 'both',
  state: 'ready',
  revision: 'main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
  suspended: false,
  dependsOn: [],
  inventory: [],
};
const web = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };

const noWarnings = new Map<string, readonly string[]>();

describe('rows of the Workloads view', () => {
  const description = (node: Partial<FluxNode>): string | undefined =>
    workloadEntries([{ ...apps, ...node }], noWarnings)[0]?.description;

  const cases: readonly (readonly [Partial<FluxNode>, string])[] = [
    [{}, 'main@1a2b3c4'],
    [{ state: 'drifted', driftedObjects: 2 }, '2 drifted · main@1a2b3c4'],
    [
      { state: 'suspended', suspended: true, suspendReason: 'migration' },
      'suspended: migration · main@1a2b3c4',
    ],
    [
      { state: 'failed', reason: 'BuildFailed', message: 'no file\nmore' },
      'BuildFailed · no file · main@1a2b3c4',
    ],
    [{ presence: 'onlyInGit', state: 'unknown' }, 'only in Git · main@1a2b3c4'],
    [{ presence: 'onlyInCluster' }, 'only in the cluster · main@1a2b3c4'],
    [{ presence: 'unknown', state: 'unknown' }, 'main@1a2b3c4'],
  ];
  for (const [node, expected] of cases)
    it(`say "${expected}"`, () => assert.equal(description(node), expected));

  it('name kind and namespace only where they differ', () => {
    const release = { ...apps, ref: { ...apps.ref, kind: 'HelmRelease', namespace: 'shop' } };
    assert.deepEqual(
      workloadEntries([apps, release], noWarnings).map((entry) => entry.description),
      ['Kustomization · flux-system · main@1a2b3c4', 'HelmRelease · shop · main@1a2b3c4'],
    );
  });

  it('say that the last run warned, and of what in the tip', () => {
    const warnings = new Map([[refKey(apps.ref), ['decrypted with your own keys']]]);
    const [entry] = workloadEntries([apps], warnings);
    assert.equal(entry?.description, '1 warning · main@1a2b3c4');
    assert.deepEqual(entry.tooltip.at(-1), ['Warning', 'decrypted with your own keys']);
    assert.match(entry.spoken, /1 warning/);
    assert.equal(
      workloadEntries(
        [web].map((ref) => ({ ...apps, ref })),
        warnings,
      )[0]?.description,
      'main@1a2b3c4',
    );
  });

  it('keep the order of the engine and put objects below what applies them', () => {
    const child = { ref: web, presence: 'onlyInCluster', state: 'ready' } as const;
    const drifted = { ref: { ...web, name: 'api' }, presence: 'both', state: 'drifted' } as const;
    const [entry] = workloadEntries([{ ...apps, inventory: [child, drifted] }], noWarnings);
    assert.deepEqual(
      entry?.children.map(({ label, description: text, contextValue }) => [label, text, contextValue]),
      [
        ['Deployment/web', 'shop · only in the cluster', ';object;inCluster;'],
        ['Deployment/api', 'shop', ';object;inCluster;inGit;drifted;'],
      ],
    );
  });

  it('have ids that differ between an object and the same object of another workload', () => {
    const child = { ref: web, presence: 'both', state: 'ready' } as const;
    const other = { ...apps, ref: { ...apps.ref, name: 'other' }, inventory: [child] };
    const ids = workloadEntries([{ ...apps, inventory: [child] }, other], noWarnings).flatMap((entry) => [
      entry.id,
      ...entry.children.map(({ id }) => id),
    ]);
    assert.equal(new Set(ids).size, 4);
  });

  it('tell menus where the object stands and whether it is suspended or overridden', () => {
    const located = { folder: '/w', path: 'a.yaml', range: { start: at(0), end: at(1) } };
    assert.equal(
      workloadEntries([{ ...apps, location: located }], noWarnings)[0]?.contextValue,
      ';workload;inCluster;inGit;located;active;overridable;',
    );
    assert.equal(
      workloadEntries([{ ...apps, suspended: true, overriddenBy: 'me@here' }], noWarnings)[0]?.contextValue,
      ';workload;inCluster;inGit;suspended;overridden;overridable;',
    );
    assert.equal(
      sourceEntries([{ ...apps, presence: 'onlyInGit', suspended: true }], noWarnings)[0]?.contextValue,
      ';source;inGit;suspended;',
    );
  });

  it('say for a screen reader what the icon shows', () => {
    assert.equal(workloadEntries([apps], noWarnings)[0]?.spoken, 'Kustomization, apps, ready, main@1a2b3c4');
  });
});

function at(line: number) {
  return { line, character: 0 };
}

describe('icons', () => {
  it('differ for every state', () => {
    const states: SyncState[] = [
      'failed',
      'drifted',
      'progressing',
      'waiting',
      'suspended',
      'ready',
      'unknown',
    ];
    assert.equal(new Set(states.map((state) => stateIcon(state, 'both').id)).size, states.length);
  });

  it('show where an object stands when its state is not known', () => {
    assert.equal(stateIcon('unknown', 'onlyInGit').id, 'diff-added');
    assert.equal(stateIcon('unknown', 'onlyInCluster').id, 'diff-removed');
    assert.equal(stateIcon('unknown', 'unknown').id, 'circle-outline');
  });
});

describe('the badge', () => {
  it('counts what needs a look', () => {
    const of = (state: SyncState): FluxNode => ({ ...apps, state });
    assert.deepEqual(troubleBadge([of('failed'), of('drifted'), of('ready')]), {
      value: 2,
      tooltip: '1 failed, 1 drifted',
    });
    assert.equal(troubleBadge([of('ready')]), undefined);
  });
});

describe('the status bar', () => {
  const counts = { failed: 0, drifted: 0, progressing: 0, waiting: 0, suspended: 0, ready: 0, unknown: 0 };
  const cluster = {
    context: 'dev',
    server: 'https://127.0.0.1',
    reachable: true,
    mode: 'observe',
    reconciler: 'flux',
  } as const;
  const status: StatusView = { folders: [], cluster, counts, running: [] };
  const { cluster: _, ...withoutCluster } = status;
  const cases: readonly (readonly [string, StatusView])[] = [
    ['$(pass) dev: synced', { ...status, counts: { ...counts, ready: 3 } }],
    ['$(git-compare) dev: 2 drifted', { ...status, counts: { ...counts, drifted: 2, ready: 3 } }],
    ['$(error) dev: 1 failed', { ...status, counts: { ...counts, failed: 1, drifted: 2 } }],
    ['$(watch) dev: progressing', { ...status, counts: { ...counts, waiting: 1, suspended: 1 } }],
    ['$(debug-pause) dev: 1 suspended', { ...status, counts: { ...counts, suspended: 1, ready: 1 } }],
    ['$(sync~spin) dev: applying', { ...status, running: [apps.ref], counts: { ...counts, failed: 1 } }],
    ['$(eye) dev: observe', status],
    ['$(debug-disconnect) dev: unreachable', { ...status, cluster: { ...cluster, reachable: false } }],
    ['$(circle-slash) no cluster', withoutCluster],
  ];
  for (const [expected, view] of cases)
    it(`says ${expected}`, () => assert.equal(statusText({ type: 'running' }, view).text, expected));

  it('says when the engine stopped for good', () => {
    const text = statusText({ type: 'failed', message: 'ended with 7' }, status);
    assert.equal(text.level, 'error');
    assert.deepEqual(text.tooltip, [['Engine', 'ended with 7']]);
  });
});
