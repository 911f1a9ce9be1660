import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObjectRef } from '../../kube/object.ts';
import type { DownPlan } from '../../protocol/down.ts';
import { downConfirmation, downPlanPage, downResultPage } from './downText.ts';

const lease: ObjectRef = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  namespace: 'flux-system',
  name: 'kustomize-controller-leader-election',
};
const workload = (name: string): ObjectRef => ({
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name,
});
const plan: DownPlan = {
  id: '1',
  cluster: 'dev',
  leases: [lease],
  overrides: [{ ref: workload('web'), by: 'me@laptop', since: '2026-01-02T03:04:05Z' }],
  finalizers: [workload('apps'), workload('old')],
  vanishing: [{ ref: workload('old'), objects: 3 }],
  notes: ['Workloads stay as they are.'],
};

describe('leaving local mode for good', () => {
  it('shows every object, and those that go apart from those that stay', () => {
    const text = downPlanPage(plan);
    assert.match(text, /Leases given up\n\n- Lease\/flux-system\/kustomize-controller-leader-election\n/);
    assert.match(text, /- Kustomization\/flux-system\/web, by me@laptop since 2026-01-02T03:04:05Z\n/);
    assert.match(text, /and stay\n\n- Kustomization\/flux-system\/apps\n\n/);
    assert.match(
      text,
      /go at once\n\n- Kustomization\/flux-system\/old: 3 objects that it applied stay behind\n/,
    );
    assert.match(text, /- Workloads stay as they are\./);
  });

  it('asks with the name of the cluster, the numbers and what goes', () => {
    const { message, detail } = downConfirmation(plan) ?? { message: '', detail: '' };
    assert.match(message, /the cluster dev for good/);
    assert.match(detail, /1 Lease given up, 1 override ended, 2 finalizers removed/);
    assert.match(
      detail,
      /1 Flux object waiting for deletion goes at once, and 3 objects applied by them stay/,
    );
    assert.match(detail, /Workloads stay as they are\./);
  });

  it('asks nothing where nothing is left to do', () => {
    const done = { ...plan, leases: [], overrides: [], finalizers: [], vanishing: [] };
    assert.equal(downConfirmation(done), undefined);
  });

  it('names what failed and how to go on', () => {
    const result = {
      planId: '1',
      leases: [lease],
      overrides: [],
      finalizers: [workload('apps')],
      failures: [],
    };
    assert.match(
      downResultPage('dev', result),
      /: done\n\n1 Lease given up, 0 overrides ended, 1 finalizer removed/,
    );
    const failures = [{ ref: workload('old'), message: 'Forbidden: no' }];
    const text = downResultPage('dev', { ...result, failures });
    assert.match(
      text,
      /not complete[^]*- Kustomization\/flux-system\/old: Forbidden: no[^]*again once that is solved/,
    );
  });
});
