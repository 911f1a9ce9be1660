import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kustomization, KustomizationSpec } from './api/kustomize.gen.ts';
import { addToHistory } from './history.ts';
import { inventoryOf, retryIntervalOf, sourceOf, timeoutOf } from './kustomization.ts';
import { dependenciesOf } from './references.ts';

function kustomization(spec: Partial<KustomizationSpec>): Kustomization {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' }, ...spec },
  };
}

test('the timeout is 30 s less than the interval, and never under 30 s', () => {
  assert.equal(timeoutOf(kustomization({})), 570_000);
  assert.equal(timeoutOf(kustomization({ interval: '45s' })), 30_000);
  assert.equal(timeoutOf(kustomization({ timeout: '2m' })), 120_000);
  assert.equal(timeoutOf(kustomization({ timeout: '5s' })), 30_000);
});

test('a failed run is tried again after retryInterval, else after the interval', () => {
  assert.equal(retryIntervalOf(kustomization({})), 600_000);
  assert.equal(retryIntervalOf(kustomization({ retryInterval: '1m30s' })), 90_000);
});

test('a duration that is none is refused with the field', () => {
  assert.throws(
    () => timeoutOf(kustomization({ timeout: '5 minutes' })),
    /spec\.timeout: "5 minutes" is not a duration/,
  );
});

test('source and dependencies are in the own namespace unless they name one', () => {
  assert.deepEqual(sourceOf(kustomization({})), {
    group: 'source.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'GitRepository',
    namespace: 'flux-system',
    name: 'fleet',
  });
  const refs = dependenciesOf(
    kustomization({ dependsOn: [{ name: 'infra' }, { name: 'crds', namespace: 'base', readyExpr: 'true' }] }),
  );
  assert.deepEqual(
    refs.map(({ ref, readyExpr }) => `${ref.namespace}/${ref.name} ${readyExpr}`),
    ['flux-system/infra undefined', 'base/crds true'],
  );
});

test('the inventory is read from the status', () => {
  assert.deepEqual(inventoryOf(kustomization({})), []);
  const status = { inventory: { entries: [{ id: 'web_app_apps_Deployment', v: 'v1' }] } };
  assert.equal(inventoryOf({ ...kustomization({}), status })[0]?.name, 'app');
});

test('history counts equal runs up, keeps five and moves the newest to the front', () => {
  const run = (digest: string, status: string, now: number): Parameters<typeof addToHistory>[1] => ({
    digest,
    status,
    now,
    duration: 1500,
    metadata: { revision: `main@sha1:${digest}` },
  });
  let history = addToHistory([], run('a', 'ReconciliationSucceeded', 0));
  history = addToHistory(history, run('b', 'ReconciliationSucceeded', 60_000));
  history = addToHistory(history, run('a', 'ReconciliationSucceeded', 120_000));
  assert.deepEqual(history[0], {
    digest: 'a',
    firstReconciled: '1970-01-01T00:00:00Z',
    lastReconciled: '1970-01-01T00:02:00Z',
    lastReconciledDuration: '1.5s',
    lastReconciledStatus: 'ReconciliationSucceeded',
    totalReconciliations: 2,
    metadata: { revision: 'main@sha1:a' },
  });
  for (const digest of ['c', 'd', 'e', 'f']) history = addToHistory(history, run(digest, 'X', 0));
  assert.deepEqual(
    history.map((item) => item.digest),
    ['f', 'e', 'd', 'c', 'a'],
  );
});
