import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

// The oldest minor that this API server can show: an API of its time, and the features of its time, without WatchList.
const sandbox = await ownSandboxCluster({ emulate: '1.33' });
const flux = await fluxCluster(sandbox);
const client = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: silentLogger });
after(() => client.close());

test('the server says which version it shows, and does not serve what came later', async () => {
  const { body } = await sandbox.request('GET', '/version');
  assert.deepEqual([body['emulationMajor'], body['emulationMinor']], ['1', '33']);
  assert.notEqual(await client.discover({ group: 'apps', version: 'v1' }), undefined);
  // It came with 1.34.
  assert.equal(await client.discover({ group: 'resource.k8s.io', version: 'v1' }), undefined);
  const admission = await client.servedInGroup('admissionregistration.k8s.io');
  // Version v1 of it came with 1.36; a kind that is not served is an answer, not a failure.
  assert.equal(
    admission.some(({ version, kind }) => version === 'v1' && kind === 'MutatingAdmissionPolicy'),
    false,
  );
  assert.ok(admission.some(({ kind }) => kind === 'ValidatingAdmissionPolicy'));
});

test('a Kustomization is applied, drift is corrected, and what left Git is pruned', async () => {
  const fleet = await fleetOn(flux, 'older');
  const file = (name: string, data: Readonly<Record<string, string>>): string =>
    inNamespace(fleet.namespace, configMap(name, data));
  await fleet.commit({ 'apps/a.yaml': file('a', { x: '1' }), 'apps/b.yaml': file('b', { x: '1' }) });
  const apps = await fleet.kustomization('apps');
  const first = await fleet.run(apps);
  assert.equal(first.result, 'succeeded', first.message);

  const a = fleet.ref('ConfigMap', 'a');
  const drifted = await client.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: fleet.namespace },
      data: { x: '2' },
    },
    { fieldManager: 'kubectl-edit', force: true, dryRun: false },
  );
  assert.equal(drifted.type, 'ok');
  await fleet.run(apps);
  assert.deepEqual((await flux.get<{ readonly data: object }>(a)).data, { x: '1' });

  await fleet.commit({ 'apps/b.yaml': null });
  const pruned = await fleet.run(apps);
  assert.equal(pruned.result, 'succeeded', pruned.message);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'b')), false);
  assert.ok(await flux.exists(a));
});

test('a watch lists, then tells each change, then each deletion', async () => {
  const namespace = await sandbox.freshNamespace('watched');
  const ended = new AbortController();
  const seen: string[] = [];
  const waiting = new Map<string, () => void>();
  const until = (word: string): Promise<void> =>
    new Promise((resolve) => {
      if (seen.includes(word)) resolve();
      else waiting.set(word, resolve);
    });
  const tell = (word: string): void => {
    seen.push(word);
    waiting.get(word)?.();
  };
  const watching = client.watch(
    { group: '', version: 'v1', kind: 'ConfigMap' },
    { namespace, labelSelector: 'watched=yes' },
    (event) => {
      if (event.type === 'synced') tell(`synced ${event.objects.length}`);
      if (event.type === 'changed') tell(`changed ${event.object.metadata.name}`);
      if (event.type === 'deleted') tell('deleted');
    },
    ended.signal,
  );
  await until('synced 0');
  const metadata = { name: 'one', namespace, labels: { watched: 'yes' } };
  await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, { fieldManager: 'test' });
  await until('changed one');
  await client.delete({ group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'one' });
  await until('deleted');
  ended.abort();
  await watching;
});

test('a Deployment becomes available: controllers, scheduler and nodes work beside the older API', async () => {
  const namespace = await sandbox.freshNamespace('deployed');
  const labels = { app: 'web' };
  await flux.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'example.com/web' }] } },
    },
  } as Parameters<typeof flux.apply>[0]);
  await sandbox.waitFor(
    `/apis/apps/v1/namespaces/${namespace}/deployments/web`,
    ({ status }) => (status as { readonly availableReplicas?: number } | undefined)?.availableReplicas === 1,
  );
});
