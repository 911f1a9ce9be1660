import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { configMap, fleetOn, fluxCluster, type Fleet } from './fluxCluster.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

// Leases and finalizers of the whole installation: a cluster of its own.
const flux = await fluxCluster(await ownSandboxCluster());
const engines: Engine[] = [];
const folder = await mkdtemp(join(tmpdir(), 'plumb-down-'));
let fleet: Fleet;
let apps: ObjectRef;
let settings: ObjectRef;

after(async () => {
  await Promise.all(engines.map((engine) => engine.dispose()));
  await rm(folder, { recursive: true, force: true });
});

async function openEngine(): Promise<Engine> {
  const engine = await createEngine(
    { folders: [], kubeconfig: [flux.sandbox.kubeconfig], cacheFolder: folder, schedule: 'onRequest' },
    { log: silentLogger },
  );
  engines.push(engine);
  return engine;
}

before(async () => {
  await flux.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } } as KubeObject);
  fleet = await fleetOn(flux, 'down');
  await fleet.commit({ 'apps/settings.yaml': configMap('settings', { a: '1' }) });
  apps = await fleet.kustomization('apps', { targetNamespace: fleet.namespace });
  settings = fleet.ref('ConfigMap', 'settings');
});

function lease(name: string): ObjectRef {
  return { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', namespace: 'flux-system', name };
}

async function holderOf(name: string): Promise<string> {
  const { spec } = await flux.get<{ readonly spec: { readonly holderIdentity?: string } }>(lease(name));
  return spec.holderIdentity ?? '';
}

/** What a Plumb leaves that was killed long ago. */
async function leaveAbandonedLease(name: string): Promise<void> {
  const spec = {
    holderIdentity: 'plumb_laptop_00000000',
    leaseDurationSeconds: 35,
    renewTime: '2001-01-01T00:00:00.000000Z',
  };
  const answer = await flux.client.patch(lease(name), { spec }, { type: 'merge', fieldManager: 'plumb' });
  assert.equal(answer.type, 'ok');
}

async function finalizersOf(ref: ObjectRef): Promise<readonly string[]> {
  return (await flux.get(ref)).metadata.finalizers ?? [];
}

const forbids = (message: RegExp) => (error: unknown) => {
  assert.ok(isPlumbError(error, 'ModeForbids'), String(error));
  assert.match(error.message, message);
  assert.ok(error.hint !== undefined);
  return true;
};

test('while another Plumb reconciles nothing is shown and nothing is done', async () => {
  const local = await openEngine();
  await local.setMode('local');
  await local.reconcile(fleet.source, false);
  await local.reconcile(apps, false);
  assert.deepEqual(await finalizersOf(apps), ['finalizers.fluxcd.io']);
  const other = await openEngine();
  await assert.rejects(
    other.planDown(),
    forbids(/another Plumb reconciles .*-leader-election is held by plumb_/),
  );
  await local.setMode('observe');
});

test('where controllers are installed at zero replicas their finalizers stay for them', async () => {
  const name = 'kustomize-controller';
  const labels = { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/component': name };
  const container = { name: 'manager', image: 'example.com/x', args: ['--enable-leader-election'] };
  await flux.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'flux-system', labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
    },
  } as KubeObject);
  const plan = await (await openEngine()).planDown();
  assert.deepEqual(
    plan.finalizers.map(({ kind }) => kind),
    ['GitRepository'],
  );
  assert.match(plan.notes.join(' '), /scaled up again: flux-system\/kustomize-controller/);
  const ref = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'flux-system', name };
  await flux.client.delete(ref, { propagationPolicy: 'Background' });
  await flux.sandbox.waitFor(
    `/apis/apps/v1/namespaces/flux-system/deployments?labelSelector=app.kubernetes.io/component=${name}`,
    (list) => (list['items'] as unknown[]).length === 0,
  );
});

test('Leases, overrides and finalizers of a Plumb that is gone: shown, then cleared; workloads stay', async () => {
  await leaveAbandonedLease('helm-controller-leader-election');
  const annotations = {
    'plumb.dev/override-by': 'ada@laptop',
    'plumb.dev/override-where': 'plumb_laptop_00000000',
    'plumb.dev/override-since': '2001-01-01T00:00:00Z',
    'plumb.dev/override-until': '2001-01-01T00:15:00Z',
    'plumb.dev/override-previous-suspend': 'unset',
  };
  const body = {
    metadata: { annotations, finalizers: ['finalizers.fluxcd.io', 'example.com/other'] },
    spec: { suspend: true },
  };
  await flux.client.patch(apps, body, { type: 'merge', fieldManager: 'plumb' });
  const engine = await openEngine();
  const plan = await engine.planDown();
  assert.deepEqual(
    plan.leases.map(({ name }) => name),
    ['helm-controller-leader-election'],
  );
  assert.deepEqual(
    plan.overrides.map(({ ref, by }) => [ref.name, by]),
    [['apps', 'ada@laptop']],
  );
  assert.deepEqual(plan.finalizers.map(({ kind }) => kind).sort(), ['GitRepository', 'Kustomization']);
  assert.deepEqual(plan.vanishing, []);
  assert.equal(
    await holderOf('helm-controller-leader-election'),
    'plumb_laptop_00000000',
    'a preview writes nothing',
  );

  const result = await engine.down(plan.id);
  assert.deepEqual(result.failures, []);
  assert.equal(await holderOf('helm-controller-leader-election'), '');
  assert.deepEqual(await finalizersOf(apps), ['example.com/other'], 'the finalizers of others stay');
  const { spec, metadata } = await flux.get<KubeObject & { readonly spec: { readonly suspend?: boolean } }>(
    apps,
  );
  assert.equal(spec.suspend, undefined);
  assert.equal(metadata.annotations?.['plumb.dev/override-by'], undefined);
  assert.ok(await flux.exists(settings));
  const again = await engine.planDown();
  assert.deepEqual([again.leases, again.overrides, again.finalizers], [[], [], []]);
});

test('an object that waits for its deletion is shown as going, and what came in since is not touched', async () => {
  await flux.client.patch(
    apps,
    { metadata: { finalizers: ['finalizers.fluxcd.io'] } },
    { type: 'merge', fieldManager: 'test' },
  );
  const engine = await openEngine();
  const outdated = await engine.planDown();
  await flux.client.delete(apps);
  await assert.rejects(engine.down(outdated.id), (error) => isPlumbError(error, 'PlanOutdated'));
  assert.ok(await flux.exists(apps));
  const plan = await engine.planDown();
  assert.deepEqual(
    plan.vanishing.map(({ ref, objects }) => [ref.name, objects]),
    [['apps', 1]],
  );
  await engine.down(plan.id);
  assert.equal(await flux.exists(apps), false);
  assert.ok(await flux.exists(settings), 'what it applied stays');
});

test('the engine that is in local mode itself leaves it first', async () => {
  const engine = await openEngine();
  await engine.setMode('local');
  await engine.reconcile(fleet.source, false);
  const plan = await engine.planDown();
  assert.equal(plan.leases.length, 7);
  await engine.down(plan.id);
  assert.equal((await engine.status()).cluster?.mode, 'observe');
  assert.equal(await holderOf('kustomize-controller-leader-election'), '');
  assert.deepEqual(await finalizersOf(fleet.source), []);
});
