import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChangeView, FluxNode, PlanView, StatusView } from '../../protocol/views.ts';
import {
  branchOfHead,
  consentState,
  decideOnSave,
  newConsent,
  workloadsOfFile,
  type SaveConsent,
  type SaveSituation,
} from './reconcileOnSave.ts';

const counts = { failed: 0, drifted: 0, progressing: 0, waiting: 0, suspended: 0, ready: 0, unknown: 0 };
const cluster = {
  context: 'dev',
  server: 'https://127.0.0.1',
  uid: 'uid-1',
  reachable: true,
  mode: 'observe',
  reconciler: 'none',
} as const;
const status: StatusView = { folders: [], cluster, counts, running: [] };
const consent: SaveConsent = { mode: 'apply', clusterUid: 'uid-1', context: 'dev', branch: 'main' };
const situation: SaveSituation = { status, branch: 'main' };

describe('consent to reconcile on save', () => {
  const { cluster: _, ...noCluster } = status;
  const cases: readonly (readonly [string, SaveSituation, string])[] = [
    ['the same cluster, context and branch', situation, 'holds'],
    ['another branch', { status, branch: 'feature' }, 'ended'],
    ['a detached HEAD', { status, branch: undefined }, 'ended'],
    [
      'another context',
      { status: { ...status, cluster: { ...cluster, context: 'prod' } }, branch: 'main' },
      'ended',
    ],
    [
      'a cluster made anew under the same name',
      { status: { ...status, cluster: { ...cluster, uid: 'uid-2' } }, branch: 'main' },
      'ended',
    ],
    ['no cluster', { status: noCluster, branch: 'main' }, 'ended'],
    [
      'a cluster that cannot be reached',
      { status: { ...status, cluster: { ...cluster, reachable: false } }, branch: 'main' },
      'paused',
    ],
    ['an engine that has not answered yet', { status: undefined, branch: 'main' }, 'paused'],
  ];
  for (const [name, at, expected] of cases)
    it(`${expected === 'holds' ? 'holds for' : `is ${expected} by`} ${name}`, () =>
      assert.equal(consentState(consent, at).type, expected));

  it('is not taken for a cluster that cannot be told from others', () => {
    const { uid: _uid, ...nameless } = cluster;
    assert.equal(
      newConsent('apply', { status: { ...status, cluster: nameless }, branch: 'main' }),
      undefined,
    );
    assert.deepEqual(newConsent('apply', situation), consent);
  });
});

const change: ChangeView = {
  ref: { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web' },
  action: 'configured',
  verified: true,
  approximate: false,
  fields: [],
};
const plan: PlanView = {
  id: '1',
  ref: { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', name: 'apps' },
  cluster: 'dev',
  revision: 'main@sha1:1',
  identity: 'kustomize-controller',
  changes: [change],
  stale: [],
  diagnostics: [],
  warnings: [],
  notes: [],
};

describe('what a save does with its plan', () => {
  it('writes creates and changes when the user agreed to that', () => {
    const both = { ...plan, changes: [change, { ...change, action: 'created' } as const] };
    assert.deepEqual(decideOnSave('apply', both), { type: 'apply' });
  });

  it('only shows them in preview mode', () => {
    assert.deepEqual(decideOnSave('preview', plan), { type: 'preview', why: [] });
  });

  it('does nothing where nothing changes', () => {
    const unchanged = { ...plan, changes: [{ ...change, action: 'unchanged' } as const] };
    assert.deepEqual(decideOnSave('apply', unchanged), { type: 'nothing' });
  });

  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  const stops: readonly (readonly [string, Partial<PlanView>, RegExp])[] = [
    [
      'a deletion',
      { stale: [{ ref: change.ref, action: 'deleted', consequences: [] }] },
      /a save deletes nothing/,
    ],
    ['a recreation', { changes: [{ ...change, action: 'recreated' }] }, /would be recreated/],
    ['an unverified object', { changes: [{ ...change, verified: false }] }, /not verified/],
    ['a guess', { changes: [{ ...change, approximate: true }] }, /could not be dry-run/],
    ['a refusal', { changes: [{ ...change, message: 'field is immutable' }] }, /field is immutable/],
    [
      'an error in the files',
      { diagnostics: [{ code: 'yaml-syntax', severity: 'error', message: 'bad', path: 'a.yaml', range }] },
      /a\.yaml: bad/,
    ],
    [
      'something to be warned of',
      { warnings: ['it was suspended by kubectl'] },
      /it was suspended by kubectl/,
    ],
  ];
  for (const [name, part, why] of stops)
    it(`stops at the preview for ${name}`, () => {
      const decision = decideOnSave('apply', { ...plan, ...part });
      assert.equal(decision.type, 'preview');
      assert.match(decision.type === 'preview' ? decision.why.join('\n') : '', why);
    });
});

describe('the workloads of a saved file', () => {
  const node: FluxNode = {
    ref: plan.ref,
    presence: 'both',
    state: 'ready',
    suspended: false,
    dependsOn: [],
    inventory: [],
    path: './apps/dev',
  };
  const location = {
    folder: '/w',
    path: 'apps/base/web/deployment.yaml',
    range: { start: at(0), end: at(1) },
  };
  const drift = { uri: '', version: 1, marks: [], onlyInCluster: [] };

  const cases: readonly (readonly [string, string, FluxNode, boolean])[] = [
    ['below its path', 'apps/dev/web.yaml', node, true],
    ['beside its path', 'apps/development/web.yaml', node, false],
    ['anywhere when the path is the root', 'x/y.yaml', { ...node, path: './' }, true],
    [
      'that defines one of its objects',
      'apps/base/web/deployment.yaml',
      { ...node, inventory: [{ ref: change.ref, presence: 'both', state: 'ready', location }] },
      true,
    ],
    ['elsewhere', 'infra/x.yaml', node, false],
  ];
  for (const [name, path, each, expected] of cases)
    it(`${expected ? 'include' : 'leave out'} one for a file ${name}`, () =>
      assert.equal(workloadsOfFile(path, [each], undefined).length, expected ? 1 : 0));

  it('include one that the file has marks of', () => {
    const onlyInGit = [{ ref: change.ref, workload: plan.ref, range: { start: at(0), end: at(1) } }];
    assert.equal(workloadsOfFile('components/x.yaml', [node], { ...drift, onlyInGit }).length, 1);
  });
});

function at(line: number) {
  return { line, character: 0 };
}

describe('the branch', () => {
  it('is what HEAD names', () => {
    assert.equal(branchOfHead('ref: refs/heads/feature/a\n'), 'feature/a');
    assert.equal(branchOfHead('1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d\n'), undefined);
  });
});
