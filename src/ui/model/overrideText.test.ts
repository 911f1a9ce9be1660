import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OverridePlan } from '../../protocol/views.ts';
import { overrideConfirmation } from './overrideText.ts';

const plan: OverridePlan = {
  id: '1',
  ref: {
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name: 'apps',
  },
  cluster: 'staging',
  folder: '/home/me/fleet',
  descendants: [],
  warnings: ['the folder is on branch fix, the source on main'],
};

test('the question names cluster, object and folder, and tells every warning', () => {
  const { message, detail, button, withDescendants } = overrideConfirmation(plan);
  assert.equal(
    message,
    'Apply /home/me/fleet as Kustomization/flux-system/apps in staging, in place of its controller?',
  );
  assert.match(detail, /The folder is on branch fix, the source on main\./);
  assert.deepEqual([button, withDescendants], ['Override', undefined]);
});

test('a suspend of somebody else is named in the text and on the button', () => {
  const suspendedBy = { manager: 'kubectl-patch', time: '2026-01-01T10:00:00Z', reason: 'migration' };
  const { detail, button } = overrideConfirmation({ ...plan, suspendedBy });
  assert.match(detail, /^It was suspended by kubectl-patch since 2026-01-01T10:00:00Z: migration\./);
  assert.equal(button, 'Override Despite kubectl-patch');
});

test('what is below is named, with whoever suspended it, and a second button takes it along', () => {
  const below = ['web', 'jobs'].map((name) => ({ ref: { ...plan.ref, name } }));
  const descendants = [...below, { ref: { ...plan.ref, name: 'db' }, suspendedBy: { manager: 'flux' } }];
  const { detail, button, withDescendants } = overrideConfirmation({ ...plan, descendants });
  assert.match(detail, /Below it: Kustomization\/flux-system\/web, Kustomization\/flux-system\/jobs, /);
  assert.match(detail, /Kustomization\/flux-system\/db was suspended by flux\./);
  assert.deepEqual([button, withDescendants], ['Override', 'Override With 3 Below']);
});
