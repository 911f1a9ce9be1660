import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileTree } from '../../src/base/fileTree.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/base/json.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { installManifests } from '../../src/bootstrap/install.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { ensureFluxController, startFluxController } from '../../src/clients/sandbox/fluxControllers.ts';
import { waitForExit } from '../../src/clients/sandbox/startSandbox.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { readySourceStatus, startArtifactServer } from '../servers/artifactServer.ts';
import { isReconciled, kustomizationPath, leadMs } from './reconciled.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

const programs = {
  'kustomize-controller': await ensureFluxController('kustomize-controller'),
} as const;
const cluster = await ownSandboxCluster();
const client = await createClusterClient({ kubeconfig: { paths: [cluster.kubeconfig] }, log: silentLogger });
const artifacts = await startArtifactServer();
after(async () => {
  client.close();
  await artifacts.close();
});

const leases = '/apis/coordination.k8s.io/v1/namespaces/flux-system/leases';

for (const object of installManifests('flux-system')) await apply(object);
for (const kind of ['gitrepositories.source', 'kustomizations.kustomize', 'helmreleases.helm'])
  await cluster.waitFor(
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind}.toolkit.fluxcd.io`,
    (definition) => hasCondition(definition, 'Established'),
  );

test('the real kustomize-controller takes its Lease, reconciles with its own rights, and releases it', async () => {
  const namespace = await cluster.freshNamespace();
  await publishRepository(namespace, 'main@sha1:1111111111111111111111111111111111111111');
  await apply(kustomization(namespace));
  const controller = await startFluxController({
    name: 'kustomize-controller',
    program: programs['kustomize-controller'],
    kubeconfig: cluster.kubeconfig,
  });
  try {
    await controller.untilLeading(AbortSignal.timeout(leadMs));
    const ready = await cluster.waitFor(kustomizationPath({ namespace, name: 'apps' }), (object) =>
      isReconciled(object as unknown as Kustomization),
    );
    const status = ready['status'] as JsonObject;
    assert.equal(status['lastAppliedRevision'], 'main@sha1:1111111111111111111111111111111111111111');
    const { body } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/settings`);
    assert.deepEqual(managersOf(body), ['kustomize-controller']);
    assert.match(await holder('kustomize-controller'), /_[0-9a-f-]{36}$/);
  } finally {
    await controller.stop();
  }
  // Released: the next one does not wait 35 s.
  assert.equal(await holder('kustomize-controller'), '');
});

test('a killed controller keeps its Lease until that runs out', async () => {
  const controller = await startFluxController({
    name: 'kustomize-controller',
    program: programs['kustomize-controller'],
    kubeconfig: cluster.kubeconfig,
  });
  await controller.untilLeading(AbortSignal.timeout(leadMs));
  await controller.kill();
  assert.match(await holder('kustomize-controller'), /_[0-9a-f-]{36}$/);
  // Given back by hand: the next one does not wait 35 s.
  await client.delete({
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    namespace: 'flux-system',
    name: 'kustomize-controller-leader-election',
  });
});

test('a controller ends when its starter is killed', async () => {
  const starter = spawn(
    process.execPath,
    [join(import.meta.dirname, 'fluxStarter.ts'), cluster.kubeconfig, programs['kustomize-controller']],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let line = '';
  for await (const chunk of starter.stdout) {
    line += String(chunk);
    if (line.endsWith('\n')) break;
  }
  const gone = once(starter, 'exit');
  starter.kill('SIGKILL');
  await gone;
  assert.equal(await waitForExit(Number(line)), true);
});

test('a controller that cannot work says why', async () => {
  const controller = await startFluxController({
    name: 'kustomize-controller',
    program: programs['kustomize-controller'],
    kubeconfig: cluster.kubeconfig,
    flags: ['--no-such-flag'],
  });
  await assert.rejects(controller.untilLeading(), {
    code: 'SandboxFailed',
    message: /unknown flag: --no-such-flag/,
  });
});

async function apply(object: KubeObject): Promise<KubeObject> {
  const answer = await client.apply(object, { fieldManager: 'test', force: true, dryRun: false });
  if (answer.type === 'ok') return answer.value;
  throw new Error(`${object.kind}/${object.metadata.name}: ${answer.refusal.message}`);
}

async function publishRepository(namespace: string, revision: string): Promise<void> {
  const source = await apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace },
    spec: { url: 'https://git.example.org/fleet', interval: '1h' },
  });
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: green\n';
  const tree = FileTree.from([['apps/settings.yaml', text]]);
  const artifact = await artifacts.publish(`gitrepository/${namespace}/fleet/1.tar.gz`, revision, tree);
  const path = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/fleet/status`;
  const body = { ...source, status: readySourceStatus(source, artifact) };
  assert.equal((await cluster.request('PUT', path, body)).status, 200);
}

function kustomization(namespace: string): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace },
    spec: {
      interval: '1h',
      path: './apps',
      prune: true,
      targetNamespace: namespace,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    },
  };
}

async function holder(name: string): Promise<string> {
  const { body } = await cluster.request('GET', `${leases}/${name}-leader-election`);
  return String((body['spec'] as JsonObject)['holderIdentity']);
}

function managersOf(object: JsonObject): unknown[] {
  const metadata = object['metadata'] as JsonObject;
  return (metadata['managedFields'] as JsonObject[]).map(({ manager }) => manager);
}

function hasCondition(object: JsonObject, type: string): boolean {
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as JsonValue[]) : [];
  return conditions.some(
    (condition) => isJsonObject(condition) && condition['type'] === type && condition['status'] === 'True',
  );
}
