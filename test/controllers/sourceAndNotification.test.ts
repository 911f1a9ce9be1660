import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { installManifests } from '../../src/bootstrap/install.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import {
  ensureFluxController,
  startFluxController,
  type FluxController,
} from '../../src/clients/sandbox/fluxControllers.ts';
import { freePorts } from '../../src/clients/sandbox/freePorts.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { conditionsOf } from '../../src/kube/statusFields.ts';
import { ownSandboxCluster } from '../cluster/sandboxCluster.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { commitFiles } from '../servers/gitRepository.ts';

const programs = {
  'source-controller': await ensureFluxController('source-controller'),
  'notification-controller': await ensureFluxController('notification-controller'),
} as const;
const running: FluxController[] = [];
const git = await startGitHttpServer();
/** What the real notification-controller says of a new artifact. */
const told = Promise.withResolvers<JsonObject>();
const hook = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.end();
    const event = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject;
    if (event['reason'] === 'NewArtifact') told.resolve(event);
  });
});
await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
after(async () => {
  await Promise.all(running.map((controller) => controller.stop()));
  hook.closeAllConnections();
  hook.close();
  await git.close();
});
const cluster = await ownSandboxCluster();
const client = await createClusterClient({ kubeconfig: { paths: [cluster.kubeconfig] }, log: silentLogger });
after(() => client.close());

for (const object of installManifests('flux-system')) await apply(object);
for (const kind of ['gitrepositories.source', 'alerts.notification'])
  await cluster.waitFor(
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind}.toolkit.fluxcd.io`,
    (definition) => hasCondition(definition, 'Established'),
  );
const [eventsPort = 0] = await freePorts(1);
await start('notification-controller', [`--events-addr=127.0.0.1:${eventsPort}`]);
await start('source-controller', [`--events-addr=http://127.0.0.1:${eventsPort}/`]);

test(
  'the real source-controller fetches from our git server and serves the artifact; the real notification-controller tells of it',
  { timeout: 180_000 },
  async () => {
    const namespace = await cluster.freshNamespace();
    const { folder, url } = await git.createRepository(namespace);
    const hash = await commitFiles(folder, { files: { 'apps/settings.yaml': 'colour: green\n' } });
    await apply({
      apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
      kind: 'Provider',
      metadata: { name: 'hook', namespace },
      spec: { type: 'generic', address: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` },
    } as KubeObject);
    await apply({
      apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
      kind: 'Alert',
      metadata: { name: 'all', namespace },
      spec: { providerRef: { name: 'hook' }, eventSources: [{ kind: 'GitRepository', name: '*' }] },
    } as KubeObject);
    await apply({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'fleet', namespace },
      spec: { interval: '1h', url, ref: { branch: 'main' } },
    } as KubeObject);
    const path = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/fleet`;
    const repository = await cluster.waitFor(
      path,
      (object) => hasCondition(object, 'Ready') && artifactOf(object) !== undefined,
      60_000,
    );
    const artifact = artifactOf(repository);
    assert.equal(artifact?.['revision'], `main@sha1:${hash}`);
    const answer = await fetch(String(artifact?.['url']));
    assert.equal(answer.status, 200);
    assert.equal((await answer.arrayBuffer()).byteLength, artifact?.['size']);
    const event = await told.promise;
    const { kind, name, namespace: where } = event['involvedObject'] as JsonObject;
    assert.deepEqual({ kind, name, where }, { kind: 'GitRepository', name: 'fleet', where: namespace });
    assert.equal(event['reportingController'], 'source-controller');
  },
);

async function start(name: keyof typeof programs, flags: readonly string[]): Promise<void> {
  const { kubeconfig } = cluster;
  const controller = await startFluxController({ name, program: programs[name], kubeconfig, flags });
  running.push(controller);
  await controller.untilLeading(AbortSignal.timeout(60_000));
}

async function apply(object: KubeObject): Promise<void> {
  const answer = await client.apply(object, { fieldManager: 'test', force: true, dryRun: false });
  if (answer.type === 'refused')
    throw new Error(`${object.kind}/${object.metadata.name}: ${answer.refusal.message}`);
}

function hasCondition(object: JsonObject, wanted: string): boolean {
  return conditionsOf(object).some(({ type, status }) => type === wanted && status === 'True');
}

function artifactOf(object: JsonObject): JsonObject | undefined {
  return (object['status'] as { artifact?: JsonObject } | undefined)?.artifact;
}
