import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { Secret } from '../../src/base/secret.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { resendingClient } from '../../src/ssa/resendingClient.ts';
import { startFaultProxy } from '../servers/faultProxy.ts';
import { sandboxCluster } from './sandboxCluster.ts';

const sandbox = await sandboxCluster();
const namespace = await sandbox.freshNamespace('resend');
/** How many answers to writes get lost from now on, and how many writes came. */
let losing = 0;
let writes = 0;
const proxy = await startFaultProxy(sandbox.kubeconfig, ({ method }) => {
  if (method === 'GET') return undefined;
  writes++;
  return losing-- > 0 ? { type: 'loseAnswer' } : undefined;
});
const client = await createClusterClient({
  kubeconfig: { text: new Secret(proxy.kubeconfigText), subject: 'test' },
  log: silentLogger,
});
const cluster = resendingClient(client, { clock: systemClock, signal: new AbortController().signal });
after(async () => {
  client.close();
  await proxy.close();
});

const ref = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };
const configMap = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { key: 'value' },
});

/** Does the work while so many answers get lost; gives how it ended and how many writes the server saw. */
async function losingAnswers<T>(lost: number, work: (cluster: ClusterClient) => Promise<T>) {
  losing = lost;
  writes = 0;
  const end = await work(cluster).catch((error: unknown) => error);
  losing = 0;
  return { end, writes };
}

test('applies, dry-runs and deletes of one object get through although their answers get lost', async () => {
  const apply = { fieldManager: 'test', force: true };
  const dryRun = await losingAnswers(2, () =>
    cluster.apply(configMap('settings'), { ...apply, dryRun: true }),
  );
  assert.equal(dryRun.writes, 3);
  assert.equal((await cluster.get(ref)).type, 'refused');
  const applied = await losingAnswers(2, () =>
    cluster.apply(configMap('settings'), { ...apply, dryRun: false }),
  );
  assert.equal(applied.writes, 3);
  const live = await cluster.get(ref);
  assert.ok(live.type === 'ok');
  assert.deepEqual(applied.end, { type: 'ok', value: live.value, warnings: [] });
  const { uid = '' } = live.value.metadata;
  const deleted = await losingAnswers(1, () => cluster.delete(ref, { preconditions: { uid } }));
  assert.equal(deleted.writes, 2);
  assert.equal((deleted.end as { refusal?: { httpStatus: number } }).refusal?.httpStatus, 404);
});

test('what would be done twice is sent once, and the failure is told', async () => {
  const options = { fieldManager: 'test' };
  const created = await losingAnswers(1, () => cluster.create(configMap('made'), options));
  assert.ok(isPlumbError(created.end, 'ClusterUnreachable'));
  assert.equal(created.writes, 1);
  const deleted = await losingAnswers(1, () => cluster.delete({ ...ref, name: 'made' }));
  assert.ok(isPlumbError(deleted.end, 'ClusterUnreachable'));
  assert.equal(deleted.writes, 1);
});

test('a patch of one version that had got through is a conflict when it is sent again, never a second write', async () => {
  const made = await cluster.create(configMap('patched'), { fieldManager: 'test' });
  assert.ok(made.type === 'ok');
  const { resourceVersion = '' } = made.value.metadata;
  const patch = [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/data/more', value: 'x' },
  ];
  const patched = await losingAnswers(1, () =>
    cluster.patch({ ...ref, name: 'patched' }, patch, { type: 'json', fieldManager: 'test' }),
  );
  assert.equal(patched.writes, 2);
  assert.equal((patched.end as { refusal?: { reason: string } }).refusal?.reason, 'Conflict');
});
