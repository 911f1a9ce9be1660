import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { sharedFollower } from '../../src/engine/inventoryWatches.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import { WatchStore } from '../../src/engine/watchStore.ts';
import { refOf, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { computeStatus } from '../../src/kube/kstatus.ts';
import { waitUntilReady } from '../../src/ssa/waitUntilReady.ts';
import { impatient } from './impatience.ts';
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

/** A wait whose time is over when it has looked at everything. */
function timedOut(play: Playground, refs: readonly ObjectRef[], failFast = true): Promise<unknown> {
  const timeout = 600_000;
  return waitUntilReady(impatient(play.ctx, timeout), refs, { timeout, failFast });
}

test('a Deployment is waited for until its pods run', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  await waitUntilReady(play.ctx, refsIn(play, web), { timeout: 120_000, failFast: true });
  assert.equal(computeStatus(await play.live('apps/v1', 'Deployment', 'web')).status, 'Current');
});

test('an object that appears only later is waited for, also one whose kind is not served yet', async () => {
  const play = await cluster.playground();
  const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: late, namespace: $NS }';
  const waiting = waitUntilReady(play.ctx, refsIn(play, config), { timeout: 120_000, failFast: true });
  await play.run(play.desired(config));
  await waiting;
});

test('runs share the watches of labelled objects, and what has no label is followed all the same', async () => {
  const play = await cluster.playground();
  const store = new WatchStore({
    cluster: cluster.client,
    clock: systemClock,
    log: silentLogger,
    onChange: () => undefined,
  });
  try {
    const ctx = { ...play.ctx, follower: sharedFollower(store, cluster.client, undefined) };
    const applied = await play.run(play.desired(web));
    const labelled = applied.map(({ ref, version }) => ({ ...ref, since: version ?? '' }));
    const plain = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'plain', namespace: play.namespace },
    };
    const waits = [
      waitUntilReady(ctx, labelled, { timeout: 120_000, failFast: true }),
      waitUntilReady(ctx, [...refsIn(play, web), refOf(plain)], { timeout: 120_000, failFast: true }),
    ];
    await cluster.client.apply(plain, { fieldManager: 'someone', force: true, dryRun: false });
    await Promise.all(waits);
    assert.equal(computeStatus(await play.live('apps/v1', 'Deployment', 'web')).status, 'Current');
  } finally {
    store.stop();
  }
});

test('a shared watch that is behind a write does not pass for the state after it', async () => {
  const play = await cluster.playground();
  const store = new WatchStore({
    cluster: cluster.client,
    clock: systemClock,
    log: silentLogger,
    onChange: () => undefined,
  });
  try {
    const ctx = { ...play.ctx, follower: sharedFollower(store, cluster.client, undefined) };
    const followed = async (yaml: string) =>
      (await play.run(play.desired(yaml))).map(({ ref, version }) => ({ ...ref, since: version ?? '' }));
    await waitUntilReady(ctx, await followed(web), { timeout: 120_000, failFast: true });
    for (let replicas = 3; replicas < 8; replicas++) {
      const refs = await followed(web.replace('replicas: 2', `replicas: ${replicas}`));
      await waitUntilReady(ctx, refs, { timeout: 120_000, failFast: true });
      const { status } = await play.live('apps/v1', 'Deployment', 'web');
      assert.equal((status as { readyReplicas?: number }).readyReplicas, replicas);
    }
  } finally {
    store.stop();
  }
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
    (list) => JSON.stringify(list).split('"reason":"Unschedulable"').length === 3,
  );
  await assert.rejects(timedOut(play, refs), (error) => {
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
  await assert.rejects(timedOut(play, refsIn(play, web)), (error) => {
    assert.ok(isPlumbError(error, 'HealthCheckFailed'));
    assert.match(error.hint ?? '', /exceeded quota: none/);
    return true;
  });
});

/** A Deployment of one pod that the sandbox's nodes leave alone, and that pod; its status is what the test says. */
async function withIdlePod(play: Playground, status: JsonObject): Promise<{ readonly yaml: string }> {
  const yaml = web
    .replace('replicas: 2', 'replicas: 1')
    .replace('labels: { app: web }', 'labels: { app: web, app.kubernetes.io/part-of: flux }');
  await play.run(play.desired(yaml));
  const pods = `/api/v1/namespaces/${play.namespace}/pods`;
  const { items } = (await play.sandbox.waitFor(pods, (list) =>
    JSON.stringify(list).includes('"PodScheduled"'),
  )) as unknown as { readonly items: readonly KubeObject[] };
  const pod = { group: '', version: 'v1', kind: 'Pod', namespace: play.namespace } as const;
  const name = items[0]?.metadata.name ?? '';
  const options = { type: 'merge', fieldManager: 'kubelet', subresource: 'status' } as const;
  const answer = await play.ctx.cluster.patch({ ...pod, name }, { status }, options);
  assert.equal(answer.type, 'ok');
  return { yaml };
}

function waiting(reason: string, message: string, phase = 'Pending'): JsonObject {
  const state = { waiting: { reason, message } };
  const container = { name: 'web', image: 'nginx:1', imageID: '', restartCount: 7, ready: false, state };
  return { phase, containerStatuses: [container] };
}

for (const [what, status, reason] of [
  [
    'an image that cannot be pulled',
    waiting('ImagePullBackOff', 'Back-off pulling image "nginx:1"'),
    /Pod\/.*\/web-.*: ImagePullBackOff: Back-off pulling image "nginx:1"/,
  ],
  [
    'a container that crashes again and again',
    waiting('CrashLoopBackOff', 'back-off 5m0s restarting failed container=web', 'Running'),
    /Pod\/.*\/web-.*: CrashLoopBackOff: back-off 5m0s/,
  ],
] as const)
  test(`${what} is named with its pod`, async () => {
    const play = await cluster.playground();
    const { yaml } = await withIdlePod(play, status);
    await assert.rejects(timedOut(play, refsIn(play, yaml)), (error) => {
      assert.ok(isPlumbError(error, 'HealthCheckFailed'));
      assert.match(error.hint ?? '', reason);
      return true;
    });
  });

test('where no status tells why, the last warning about the pod or the workload does', async () => {
  const play = await cluster.playground();
  const { yaml } = await withIdlePod(play, waiting('ContainerCreating', ''));
  const quota =
    'apiVersion: v1\nkind: ResourceQuota\nmetadata: { name: one, namespace: $NS }\nspec: { hard: { pods: "1" } }';
  await play.run(play.desired(quota));
  await play.sandbox.waitFor(
    `/api/v1/namespaces/${play.namespace}/resourcequotas/one`,
    (object) => (object['status'] as { used?: { pods?: string } } | undefined)?.used?.pods === '1',
  );
  const pods = await play.sandbox.request('GET', `/api/v1/namespaces/${play.namespace}/pods`);
  const [pod] = pods.body['items'] as unknown as readonly KubeObject[];
  for (const [name, message, lastTimestamp] of [
    ['new', 'secret "keys" not found', '2026-01-02T00:00:00Z'],
    ['old', 'configmap "none" not found', '2026-01-01T00:00:00Z'],
  ] as const) {
    const { uid = '' } = pod?.metadata ?? {};
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: play.namespace },
      involvedObject: { kind: 'Pod', namespace: play.namespace, name: pod?.metadata.name ?? '', uid },
      type: 'Warning',
      reason: 'FailedMount',
      message,
      lastTimestamp,
    };
    assert.equal((await play.ctx.cluster.create(event, { fieldManager: 'kubelet' })).type, 'ok');
  }
  const stateful = web
    .replace('kind: Deployment', 'kind: StatefulSet')
    .replaceAll('web', 'db')
    .replace('spec:\n  replicas', 'spec:\n  serviceName: db\n  replicas');
  await play.run(play.desired(stateful));
  await play.sandbox.waitFor(`/api/v1/namespaces/${play.namespace}/events`, (list) =>
    JSON.stringify(list).includes('exceeded quota'),
  );
  const both = `${yaml}\n---\n${stateful}`;
  await assert.rejects(timedOut(play, refsIn(play, both)), (error) => {
    assert.ok(isPlumbError(error, 'HealthCheckFailed'));
    assert.match(error.hint ?? '', /Pod\/.*\/web-.*: FailedMount: secret "keys" not found/);
    assert.match(error.hint ?? '', /StatefulSet\/.*\/db: FailedCreate: .*exceeded quota: one/);
    return true;
  });
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
  await assert.rejects(waitUntilReady(play.ctx, refs, { timeout: 120_000, failFast: true }), {
    message: `failed early due to stalled resources: [Deployment/${play.namespace}/bad status: 'Failed']`,
  });
  await assert.rejects(timedOut(play, refs, false), {
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
  const waiting = waitUntilReady(play.ctx, refs, { timeout: 120_000, failFast: true, mayVanish: () => true });
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
