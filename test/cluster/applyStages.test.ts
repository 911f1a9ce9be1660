import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { kindNotServed } from '../../src/clients/cluster/clusterClient.ts';
import { formatRef, refOf, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { applyPlan } from '../../src/ssa/applyPlan.ts';
import type { Action } from '../../src/ssa/plan.ts';
import { planApply } from '../../src/ssa/planApply.ts';
import { waitUntilReady } from '../../src/ssa/waitUntilReady.ts';
import { openDefinition } from './openDefinition.ts';
import { actionsOf, desiredOf, noInventory, objectsOf, runContext, ssaCluster } from './ssaCluster.ts';

const unique = randomBytes(3).toString('hex');
const cleanUp: string[] = [];
// Before the sandbox registers its own end: hooks run in that order.
after(() => Promise.all(cleanUp.map((path) => cluster.sandbox.request('DELETE', path))));
const cluster = await ssaCluster();

function isEstablished(object: Readonly<Record<string, unknown>>): boolean {
  const conditions = (object['status'] as { conditions?: { type: string; status: string }[] } | undefined)
    ?.conditions;
  return conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true;
}

const config = (data: string, name = 'settings') => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: $NS }
data: { ${data} }
`;

test('a definition, its resource and a new namespace go in one run, each stage recorded before its first write', async () => {
  const play = await cluster.playground();
  const group = `g${unique}.example.com`;
  cleanUp.push(
    `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`,
    `/api/v1/namespaces/new-${unique}`,
  );
  const desired = play.desired(`
apiVersion: ${group}/v1
kind: Widget
metadata: { name: w, namespace: new-${unique} }
spec: { size: 1 }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: c, namespace: new-${unique} }
---
apiVersion: v1
kind: Namespace
metadata: { name: new-${unique} }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.${group} }
spec:
  group: ${group}
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, x-kubernetes-preserve-unknown-fields: true } } } }
`);
  const plan = await play.plan(desired);
  assert.deepEqual(
    plan.changes.map(
      ({ ref, action, verified, refusal }) => `${ref.kind} ${action} ${verified} ${refusal?.reason ?? ''}`,
    ),
    [
      'CustomResourceDefinition created true ',
      'Namespace created true ',
      'ConfigMap created false NotFound',
      `Widget created false ${kindNotServed}`,
    ],
  );
  const recorded: string[] = [];
  const changeSet = await play.apply(plan, {
    inventory: {
      async beforeStage(refs) {
        for (const ref of refs) {
          assert.notEqual(await play.ctx.cluster.servedKind(ref), undefined);
          assert.equal((await play.ctx.cluster.get(ref)).type, 'refused');
        }
        recorded.push(refs.map(({ kind }) => kind).join(' '));
      },
      changed: (ref: ObjectRef, action: Action) => recorded.push(`${ref.kind} ${action}`),
    },
  });
  assert.deepEqual(recorded, [
    'CustomResourceDefinition Namespace',
    'CustomResourceDefinition created',
    'Namespace created',
    'ConfigMap Widget',
    'ConfigMap created',
    'Widget created',
  ]);
  assert.equal(changeSet.length, 4);
  assert.deepEqual(new Set((await play.run(desired)).map(({ action }) => action)), new Set(['unchanged']));
});

test('a resource is judged when its stage comes where its definition is there and not served yet', async () => {
  const play = await cluster.playground();
  const group = `late${unique}.example.com`;
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const blocker = openDefinition(group, 'Blocker');
  const definition = openDefinition(group, 'Widget');
  cleanUp.push(`${path}/blockers.${group}`, `${path}/widgets.${group}`);
  // Another kind has its list kind: the server accepts the definition's names, and serves it, once that one is gone.
  const taken = {
    ...(blocker['spec'] as object),
    names: { kind: 'Blocker', plural: 'blockers', listKind: 'WidgetList' },
  };
  assert.equal((await cluster.sandbox.request('POST', path, { ...blocker, spec: taken })).status, 201);
  await cluster.sandbox.waitFor(`${path}/blockers.${group}`, isEstablished);
  const desired = play.desired(
    `${JSON.stringify(definition)}\n---\n${config('a: b')}\n---\napiVersion: ${group}/v1\nkind: Widget\nmetadata: { name: w, namespace: $NS }\n`,
  );
  const [stamped] = desired.objects;
  const { fieldManager } = play.owner;
  await cluster.client.apply(stamped?.object as KubeObject, { fieldManager, force: true, dryRun: false });
  await cluster.sandbox.waitFor(`${path}/widgets.${group}`, (object) =>
    JSON.stringify(object['status']).includes('is already in use'),
  );
  const plan = await play.plan(desired);
  assert.deepEqual(
    plan.changes.map(({ ref, action, verified }) => `${ref.kind} ${action} ${verified}`),
    ['CustomResourceDefinition unchanged true', 'ConfigMap created true', 'Widget created false'],
  );
  await cluster.sandbox.request('DELETE', `${path}/blockers.${group}`);
  await cluster.sandbox.waitFor(`${path}/widgets.${group}`, isEstablished);
  assert.deepEqual(
    (await play.apply(plan)).map(({ ref, action }) => `${ref.kind} ${action}`),
    ['CustomResourceDefinition unchanged', 'ConfigMap created', 'Widget created'],
  );
});

test('a refused object of a later stage fails only when its stage comes; nothing of that stage is written', async () => {
  const play = await cluster.playground();
  const name = `class-${unique}`;
  cleanUp.push(`/apis/scheduling.k8s.io/v1/priorityclasses/${name}`);
  const desired = play.desired(`
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: ${name} }
value: 10
---
apiVersion: v1
kind: Service
metadata: { name: bad, namespace: $NS }
spec: { ports: [{ port: 99999 }] }
---
${config('a: b')}`);
  const plan = await play.plan(desired);
  assert.deepEqual(
    plan.changes.map(({ ref, verified, refusal }) => `${ref.kind} ${verified} ${refusal?.reason ?? ''}`),
    ['PriorityClass true ', 'ConfigMap true ', 'Service false Invalid'],
  );
  await assert.rejects(
    play.apply(plan),
    /Service\/.*\/bad dry-run failed \(Invalid\): .*spec\.ports\[0\]\.port/,
  );
  await assert.rejects(play.live('v1', 'ConfigMap', 'settings'), /not found/);
  assert.equal(
    (await cluster.sandbox.request('GET', `/apis/scheduling.k8s.io/v1/priorityclasses/${name}`)).status,
    200,
  );
});

test('an approved plan is not started when an object changed since it was shown', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(`${config('a: "1"', 'one')}---${config('a: "1"', 'two')}`));
  const plan = await play.plan(play.desired(`${config('a: "2"', 'one')}---${config('a: "2"', 'two')}`));
  const two = await play.live('v1', 'ConfigMap', 'two');
  await play.actAs('somebody', two, { data: { b: 'x' } });
  await assert.rejects(play.apply(plan, { approval: 'approved' }), (error) => {
    assert.ok(isPlumbError(error, 'PlanOutdated'));
    assert.match(error.message, /ConfigMap\/.*\/two: changed since the plan was shown/);
    return true;
  });
  assert.deepEqual((await play.live('v1', 'ConfigMap', 'one'))['data'], { a: '1' });
});

test('an approved plan stops before its next write when an object changes while it runs', async () => {
  const play = await cluster.playground();
  const both = (value: string) =>
    play.desired(`${config(`a: "${value}"`, 'one')}---${config(`a: "${value}"`, 'two')}`);
  await play.run(both('1'));
  const plan = await play.plan(both('2'));
  const two = await play.live('v1', 'ConfigMap', 'two');
  const done: string[] = [];
  await assert.rejects(
    play.apply(plan, {
      approval: 'approved',
      inventory: {
        beforeStage: async () => void (await play.actAs('somebody', two, { data: { a: '3' } })),
        changed: (ref, action) => done.push(`${ref.name} ${action}`),
      },
    }),
    (error) => isPlumbError(error, 'PlanOutdated'),
  );
  assert.deepEqual(done, ['one configured']);
  assert.deepEqual((await play.live('v1', 'ConfigMap', 'two'))['data'], { a: '3' });
});

test('an approved plan holds when only the status changed since', async () => {
  const play = await cluster.playground();
  const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: $NS }
spec:
  replicas: REPLICAS
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx:1 }] }
`;
  await play.run(play.desired(deployment.replace('REPLICAS', '1')));
  const created = await play.live('apps/v1', 'Deployment', 'web');
  await waitUntilReady(play.ctx, [refOf(created)], { timeout: 120_000, failFast: true });
  const plan = await play.plan(play.desired(deployment.replace('REPLICAS', '2')));
  const shown = plan.changes[0]?.live ?? assert.fail();
  const after = await play.actAs('test', shown, { status: { observedGeneration: 99 } }, 'status');
  assert.notEqual(after.metadata.resourceVersion, shown.metadata.resourceVersion);
  assert.deepEqual(actionsOf(await play.apply(plan, { approval: 'approved' })), [
    'Deployment/web configured',
  ]);
});

test('an unattended run judges again what somebody wrote in between, take-over included', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(config('a: "1"')));
  const live = await play.live('v1', 'ConfigMap', 'settings');
  await play.actAs('kubectl-edit', live, { data: { extra: 'x' } });
  const plan = await play.plan(play.desired(config('a: "2"')));
  const changeSet = await play.apply(plan, {
    inventory: {
      ...noInventory,
      beforeStage: async () => void (await play.actAs('kubectl-edit', live, { data: { more: 'y' } })),
    },
  });
  assert.deepEqual(actionsOf(changeSet), ['ConfigMap/settings configured']);
  assert.deepEqual((await play.live('v1', 'ConfigMap', 'settings'))['data'], { a: '2' });
});

test('a cancelled apply returns what it has done and writes nothing more', async () => {
  const play = await cluster.playground();
  const abort = new AbortController();
  const ctx = runContext(cluster.client, abort.signal);
  const desired = play.desired(`${config('a: "1"', 'one')}---${config('a: "1"', 'two')}`);
  const plan = await planApply(ctx, desired, [], { owner: play.owner });
  const changeSet = await applyPlan(ctx, plan, {
    owner: play.owner,
    approval: 'unattended',
    inventory: { ...noInventory, changed: () => abort.abort() },
  });
  assert.deepEqual(actionsOf(changeSet), ['ConfigMap/one created']);
  await assert.rejects(play.live('v1', 'ConfigMap', 'two'), /not found/);
});

test('what the inventory cannot record is not written', async () => {
  const play = await cluster.playground();
  const plan = await play.plan(play.desired(config('a: "1"')));
  await assert.rejects(
    play.apply(plan, {
      inventory: { ...noInventory, beforeStage: () => Promise.reject(new Error('no status')) },
    }),
    /no status/,
  );
  await assert.rejects(play.live('v1', 'ConfigMap', 'settings'), /not found/);
});

test("a tenant's RoleBinding to a ClusterRole of the same set is judged when its stage comes", async () => {
  const play = await cluster.playground();
  const role = `reader-${unique}`;
  cleanUp.push(
    `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role}`,
    `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/tenant-${unique}`,
  );
  const tenant = `tenant-${unique}`;
  const binding = await cluster.sandbox.request(
    'POST',
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: tenant },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: tenant }],
    },
  );
  assert.equal(binding.status, 201);
  await cluster.sandbox.untilAllowed(tenant, { verb: '*', resource: '*', group: '*' });
  const ctx = runContext(cluster.client.impersonate({ userName: tenant, groups: ['system:authenticated'] }));
  const objects = objectsOf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${role} }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: readers, namespace: ${play.namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${role} }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: anybody }]
`);
  const plan = await planApply(ctx, desiredOf(objects, play.owner), [], { owner: play.owner });
  const changes = await applyPlan(ctx, plan, {
    owner: play.owner,
    approval: 'unattended',
    inventory: noInventory,
  });
  assert.deepEqual(actionsOf(changes), [`ClusterRole/${role} created`, 'RoleBinding/readers created']);
});

test('an identity without rights is refused before anything is written, and never falls back to the user', async () => {
  const play = await cluster.playground();
  const ctx = runContext(cluster.client.impersonate({ userName: `nobody-${unique}`, groups: [] }));
  const plan = await planApply(ctx, play.desired(config('a: "1"')), [], { owner: play.owner });
  await assert.rejects(
    applyPlan(ctx, plan, { owner: play.owner, approval: 'unattended', inventory: noInventory }),
    (error) => {
      assert.ok(isPlumbError(error, 'AccessDenied'));
      assert.equal(error.reason, 'ReconciliationFailed');
      assert.match(error.message, /User "nobody-/);
      return true;
    },
  );
  await assert.rejects(play.live('v1', 'ConfigMap', 'settings'), /not found/);
});

test('a namespaced object without a namespace is refused in upstream words', async () => {
  const play = await cluster.playground();
  const plan = await play.plan(play.desired('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: nowhere }'));
  await assert.rejects(
    play.apply(plan),
    /ConfigMap\/nowhere namespace not specified: the server could not find the requested resource$/,
  );
});

test('a cluster-scoped object that carries a namespace is recorded without it', async () => {
  const play = await cluster.playground();
  const name = `scoped-${unique}`;
  cleanUp.push(`/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`);
  const desired = play.desired(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${name}, namespace: $NS }
rules: []
`);
  const plan = await play.plan(desired, {}, [
    { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole', name },
  ]);
  assert.deepEqual(plan.stale, []);
  const changes = await play.apply(plan);
  assert.deepEqual(
    changes.map(({ ref }) => formatRef(ref)),
    [`ClusterRole/${name}`],
  );
  assert.equal(refOf(plan.changes[0]?.merged ?? assert.fail()).namespace, undefined);
});
