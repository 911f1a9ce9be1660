import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { refOf, type ObjectRef } from '../../src/kube/object.ts';
import { computeStatus } from '../../src/kube/kstatus.ts';
import { waitUntilReady } from '../../src/ssa/waitUntilReady.ts';
import { runContext, ssaCluster, type Playground } from './ssaCluster.ts';

const cluster = await ssaCluster();

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: $NS }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx:1 }] }
`;

function refsIn(play: Playground, yaml: string): readonly ObjectRef[] {
  return play.desired(yaml).objects.map(({ object }) => refOf(object));
}

test('a Deployment is waited for until its pods run', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  await waitUntilReady(play.ctx, refsIn(play, web), { timeout: 30_000, failFast: true });
  assert.equal(computeStatus(await play.live('apps/v1', 'Deployment', 'web')).status, 'Current');
});

test('an object that appears only later is waited for, also one whose kind is not served yet', async () => {
  const play = await cluster.playground();
  const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: late, namespace: $NS }';
  const waiting = waitUntilReady(play.ctx, refsIn(play, config), { timeout: 30_000, failFast: true });
  await play.run(play.desired(config));
  await waiting;
});

test('the timeout names every object that is not ready, and why', async () => {
  const play = await cluster.playground();
  const stuck = web.replace('containers:', 'nodeSelector: { no: such-node }, containers:');
  await play.run(play.desired(stuck));
  const refs = [
    ...refsIn(play, stuck),
    ...refsIn(play, 'apiVersion: v1\nkind: Secret\nmetadata: { name: none, namespace: $NS }'),
  ];
  await play.sandbox.waitFor(
    `/api/v1/namespaces/${play.namespace}/pods`,
    (list) => (list['items'] as unknown[]).length === 2,
  );
  await assert.rejects(waitUntilReady(play.ctx, refs, { timeout: 2000, failFast: true }), (error) => {
    assert.ok(isPlumbError(error, 'HealthCheckFailed'));
    assert.equal(
      error.message,
      `timeout waiting for: [Deployment/${play.namespace}/web status: 'InProgress', Secret/${play.namespace}/none status: 'NotFound']`,
    );
    assert.match(error.hint ?? '', /Pod\/.*Unschedulable|node.*selector/);
    return true;
  });
});

test('a quota that forbids the pods is named', async () => {
  const play = await cluster.playground();
  const quota =
    'apiVersion: v1\nkind: ResourceQuota\nmetadata: { name: none, namespace: $NS }\nspec: { hard: { pods: "0" } }';
  await play.run(play.desired(quota));
  await play.sandbox.waitFor(
    `/api/v1/namespaces/${play.namespace}/resourcequotas/none`,
    (object) => (object['status'] as { hard?: object } | undefined)?.hard !== undefined,
  );
  await play.run(play.desired(web));
  await play.sandbox.waitFor(`/apis/apps/v1/namespaces/${play.namespace}/deployments/web`, (object) =>
    JSON.stringify(object['status'] ?? {}).includes('ReplicaFailure'),
  );
  await assert.rejects(
    waitUntilReady(play.ctx, refsIn(play, web), { timeout: 500, failFast: true }),
    (error) => {
      assert.ok(isPlumbError(error, 'HealthCheckFailed'));
      assert.match(error.hint ?? '', /exceeded quota: none/);
      return true;
    },
  );
});

test('a failed object ends the wait at once, unless it is not to fail fast', async () => {
  const play = await cluster.playground();
  const stuck = (name: string, deadline: number) =>
    web
      .replace('name: web,', `name: ${name},`)
      .replace('replicas: 2', `replicas: 1\n  progressDeadlineSeconds: ${deadline}`)
      .replace('containers:', 'nodeSelector: { no: such-node }, containers:');
  const both = `${stuck('bad', 1)}\n---\n${stuck('slow', 600)}`;
  await play.run(play.desired(both));
  const refs = refsIn(play, both);
  await assert.rejects(waitUntilReady(play.ctx, refs, { timeout: 20_000, failFast: true }), {
    message: `failed early due to stalled resources: [Deployment/${play.namespace}/bad status: 'Failed']`,
  });
  await assert.rejects(waitUntilReady(play.ctx, refs, { timeout: 500, failFast: false }), {
    message: `timeout waiting for: [Deployment/${play.namespace}/bad status: 'Failed', Deployment/${play.namespace}/slow status: 'InProgress']`,
  });
});

test('a Job that its TTL removes counts as ready', async () => {
  const play = await cluster.playground();
  const job = `
apiVersion: batch/v1
kind: Job
metadata: { name: short, namespace: $NS }
spec:
  ttlSecondsAfterFinished: 100
  template: { spec: { restartPolicy: Never, nodeSelector: { no: such }, containers: [{ name: a, image: a }] } }`;
  await play.run(play.desired(job));
  const refs = refsIn(play, job);
  const waiting = waitUntilReady(play.ctx, refs, { timeout: 20_000, failFast: true, mayVanish: () => true });
  await play.ctx.cluster.delete(refs[0] as ObjectRef, { propagationPolicy: 'Background' });
  await waiting;
});

test('a cancelled wait ends at once', async () => {
  const play = await cluster.playground();
  const abort = new AbortController();
  const refs = refsIn(play, 'apiVersion: v1\nkind: Secret\nmetadata: { name: none, namespace: $NS }');
  const waiting = waitUntilReady(runContext(cluster.client, abort.signal), refs, {
    timeout: 60_000,
    failFast: true,
  });
  abort.abort();
  await assert.rejects(waiting, (error) => isPlumbError(error, 'Cancelled'));
});
