import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectRef } from '../../kube/object.ts';
import type { BootstrapPlan, BootstrapResult, UninstallPlan } from '../../protocol/bootstrap.ts';
import {
  approvalText,
  bootstrapPlanPage,
  bootstrapResultPage,
  checkPage,
  stepText,
  uninstallConfirmation,
  uninstallPlanPage,
  uninstallResultPage,
} from './setupText.ts';

const sync: ObjectRef = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'flux-system',
};
const secret: ObjectRef = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  namespace: 'flux-system',
  name: 'flux-system',
};
const plan: BootstrapPlan = {
  id: '1',
  cluster: 'dev',
  url: 'ssh://git@example.com/fleet.git',
  branch: 'main',
  folder: 'clusters/dev/flux-system',
  commits: [
    {
      message: 'Add Flux sync manifests\n\n[ci skip]',
      files: [
        { path: 'clusters/dev/flux-system/gotk-components.yaml', action: 'changed', sizeBytes: 129_000 },
        {
          path: 'clusters/dev/flux-system/gotk-sync.yaml',
          action: 'added',
          sizeBytes: 12,
          content: 'kind: List\n',
        },
      ],
    },
  ],
  install: [],
  sync: [
    { ref: sync, action: 'created' },
    { ref: { ...sync, kind: 'GitRepository' }, action: 'unchanged' },
  ],
  secret: { ref: secret, action: 'created', keys: ['identity', 'known_hosts'] },
  deployKey: {
    algorithm: 'ssh-ed25519',
    publicKey: 'ssh-ed25519 AAAA',
    fingerprint: 'SHA256:abc',
    isNew: true,
  },
  hostKeys: [{ type: 'ssh-ed25519', fingerprint: 'SHA256:host' }],
  reconciler: 'plumb',
  isUpToDate: false,
  notes: ['Compare the host keys.'],
};

test('the plan names every file, object, key and note before anything is written', () => {
  const page = bootstrapPlanPage(plan);
  for (const expected of [
    '# Bootstrap dev: the plan',
    'Nothing has been written yet.',
    'main (made by the first push)',
    '- Compare the host keys.',
    '## Deploy key to register',
    'ssh-ed25519 AAAA',
    'Commit "Add Flux sync manifests" and push it:',
    '- clusters/dev/flux-system/gotk-components.yaml (changed, 126 KB)',
    '- clusters/dev/flux-system/gotk-sync.yaml (added, 12 bytes)',
    '- create Kustomization in flux-system: flux-system',
    '- leave 1 object that the cluster has already',
    '- create Secret/flux-system/flux-system with identity, known_hosts',
    '- ssh-ed25519 SHA256:host',
    '```yaml\nkind: List\n```',
  ])
    assert.ok(page.includes(expected), `${expected} is in\n${page}`);
  assert.ok(!page.includes('GitRepository'), 'what stays as it is, is not listed');
});

test('the approval names the cluster and counts what it does', () => {
  assert.deepEqual(approvalText(plan), {
    label: 'The key is registered: bootstrap dev',
    detail: 'Push 1 commit to main, apply 1 object, write the Secret, reconcile from this window',
  });
  const { secret: _secret, deployKey: _key, ...rest } = plan;
  assert.deepEqual(approvalText({ ...rest, commits: [], sync: [], isUpToDate: true, reconciler: 'flux' }), {
    label: 'Reconcile dev',
    detail: 'Reconcile',
  });
});

test('the result tells what was pushed and applied, and what comes next', () => {
  const result: BootstrapResult = {
    planId: '1',
    commits: [{ message: 'Add Flux sync manifests', hash: '0123456789abcdef' }],
    revision: 'main@sha1:0123456789abcdef0123456789abcdef01234567',
    run: {
      ref: sync,
      ready: true,
      reason: 'ReconciliationSucceeded',
      message: '',
      changeSet: [{ ref: sync, action: 'created' }],
      elapsedMs: 5,
    },
    nextSteps: ['Commit manifests.'],
  };
  const page = bootstrapResultPage(plan, result);
  for (const expected of [
    '# Bootstrap dev: done',
    'main@0123456',
    'ReconciliationSucceeded, 1 object changed',
    '- 0123456 Add Flux sync manifests',
    '- Commit manifests.',
  ])
    assert.ok(page.includes(expected), `${expected} is in\n${page}`);
  const again = bootstrapResultPage(plan, { ...result, commits: [] });
  assert.match(again, /None: the repository was up to date/);
});

test('a step is told with what came of it', () => {
  const step = { type: 'bootstrapProgress', planId: '1', step: 'components' } as const;
  assert.equal(stepText({ ...step, state: 'started', message: '' }), 'component manifests');
  assert.equal(
    stepText({ ...step, state: 'done', message: 'pushed 012' }),
    'component manifests: pushed 012',
  );
});

test('a check is told by groups, with what to do about a failure', () => {
  const page = checkPage({
    cluster: 'dev',
    mode: 'observe',
    passed: false,
    items: [
      { group: 'prerequisites', state: 'passed', message: 'Kubernetes 1.36' },
      { group: 'definitions', state: 'failed', message: 'GitRepository is missing', hint: 'install Flux' },
    ],
  });
  assert.match(page, /^# Check of dev: failed\n/);
  assert.match(page, /## Prerequisites\n\n- ✔ Kubernetes 1\.36/);
  assert.match(page, /## Definitions\n\n- ✗ GitRepository is missing\n {2}→ install Flux/);
});

test('an uninstall shows what goes and what stays, and asks with the cluster’s name', () => {
  const uninstall: UninstallPlan = {
    id: '1',
    cluster: 'dev',
    deletions: [{ group: '', version: 'v1', kind: 'Namespace', name: 'flux-system' }],
    fluxObjects: [sync],
    orphans: [{ owner: sync, objects: 3 }],
    notes: ['Another installation stays.'],
  };
  const page = uninstallPlanPage(uninstall);
  assert.match(page, /## Deleted\n\n- Namespace: flux-system/);
  assert.match(page, /- 3 objects of Kustomization\/flux-system\/flux-system/);
  const confirmation = uninstallConfirmation(uninstall);
  assert.equal(confirmation?.message, 'Uninstall Flux from the cluster dev?');
  assert.match(confirmation?.detail ?? '', /2 objects are deleted.*\n3 objects of your workloads stay/);
  assert.equal(uninstallConfirmation({ ...uninstall, deletions: [], fluxObjects: [] }), undefined);
  const failed = uninstallResultPage('dev', {
    planId: '1',
    deleted: [],
    failures: [{ ref: sync, message: 'no' }],
  });
  assert.match(failed, /not complete[^]*Kustomization\/flux-system\/flux-system: no/);
});
