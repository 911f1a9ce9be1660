import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../src/kube/object.ts';
import { conditionTexts, configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { openDefinition } from './openDefinition.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'apply');

function manifest(name: string, data: Readonly<Record<string, string>>, extra = ''): string {
  return inNamespace(fleet.namespace, configMap(name, data, extra));
}

test('a first run applies, records and reports as kustomize-controller does', async () => {
  const revision = await fleet.commit({
    'first/a.yaml': manifest('a', { key: '1' }),
    'first/b.yaml': manifest('b', {}),
  });
  const ref = await fleet.kustomization('first');
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded');
  assert.deepEqual(outcome.next, { type: 'after', delay: 600_000 });

  const live = await flux.get(fleet.ref('ConfigMap', 'a'));
  assert.deepEqual(live['data'], { key: '1' });
  assert.deepEqual(live.metadata.labels, {
    'kustomize.toolkit.fluxcd.io/name': 'first',
    'kustomize.toolkit.fluxcd.io/namespace': fleet.namespace,
  });
  const managers = live.metadata['managedFields'] as { manager: string; operation: string }[];
  assert.deepEqual(
    managers.map(({ manager, operation }) => `${manager} ${operation}`),
    ['kustomize-controller Apply'],
  );

  const object = await fleet.read(ref);
  assert.deepEqual(conditionTexts(object), [
    `Ready=True ReconciliationSucceeded: Applied revision: ${revision}`,
  ]);
  assert.deepEqual(object.metadata.finalizers, ['finalizers.fluxcd.io']);
  assert.equal(object.status?.observedGeneration, object.metadata.generation);
  assert.equal(object.status?.lastAppliedRevision, revision);
  assert.equal(object.status?.lastAttemptedRevision, revision);
  assert.deepEqual(object.status?.inventory?.entries, [
    { id: `${fleet.namespace}_a__ConfigMap`, v: 'v1' },
    { id: `${fleet.namespace}_b__ConfigMap`, v: 'v1' },
  ]);
  assert.equal(object.status?.history?.length, 1);
  assert.equal(object.status?.history?.[0]?.lastReconciledStatus, 'ReconciliationSucceeded');
  assert.deepEqual(object.status?.history?.[0]?.metadata, { revision });
  const statusManagers = (object.metadata['managedFields'] as { manager: string; subresource?: string }[])
    .filter(({ subresource }) => subresource === 'status')
    .map(({ manager }) => manager);
  assert.deepEqual(statusManagers, ['gotk-kustomize-controller']);
});

test('its events are upstream’s, with the revision', async () => {
  const revision = await fleet.commit({ 'events/a.yaml': manifest('events-a', { key: '1' }) });
  const ref = await fleet.kustomization('events');
  const from = flux.events.length;
  await fleet.run(ref);
  const events = flux.events.slice(from);
  assert.deepEqual(
    events.map(
      ({ severity, reason, message }) =>
        `${severity} ${reason} ${message.replace(/ in .*s, next/, ' in …, next')}`,
    ),
    [
      `info Progressing ConfigMap/${fleet.namespace}/events-a created`,
      'info ReconciliationSucceeded Reconciliation finished in …, next run in 10m0s',
    ],
  );
  assert.equal(events[0]?.metadata['kustomize.toolkit.fluxcd.io/revision'], revision);
  assert.equal(events[1]?.metadata['kustomize.toolkit.fluxcd.io/commit_status'], 'update');
  assert.equal(events[1]?.component, 'kustomize-controller');
});

test('a second run writes no object and only counts its history up', async () => {
  await fleet.commit({ 'quiet/a.yaml': manifest('quiet', { key: '1' }) });
  const ref = await fleet.kustomization('quiet');
  await fleet.run(ref);
  const before = await flux.get(fleet.ref('ConfigMap', 'quiet'));
  const outcome = await fleet.run(ref);
  const after = await flux.get(fleet.ref('ConfigMap', 'quiet'));
  assert.deepEqual(
    outcome.changeSet.map(({ action }) => action),
    ['unchanged'],
  );
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
  assert.equal((await fleet.read(ref)).status?.history?.[0]?.totalReconciliations, 2);
});

test('a change by hand is undone, one by another manager on other fields stays', async () => {
  await fleet.commit({ 'drift/a.yaml': manifest('drift', { key: '1' }) });
  const ref = await fleet.kustomization('drift');
  await fleet.run(ref);
  const target = fleet.ref('ConfigMap', 'drift');
  for (const [fieldManager, data] of [
    ['kubectl-edit', { key: '2', added: 'x' }],
    ['operator', { theirs: 'y' }],
  ] as const)
    await flux.client.patch(target, { data }, { type: 'merge', fieldManager });
  const outcome = await fleet.run(ref);
  assert.deepEqual(
    outcome.changeSet.map(({ action }) => action),
    ['configured'],
  );
  assert.deepEqual((await flux.get(target))['data'], { key: '1', theirs: 'y' });
});

test('an object that asks for it is skipped, and stays in the inventory', async () => {
  const annotation = '  annotations:\n    kustomize.toolkit.fluxcd.io/ssa: ignore\n';
  await fleet.commit({
    'skip/a.yaml': manifest('skipped', { key: '1' }, annotation),
    'skip/b.yaml': manifest('taken', { key: '1' }),
  });
  const ref = await fleet.kustomization('skip', { wait: true });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded');
  assert.deepEqual(
    outcome.changeSet.map(({ ref: { name }, action }) => `${name} ${action}`),
    ['skipped skipped', 'taken created'],
  );
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'skipped')), false);
  assert.equal((await fleet.read(ref)).status?.inventory?.entries.length, 2);
});

test('a refused object fails the run with the server’s words, and what was written before is recorded', async () => {
  const broken = inNamespace(
    fleet.namespace,
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: broken\nspec:\n  ports:\n  - port: 99999\n',
  );
  const revision = await fleet.commit({
    'broken/a.yaml': manifest('before', { key: '1' }),
    'broken/b.yaml': broken,
  });
  const ref = await fleet.kustomization('broken', { retryInterval: '2m' });
  const from = flux.events.length;
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'failed');
  assert.deepEqual(outcome.next, { type: 'after', delay: 120_000 });
  const object = await fleet.read(ref);
  const texts = conditionTexts(object);
  assert.match(texts[0] ?? '', /^Reconciling=True ProgressingWithRetry: Detecting drift for revision /);
  assert.match(
    texts[1] ?? '',
    new RegExp(
      `^Ready=False ReconciliationFailed: Service/${fleet.namespace}/broken dry-run failed \\(Invalid\\): `,
    ),
  );
  assert.equal(object.status?.lastAttemptedRevision, revision);
  assert.equal(object.status?.lastAppliedRevision, undefined);
  assert.notEqual(object.status?.observedGeneration, object.metadata.generation);
  assert.equal(object.status?.history?.[0]?.lastReconciledStatus, 'ReconciliationFailed');
  const event = flux.events.slice(from).at(-1);
  assert.equal(`${event?.severity} ${event?.reason}`, 'error ReconciliationFailed');
});

test('an object created before a later one failed is in the inventory', async () => {
  const quota =
    'apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: none\nspec:\n  hard:\n    count/secrets: "0"\n';
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: late\nstringData:\n  a: b\n';
  await fleet.commit({
    'partial/a.yaml': manifest('early', { key: '1' }),
    'partial/b.yaml': inNamespace(fleet.namespace, quota),
    'partial/c.yaml': inNamespace(fleet.namespace, secret),
  });
  const ref = await fleet.kustomization('partial');
  const outcome = await fleet.run(ref);
  if (outcome.result === 'failed') {
    const ids = (await fleet.read(ref)).status?.inventory?.entries.map(({ id }) => id) ?? [];
    for (const { ref: written, action } of outcome.changeSet)
      if (action === 'created')
        assert.ok(
          ids.some((id) => id.includes(`_${written.name}_`)),
          `${written.name} in ${ids.join()}`,
        );
  }
  await flux.client.delete(fleet.ref('ResourceQuota', 'none'));
});

test('namespaces and definitions come before what needs them', async () => {
  const other = `${fleet.namespace}-inner`;
  const crd = openDefinition(`${fleet.namespace}.example`, 'Widget');
  const widget = `apiVersion: ${fleet.namespace}.example/v1\nkind: Widget\nmetadata:\n  name: w\n  namespace: ${other}\nspec:\n  size: 1\n`;
  await fleet.commit({
    'stages/a.yaml': widget,
    'stages/b.yaml': JSON.stringify(crd),
    'stages/c.yaml': `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${other}\n`,
  });
  const ref = await fleet.kustomization('stages');
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.deepEqual(
    outcome.changeSet.map(({ ref: { kind } }) => kind),
    ['CustomResourceDefinition', 'Namespace', 'Widget'],
  );
  const live: KubeObject = await flux.get({
    group: `${fleet.namespace}.example`,
    version: 'v1',
    kind: 'Widget',
    namespace: other,
    name: 'w',
  });
  assert.deepEqual(live['spec'], { size: 1 });
  await flux.client.delete(ref);
  assert.equal((await fleet.run(ref)).result, 'deleted');
});
