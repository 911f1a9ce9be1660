import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

const folder = await mkdtemp(join(tmpdir(), 'plumb-policy-'));
let engine: Engine | undefined;
// Before the sandbox registers its own: hooks run in that order.
after(async () => {
  await engine?.dispose();
  await rm(folder, { recursive: true, force: true });
});
// Its own cluster: the policy of an installation counts for every test on it.
const sandbox = await ownSandboxCluster();
const flux = await fluxCluster(sandbox);
const fleet = await fleetOn(flux, 'policy');
const { namespace } = fleet;
const other = await sandbox.freshNamespace('other');
await flux.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
await fleet.commit({
  'plain/a.yaml': inNamespace(namespace, configMap('plain', { key: '1' })),
  'remote/kustomization.yaml': 'resources: [https://example.com/remote.yaml]\n',
});

/** The installed kustomize-controller, handed over: no pod runs, and its flags count. */
async function install(args: readonly string[]): Promise<void> {
  await flux.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'kustomize-controller',
      namespace: 'flux-system',
      labels: { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/component': 'kustomize-controller' },
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'kustomize-controller' } },
      template: {
        metadata: { labels: { app: 'kustomize-controller' } },
        spec: {
          containers: [{ name: 'manager', image: 'ghcr.io/fluxcd/kustomize-controller:v1.9.4', args }],
        },
      },
    },
  } as KubeObject);
}

/** An engine in local mode under the policy that is installed now. */
async function local(): Promise<Engine> {
  await engine?.dispose();
  engine = await createEngine(
    { folders: [], kubeconfig: [sandbox.kubeconfig], cacheFolder: folder, schedule: 'onRequest' },
    { log: silentLogger },
  );
  await engine.setMode('local');
  return engine;
}

async function elsewhere(): Promise<ObjectRef> {
  await flux.apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'elsewhere', namespace: other },
    spec: {
      interval: '10m',
      path: './plain',
      prune: false,
      sourceRef: { kind: 'GitRepository', name: 'fleet', namespace },
    },
  } as KubeObject);
  const kind = { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' };
  return { ...kind, namespace: other, name: 'elsewhere' };
}

test('the flags of the installed controller decide what a run may do, and with whose rights', async () => {
  await install([
    '--enable-leader-election',
    '--default-service-account=tenant',
    '--no-cross-namespace-refs=true',
    '--no-remote-bases',
  ]);
  const plumb = await local();
  const crossing = await plumb.reconcile(await elsewhere(), false);
  assert.deepEqual([crossing.ready, crossing.reason], [false, 'AccessDenied']);
  assert.match(crossing.message, /cross-namespace references have been blocked/);

  const remote = await plumb.reconcile(await fleet.kustomization('remote'), false);
  assert.deepEqual([remote.ready, remote.reason], [false, 'BuildFailed']);
  assert.match(remote.message, /https:\/\/example\.com\/remote\.yaml/);

  const plain = await fleet.kustomization('plain');
  const tenant = `system:serviceaccount:${namespace}:tenant`;
  const refused = await plumb.reconcile(plain, false);
  assert.equal(refused.ready, false);
  assert.match(refused.message, new RegExp(`User "${tenant}" cannot`));
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'plain')), false);
  assert.equal((await plumb.plan(plain, 'source')).identity, 'tenant');
});

test('what the installation no longer forbids is done again, as the controller would', async () => {
  await install(['--enable-leader-election']);
  const plumb = await local();
  const plain = await plumb.reconcile(await fleet.kustomization('plain'), false);
  assert.equal(plain.ready, true, plain.message);
  const crossing = await plumb.reconcile(await elsewhere(), false);
  assert.equal(crossing.ready, true, crossing.message);
});
