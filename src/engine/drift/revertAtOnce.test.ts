import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../base/logger.ts';
import type { ObjectRef } from '../../kube/object.ts';
import { manualClock } from '../../../test/tools/manualClock.ts';
import type { WorkloadPlan } from '../plans/planWorkload.ts';
import { RevertAtOnce } from './revertAtOnce.ts';

const apps: ObjectRef = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'apps',
};
const web: ObjectRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const owners = [
  { manager: 'kustomize-controller', operation: 'Apply', time: '2026-01-01T10:05:00Z' },
  { manager: 'autoscaler', operation: 'Update', time: '2026-01-01T10:04:00Z' },
];

function planned(isDrifted: boolean, applied = 'main@sha1:1'): WorkloadPlan {
  return {
    kustomization: { status: { lastAppliedRevision: applied } },
    artifact: { revision: 'main@sha1:1' },
    plan: {
      changes: [
        { ref: web, action: isDrifted ? 'configured' : 'unchanged', fields: [{ cause: 'drifted', owners }] },
      ],
    },
  } as unknown as WorkloadPlan;
}

function setUp(applied?: string) {
  const clock = manualClock(0);
  const reverted: number[] = [];
  const stopped: string[] = [];
  let isDrifted = false;
  const reverter = new RevertAtOnce({
    clock,
    log: silentLogger,
    plan: () => Promise.resolve(planned(isDrifted, applied)),
    reconcile: () => {
      reverted.push(clock.now());
      isDrifted = false;
      return Promise.resolve();
    },
    onStopped: (ref, object, manager) => stopped.push(`${ref.name} ${object.name} ${manager}`),
  });
  const drift = async (): Promise<void> => {
    isDrifted = true;
    reverter.changed();
    await clock.advance(0);
  };
  return { clock, reverter, reverted, stopped, drift };
}

test('drift is reverted when it is seen, then once a minute, then it stops and names who else writes', async () => {
  const { clock, reverter, reverted, stopped, drift } = setUp();
  reverter.start(apps);
  await clock.advance(0);
  await drift();
  assert.deepEqual(reverted, [0]);
  for (let turn = 0; turn < 2; turn++) {
    await clock.advance(10_000);
    await drift();
    await clock.advance(60_000);
  }
  assert.deepEqual(reverted, [0, 60_000, 120_000]);
  await drift();
  assert.deepEqual(stopped, ['apps web autoscaler']);
  assert.equal(reverter.isOn(apps), false);
  await drift();
  assert.equal(reverted.length, 3);
});

test('what is new in Git is not drift, and nothing is reverted after the end', async () => {
  const edited = setUp('main@sha1:0');
  edited.reverter.start(apps);
  await edited.drift();
  assert.deepEqual(edited.reverted, []);
  const closed = setUp();
  closed.reverter.start(apps);
  await closed.clock.advance(0);
  closed.reverter.close();
  await closed.drift();
  assert.deepEqual(closed.reverted, []);
});
