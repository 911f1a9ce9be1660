import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeView, FieldChangeView, PlanView } from '../../protocol/views.ts';
import { styleFor } from '../terminal.ts';
import { ageText, hasDifferences, planText, pruneText, refusedChanges } from './planText.ts';
import { shortRevision } from './treeText.ts';

const plain = styleFor(false);
const location = {
  folder: '/fleet',
  path: 'apps/dev/web.yaml',
  range: { start: { line: 6, character: 2 }, end: { line: 6, character: 13 } },
};
const web = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };

const change: ChangeView = {
  ref: web,
  action: 'configured',
  verified: true,
  approximate: false,
  location,
  fields: [
    {
      pointer: '/spec/replicas',
      desired: 3,
      live: 5,
      cause: 'drifted',
      owners: [
        { manager: 'kubectl', operation: 'Update', subresource: 'scale', time: '2026-01-01T00:00:00Z' },
      ],
      location,
    },
    { pointer: '/metadata/labels/extra', live: 'x', cause: 'drifted', owners: [] },
  ],
};

const plan: PlanView = {
  id: '1',
  ref: {
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name: 'apps',
  },
  cluster: 'dev',
  revision: 'main@sha1:0',
  identity: 'kustomize-controller',
  changes: [change],
  stale: [{ ref: { ...web, name: 'old' }, action: 'deleted', consequences: ['2 pods'] }],
  diagnostics: [],
  warnings: [],
  notes: [],
};

test('a plan names field, both values, cause, manager with its age, and the line that set it', () => {
  const text = planText(plan, plain, Date.parse('2026-01-01T00:04:00Z'));
  assert.equal(
    text,
    [
      'Kustomization/flux-system/apps at main@sha1:0 → dev as kustomize-controller',
      '~ Deployment/shop/web configured  apps/dev/web.yaml:7',
      '    /spec/replicas  5 → 3  drifted · kubectl (scale), 4 min ago · apps/dev/web.yaml:7',
      '    /metadata/labels/extra  x will be removed  drifted',
      '- Deployment/shop/old will be deleted',
      '    and with it: 2 pods',
      '1 to change, 1 to prune, 0 unchanged',
      '',
    ].join('\n'),
  );
});

test('a text of several lines is shown line by line', () => {
  const field: FieldChangeView = {
    pointer: '/data/app.conf',
    live: 'one\ntwo\nthree\n',
    desired: 'one\n2\nthree\n',
    cause: 'edited',
    owners: [],
  };
  const text = planText({ ...plan, stale: [], changes: [{ ...change, fields: [field] }] }, plain, 0);
  assert.match(
    text,
    /\n {4}\/data\/app\.conf {2}differs {2}edited\n {7}one\n {6}-two\n {6}\+2\n {7}three\n1 to change/,
  );
});

test('unchanged and skipped objects are no difference, unverified ones are', () => {
  const only = (part: Partial<ChangeView>): PlanView => ({
    ...plan,
    stale: [],
    changes: [{ ...change, ...part }],
  });
  assert.equal(hasDifferences(only({ action: 'unchanged', fields: [] })), false);
  assert.equal(hasDifferences(only({ action: 'skipped' })), false);
  assert.equal(hasDifferences(only({ action: 'unchanged', verified: false })), true);
  assert.equal(hasDifferences({ ...plan, changes: [] }), true);
  assert.equal(
    pruneText({ ...plan, stale: [] }, plain),
    'Kustomization/flux-system/apps: nothing to prune\n',
  );
});

test('ages and revisions are short', () => {
  assert.deepEqual([59_000, 61_000, 7_200_000, 200_000_000].map(ageText), [
    '59 s ago',
    '1 min ago',
    '2 h ago',
    '2 d ago',
  ]);
  assert.equal(shortRevision('main@sha1:0123456789abcdef0123456789abcdef01234567'), 'main@sha1:01234567');
});

test('a refused object is no difference but an error, one of a later stage and an approximate one are none', () => {
  const refused: ChangeView = { ...change, message: 'denied by policy', fields: [] };
  const later: ChangeView = { ...refused, verified: false };
  const guessed: ChangeView = { ...refused, approximate: true };
  assert.deepEqual(refusedChanges({ ...plan, changes: [refused, later, guessed] }), [refused]);
  const text = planText({ ...plan, changes: [refused] }, plain, 0);
  assert.match(text, /✗ Deployment\/shop\/web refused {2}apps\/dev\/web\.yaml:7\n {4}denied by policy\n/);
  assert.match(text, /1 refused/);
});
