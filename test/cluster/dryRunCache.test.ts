import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { loggerTo } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { createDryRunCache, type DryRunCache } from '../../src/ssa/dryRunCache.ts';
import type { Plan } from '../../src/ssa/plan.ts';
import { planApply } from '../../src/ssa/planApply.ts';
import { applyPlan } from '../../src/ssa/applyPlan.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';
import { actionsOf, noInventory, runContext, ssaCluster, type Playground } from './ssaCluster.ts';

// A definition or a policy that another file makes on the same cluster is a new epoch.
const cluster = await ssaCluster(ownSandboxCluster);
const unique = randomBytes(3).toString('hex');
const dryRuns: string[] = [];
const client = await createClusterClient({
  kubeconfig: { paths: [cluster.sandbox.kubeconfig] },
  log: loggerTo(({ fields }) => {
    if (String(fields['path']).includes('dryRun=All')) dryRuns.push(String(fields['path']));
  }),
});
after(() => client.close());

const yaml = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: $NS }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx:1 }] }
---
apiVersion: v1
kind: Secret
metadata: { name: s, namespace: $NS }
stringData: { a: b }
`;

const newCache = (): DryRunCache => createDryRunCache({ clusterUid: 'x', maxAge: 60_000 });

/** Applies, and waits until the controllers have written their last: a write between read and dry-run is not cached. */
async function applied(play: Playground): Promise<void> {
  await play.run(play.desired(yaml));
  await settled(play, 1);
}

async function settled(play: Playground, replicas: number): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${play.namespace}/deployments/web`;
  await play.sandbox.waitFor(path, (object) => {
    const status = JSON.stringify(object['status'] ?? {});
    return status.includes('NewReplicaSetAvailable') && status.includes(`"availableReplicas":${replicas}`);
  });
}

/** A diff, and how many dry-runs it took. */
async function diff(
  play: Playground,
  cache: DryRunCache,
  text = yaml,
): Promise<{ readonly plan: Plan; readonly count: number }> {
  const before = dryRuns.length;
  const plan = await planApply(runContext(client), play.desired(text), [], { owner: play.owner, cache });
  return { plan, count: dryRuns.length - before };
}

test('a diff with nothing changed does no dry-run, status writes notwithstanding', async () => {
  const play = await cluster.playground();
  await applied(play);
  const cache = newCache();
  const first = await diff(play, cache);
  assert.equal(first.count, 2);
  const live = await play.live('apps/v1', 'Deployment', 'web');
  await play.actAs('test', live, { status: { observedGeneration: 9 } }, 'status');
  const second = await diff(play, cache);
  assert.equal(second.count, 0);
  assert.deepEqual(actionsOf(second.plan.changes), actionsOf(first.plan.changes));
});

test('a changed object, a changed file or a changed Secret is asked for again', async () => {
  const play = await cluster.playground();
  await applied(play);
  const cache = newCache();
  await diff(play, cache);
  const live = await play.live('apps/v1', 'Deployment', 'web');
  await play.actAs('kubectl', live, { spec: { replicas: 3 } }, 'scale');
  await settled(play, 3);
  const drifted = await diff(play, cache);
  assert.equal(drifted.count, 1);
  assert.deepEqual(actionsOf(drifted.plan.changes), ['Secret/s unchanged', 'Deployment/web configured']);
  assert.equal((await diff(play, cache, yaml.replace('nginx:1', 'nginx:2'))).count, 1);
  await play.actAs('kubectl-edit', await play.live('v1', 'Secret', 's'), { data: { a: 'eA==' } });
  const secret = await diff(play, cache);
  assert.equal(secret.count, 1);
  assert.equal(actionsOf(secret.plan.changes)[0], 'Secret/s configured');
});

test('a new admission policy or LimitRange makes every object be asked for again', async () => {
  const play = await cluster.playground();
  await applied(play);
  const cache = newCache();
  await diff(play, cache);
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies';
  const policies = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies`;
  const created = await play.sandbox.request('POST', policies, {
    metadata: { name: `epoch-${unique}` },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] },
        ],
      },
      validations: [{ expression: 'true' }],
    },
  });
  assert.equal(created.status, 201, path);
  try {
    assert.equal((await diff(play, cache)).count, 2);
    assert.equal((await diff(play, cache)).count, 0);
    const range = await play.sandbox.request('POST', `/api/v1/namespaces/${play.namespace}/limitranges`, {
      metadata: { name: 'l' },
      spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] },
    });
    assert.equal(range.status, 201);
    assert.equal((await diff(play, cache)).count, 2);
  } finally {
    await play.sandbox.request('DELETE', `${policies}/epoch-${unique}`);
  }
});

test('a refused dry-run, another identity and a cleared cache ask the server', async () => {
  const play = await cluster.playground();
  const bad = yaml.replace('replicas: 1', 'replicas: -1');
  const cache = newCache();
  assert.equal((await diff(play, cache, bad)).count, 2);
  assert.equal((await diff(play, cache, bad)).count, 1);
  const admin = client.impersonate({ userName: 'another', groups: ['system:masters'] });
  const before = dryRuns.length;
  await planApply(runContext(admin), play.desired(yaml), [], { owner: play.owner, cache });
  assert.equal(dryRuns.length - before, 2);
  cache.clear();
  assert.equal((await diff(play, cache)).count, 2);
});

test('an apply never trusts the cache', async () => {
  const play = await cluster.playground();
  await applied(play);
  const cache = newCache();
  await diff(play, cache);
  const { plan, count } = await diff(play, cache);
  assert.equal(count, 0);
  const before = dryRuns.length;
  const ctx = runContext(client);
  const changes = await applyPlan(ctx, plan, {
    owner: play.owner,
    approval: 'unattended',
    inventory: noInventory,
  });
  assert.equal(dryRuns.length - before, 2);
  assert.deepEqual(actionsOf(changes), ['Secret/s unchanged', 'Deployment/web unchanged']);
});
