import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { configMap } from './fluxCluster.ts';
import { nextEvent, sharedFleet } from './sharedFleet.ts';
import { openDefinition } from './openDefinition.ts';

const fleet = await sharedFleet();
const { flux, namespace } = fleet;
await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'blue' }) });
await fleet.publish();
const apps = await fleet.kustomization('apps');
const settings = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };

/** Why the engine went to observe by itself. */
function endOfLocal(engine: Engine): Promise<string> {
  return nextEvent(engine, (event) =>
    event.type === 'modeChanged' && event.cluster.mode === 'observe' ? event.why : undefined,
  );
}

async function mode(engine: Engine): Promise<string | undefined> {
  return (await engine.status()).cluster?.mode;
}

test('own runs do not end local mode, and a user’s annotation does not', async () => {
  const engine = await fleet.engine({ schedule: 'continuous' });
  await engine.setMode('local');
  for (let turn = 0; turn < 3; turn++) assert.equal((await engine.reconcile(apps, false)).ready, true);
  const annotation = { metadata: { annotations: { note: 'by hand' } } };
  await flux.client.patch(apps, annotation, { type: 'merge', fieldManager: 'kubectl' });
  const status = { status: { lastAppliedOriginRevision: 'main@sha1:0' } };
  await flux.client.patch(apps, status, {
    type: 'merge',
    fieldManager: 'kubectl-edit',
    subresource: 'status',
  });
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  assert.equal(await mode(engine), 'local');
  await engine.setMode('observe');
});

test('a real controller without leader election ends local mode, is named, and nothing more is written', async () => {
  const engine = await fleet.engine({ schedule: 'continuous' });
  await engine.setMode('local');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  const ended = endOfLocal(engine);
  const controller = await fleet.startController(['--enable-leader-election=false']);
  const why = await ended;
  assert.match(why, /^gotk-kustomize-controller wrote the status of Kustomization\/fleet-\w+\/apps at 20/);
  await controller.stop();
  assert.equal(await mode(engine), 'observe');
  const before = (await flux.get(apps)).metadata.resourceVersion;
  await assert.rejects(engine.reconcile(apps, false), (error) => isPlumbError(error, 'ModeForbids'));
  assert.equal((await flux.get(apps)).metadata.resourceVersion, before);
});

test('a run under way when local mode ends is outdated, and writes not even its own end', async () => {
  const engine = await fleet.engine();
  await engine.setMode('local');
  const slow = await fleet.kustomization('slow', {
    path: './apps',
    timeout: '5m',
    healthChecks: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', namespace }],
  });
  const ended = engine.reconcile(slow, false).then(
    () => undefined,
    (error: unknown) => error,
  );
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/slow`;
  await flux.sandbox.waitFor(path, (object) => JSON.stringify(object).includes('Running health checks'));
  const status = { lastHandledReconcileAt: 'somebody else' };
  const foreign = await flux.client.patch(
    slow,
    { status },
    { type: 'merge', fieldManager: 'gotk-kustomize-controller', subresource: 'status' },
  );
  assert.ok(foreign.type === 'ok');
  const error = await ended;
  assert.ok(isPlumbError(error, 'PlanOutdated'), String(error));
  assert.match(error.message, /gotk-kustomize-controller wrote/);
  const { resourceVersion, managedFields } = (await flux.get(slow)).metadata;
  assert.deepEqual(
    [resourceVersion, managedFields],
    [foreign.value.metadata.resourceVersion, foreign.value.metadata['managedFields']],
  );
  assert.equal(await mode(engine), 'observe');
  await flux.client.delete(slow);
});

test('two windows and a CLI: the first reconciles, the others stay in observe and ask it by annotation', async () => {
  const first = await fleet.engine({ schedule: 'continuous' });
  await first.setMode('local');
  const [second, third] = [await fleet.engine({ schedule: 'continuous' }), await fleet.engine()];
  for (const other of [second, third]) {
    await assert.rejects(
      other.setMode('local'),
      (error) => isPlumbError(error, 'ModeForbids') && /plumb_/.test(error.message),
    );
    assert.equal((await other.status()).cluster?.reconciler, 'otherPlumb');
    await flux.client.delete(settings);
    const run = await other.reconcile(apps, false);
    assert.deepEqual([run.ready, run.reason], [true, 'ReconciliationSucceeded']);
    assert.equal(await flux.exists(settings), true);
  }
  assert.equal(await mode(first), 'local');
  await first.setMode('observe');
});

test('the controllers’ own Deployments keep their replicas while Plumb stands in for them', async () => {
  await fleet.write({
    'flux/controllers.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: kustomize-controller
  namespace: flux-system
  labels: {app.kubernetes.io/part-of: flux, app.kubernetes.io/component: kustomize-controller}
spec:
  replicas: 1
  selector: {matchLabels: {app: kustomize-controller}}
  template:
    metadata: {labels: {app: kustomize-controller, app.kubernetes.io/part-of: flux}}
    spec: {containers: [{name: manager, image: registry.example/kustomize-controller:v1.9.4, args: [--enable-leader-election]}]}
`,
  });
  await fleet.publish();
  const ref = await fleet.kustomization('flux');
  await flux.client.patch(ref, { spec: { targetNamespace: null } }, { type: 'merge', fieldManager: 'test' });
  const engine = await fleet.engine();
  await engine.setMode('local');
  const created = await engine.reconcile(ref, false);
  assert.equal(created.ready, true, created.message);
  const deployment = {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    namespace: 'flux-system',
    name: 'kustomize-controller',
  };
  await flux.client.patch(
    deployment,
    { spec: { replicas: 0 } },
    { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' },
  );
  const run = await engine.reconcile(ref, false);
  assert.deepEqual(
    run.changeSet.map(({ action }) => action),
    ['unchanged'],
  );
  const { spec } = await flux.get<{ readonly spec: { readonly replicas: number } }>(deployment);
  assert.equal(spec.replicas, 0);
  const plan = await engine.plan(ref, 'source');
  assert.ok(
    plan.warnings.some((text) => /handed over/.test(text)),
    plan.warnings.join('; '),
  );
  await flux.client.delete(ref);
  await engine.reconcile(ref, false);
  assert.equal((await flux.get<Kustomization>(apps)).status?.conditions?.[0]?.status, 'True');
  await engine.setMode('observe');
});

test('a FluxInstance whose operator runs the controllers must be paused first', async () => {
  const group = 'fluxcd.controlplane.io';
  await flux.apply(openDefinition(group, 'FluxInstance'));
  await flux.sandbox.waitFor(`/apis/${group}/v1/fluxinstances`, () => true);
  const instance = (annotations: Readonly<Record<string, string>>) => ({
    apiVersion: `${group}/v1`,
    kind: 'FluxInstance',
    metadata: { name: 'flux', namespace: 'flux-system', annotations },
    spec: {},
  });
  await flux.apply(instance({}));
  const engine = await fleet.engine();
  await assert.rejects(
    engine.setMode('local'),
    (error) =>
      isPlumbError(error, 'ModeForbids') &&
      /^FluxInstance\/flux-system\/flux: .*not paused/.test(error.message) &&
      /reconcile: disabled/.test(error.hint ?? ''),
  );
  assert.equal(await mode(engine), 'observe');
  await flux.apply(instance({ 'fluxcd.controlplane.io/reconcile': 'disabled' }));
  await engine.setMode('local');
  assert.equal(await mode(engine), 'local');
  await engine.setMode('observe');
});

test('an override in local mode takes the folder and leaves conditions alone; it ends with local mode', async () => {
  await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'red' }) });
  const engine = await fleet.engine();
  await engine.setMode('local');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  const { status, metadata } = await flux.get<Kustomization>(apps);
  await engine.startOverride((await engine.planOverride(apps)).id, 'object');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  const color = async (): Promise<unknown> => (await flux.get(settings))['data'];
  assert.deepEqual(await color(), { color: 'red' });
  const overridden = await flux.get<Kustomization>(apps);
  assert.deepEqual(overridden.status, status);
  assert.equal(overridden.metadata.generation, metadata.generation);
  await engine.endOverride(apps);
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  assert.deepEqual(await color(), { color: 'blue' });
  await engine.setMode('observe');
});

test('a suspended Kustomization runs once under an override in local mode, and stays suspended', async () => {
  await fleet.write({ 'apps/more.yaml': configMap('more', { color: 'grey' }) });
  const more = { ...settings, name: 'more' };
  const engine = await fleet.engine();
  await engine.setMode('local');
  await engine.suspend(apps, 'frozen');
  const refused = await engine.reconcile(apps, false);
  assert.deepEqual([refused.ready, refused.reason], [false, 'Suspended']);
  const { id, suspendedBy } = await engine.planOverride(apps);
  assert.equal(suspendedBy?.reason, 'frozen');
  await engine.startOverride(id, 'object');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  await engine.endOverride(apps);
  assert.deepEqual((await flux.get(more))['data'], { color: 'grey' });
  // The inventory was written, and was known for our own: local mode goes on.
  assert.match(JSON.stringify(inventoryOf(await flux.get<Kustomization>(apps))), /"more"/);
  assert.equal(await mode(engine), 'local');
  const { spec, metadata } = await flux.get<Kustomization>(apps);
  assert.deepEqual([spec.suspend, metadata.annotations?.['plumb.dev/suspend-reason']], [true, 'frozen']);
  await engine.resume(apps);
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  assert.equal(await flux.exists(more), false);
  await engine.setMode('observe');
  await rm(join(fleet.clone, 'apps/more.yaml'));
});

test('an engine that is bound to another cluster shows this one and writes nothing to it', async () => {
  const engine = await fleet.engine({ clusterUid: 'of a cluster that was recreated' });
  assert.equal((await engine.tree()).workloads.length > 0, true);
  const before = (await flux.get(apps)).metadata.resourceVersion;
  const plan = await engine.plan(apps, 'source');
  const isRefused = (error: unknown): boolean =>
    isPlumbError(error, 'ModeForbids') && /another cluster than the one/.test(error.message);
  await assert.rejects(engine.setMode('local'), isRefused);
  await assert.rejects(engine.apply(plan.id), isRefused);
  await assert.rejects(engine.suspend(apps, undefined), isRefused);
  await assert.rejects(engine.resume(apps), isRefused);
  await assert.rejects(
    engine.planInstall({ namespace: 'flux-system', force: true, timeoutMs: 60_000 }),
    isRefused,
  );
  assert.equal((await flux.get(apps)).metadata.resourceVersion, before);
  const { uid } = (await engine.status()).cluster ?? {};
  const bound = await fleet.engine({ ...(uid !== undefined && { clusterUid: uid }) });
  assert.equal((await bound.setMode('local')).cluster?.mode, 'local');
  await bound.setMode('observe');
});
