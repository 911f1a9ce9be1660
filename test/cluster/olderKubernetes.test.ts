import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { testClientOn } from './clientOnServer.ts';
import { fluxCluster } from './fluxCluster.ts';
import { testReconcilingOn } from './reconcilingOnServer.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

// The oldest minor that this API server can show: an API of its time, and the features of its time, without WatchList.
const sandbox = await ownSandboxCluster({ emulate: '1.33' });
const flux = await fluxCluster(sandbox);
const client = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: silentLogger });
after(() => client.close());
// First what waits: hooks run as soon as no registered test is left.
await testClientOn(sandbox);

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

// Not on a cluster that others share: while a group is missing no namespace goes, and nothing knows all kinds.
test('discovery goes on when one group does not answer; only its own kinds are unknown', async (t) => {
  const path = '/apis/apiregistration.k8s.io/v1/apiservices';
  const name = 'v1.broken.example.com';
  const created = await sandbox.request('POST', path, {
    metadata: { name },
    spec: {
      group: 'broken.example.com',
      version: 'v1',
      service: { name: 'none', namespace: 'default' },
      groupPriorityMinimum: 10,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
    },
  });
  assert.equal(created.status, 201);
  t.after(() => sandbox.request('DELETE', `${path}/${name}`));
  await sandbox.waitFor(`${path}/${name}`, (object) =>
    JSON.stringify(object['status'] ?? {}).includes('"False"'),
  );
  await client.discover({ group: 'apps', version: 'v1' }, { refresh: true });
  assert.notEqual(await client.servedKind({ group: 'apps', version: 'v1', kind: 'Deployment' }), undefined);
  await assert.rejects(client.servedInGroup('broken.example.com', { refresh: true }), (error) =>
    isPlumbError(error, 'RequestFailed'),
  );
});

testReconcilingOn(flux);

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
