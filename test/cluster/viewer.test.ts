import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import type { WatchEvent } from '../../src/clients/cluster/clusterClient.ts';
import { applyPlan } from '../../src/ssa/applyPlan.ts';
import { planApply } from '../../src/ssa/planApply.ts';
import type { RunContext } from '../../src/ssa/runContext.ts';
import { waitUntilReady } from '../../src/ssa/waitUntilReady.ts';
import { noInventory, runContext, ssaCluster, type Playground } from './ssaCluster.ts';

const cluster = await ssaCluster();

/** A context with the rights of \`view\` in the playground's namespace and none elsewhere. */
async function viewerOf(play: Playground): Promise<RunContext> {
  const path = await cluster.sandbox.userKubeconfig({
    userName: `viewer-${randomBytes(3).toString('hex')}`,
    namespace: play.namespace,
    clusterRole: 'view',
  });
  const client = await createClusterClient({ kubeconfig: { paths: [path] }, log: silentLogger });
  after(() => client.close());
  return runContext(client);
}

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: $NS }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx:1, env: [{ name: A, value: a }, { name: B, value: b }] }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: $NS }
data: { color: blue, size: big }
`;

test('a viewer sees an approximate diff, said so, with fields, owners and removed keys', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const ctx = await viewerOf(play);
  const live = await play.live('apps/v1', 'Deployment', 'web');
  await play.actAs('kubectl', live, { spec: { replicas: 5 } }, 'scale');
  const edited = web
    .replace('nginx:1', 'nginx:2')
    .replace(', { name: B, value: b }', '')
    .replace(', size: big', '');
  const plan = await planApply(ctx, play.desired(edited), [], { owner: play.owner });
  assert.deepEqual(
    plan.changes.map(({ ref, action, approximate }) => `${ref.kind} ${action} ${approximate ?? false}`),
    ['ConfigMap configured true', 'Deployment configured true'],
  );
  const fields = plan.changes.flatMap((change) => change.fields);
  assert.deepEqual(
    fields.map(({ pointer, live: now, desired }) => `${pointer}: ${String(now)} → ${String(desired)}`),
    [
      '/data/size: big → undefined',
      '/spec/replicas: 5 → 2',
      '/spec/template/spec/containers/0/image: nginx:1 → nginx:2',
      '/spec/template/spec/containers/0/env/1/name: B → undefined',
      '/spec/template/spec/containers/0/env/1/value: b → undefined',
    ],
  );
  assert.deepEqual(
    fields[1]?.owners.map(({ manager, subresource }) => `${manager} ${subresource ?? ''}`),
    ['kubectl scale'],
  );
});

test('for a viewer an unchanged object is unchanged, defaults of the server notwithstanding', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const plan = await planApply(await viewerOf(play), play.desired(web), [], { owner: play.owner });
  assert.deepEqual(
    plan.changes.map(({ ref, action, approximate }) => `${ref.kind} ${action} ${approximate ?? false}`),
    ['ConfigMap unchanged true', 'Deployment unchanged true'],
  );
});

test('a viewer cannot apply an approximate plan; nothing is written', async () => {
  const play = await cluster.playground();
  const ctx = await viewerOf(play);
  const plan = await planApply(ctx, play.desired(web), [], { owner: play.owner });
  await assert.rejects(
    applyPlan(ctx, plan, { owner: play.owner, approval: 'approved', inventory: noInventory }),
    (error) => isPlumbError(error, 'AccessDenied'),
  );
  await assert.rejects(play.live('v1', 'ConfigMap', 'settings'), /not found/);
});

test('what a viewer may not read is told on the object: a Secret, another namespace, a cluster-scoped kind', async () => {
  const play = await cluster.playground();
  const other = await cluster.playground();
  const plan = await planApply(
    await viewerOf(play),
    play.desired(`
apiVersion: v1
kind: Secret
metadata: { name: s, namespace: $NS }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: c, namespace: ${other.namespace} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: unreadable }
rules: []
`),
    [],
    { owner: play.owner },
  );
  assert.equal(plan.changes.length, 3);
  for (const change of plan.changes)
    assert.match(change.refusal?.message ?? '', /is forbidden: User "viewer-/);
});

test('a viewer follows objects of the namespace, and waits for one it may only read', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const ctx = await viewerOf(play);
  const abort = new AbortController();
  const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
  const synced = Promise.withResolvers<WatchEvent>();
  const watching = ctx.cluster.watch(
    kind,
    { namespace: play.namespace },
    (event) => synced.resolve(event),
    abort.signal,
  );
  assert.equal((await synced.promise).type, 'synced');
  abort.abort();
  await watching;
  await assert.rejects(
    ctx.cluster.watch(kind, {}, () => undefined, new AbortController().signal),
    (error) => isPlumbError(error, 'AccessDenied'),
  );
  const refs = play.desired(web).objects.map(({ object }) => ({
    group: object.kind === 'Deployment' ? 'apps' : '',
    version: 'v1',
    kind: object.kind,
    namespace: play.namespace,
    name: object.metadata.name,
  }));
  await waitUntilReady(ctx, refs, { timeout: 120_000, failFast: true });
});
