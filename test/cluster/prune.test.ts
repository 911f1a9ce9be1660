import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { refOf, type ObjectRef } from '../../src/kube/object.ts';
import { ownerLabels } from '../../src/ssa/owner.ts';
import { previewPrune } from '../../src/ssa/previewPrune.ts';
import { pruneStale, type PruneRules } from '../../src/ssa/pruneStale.ts';
import { waitUntilReady } from '../../src/ssa/waitUntilReady.ts';
import { actionsOf, runContext, ssaCluster, type Playground } from './ssaCluster.ts';

const unique = randomBytes(3).toString('hex');
const cleanUp: string[] = [];
// Before the sandbox registers its own end: hooks run in that order.
after(() => Promise.all(cleanUp.map((path) => cluster.sandbox.request('DELETE', path))));
const cluster = await ssaCluster();

const config = (name: string, more = '') =>
  `\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: $NS ${more} }\n`;

function rulesOf({ owner }: Playground): PruneRules {
  return { ownerLabels: ownerLabels(owner), keepWhen: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } };
}

async function applied(play: Playground, yaml: string): Promise<readonly ObjectRef[]> {
  return (await play.run(play.desired(yaml))).map(({ ref }) => ref);
}

const widgetGroup = `p${unique}.example.com`;
const widgetDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.${widgetGroup} }
spec:
  group: ${widgetGroup}
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }]
`;
const widget = (name: string) =>
  `\n---\napiVersion: ${widgetGroup}/v1\nkind: Widget\nmetadata: { name: ${name}, namespace: $NS }\n`;

test('deletes what carries the labels of the owner, skips what asks to be kept or belongs to another, in reverse order', async () => {
  const play = await cluster.playground();
  const refs = await applied(
    play,
    config('a') +
      config('kept', ', annotations: { kustomize.toolkit.fluxcd.io/prune: Disabled }') +
      config('taken') +
      '\n---\napiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: $NS }\nspec: { ports: [{ port: 80 }] }',
  );
  const taken = await play.live('v1', 'ConfigMap', 'taken');
  await play.actAs('other', taken, { metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'other' } } });
  const never = { ...refOf(taken), name: 'never' };
  const told: string[] = [];
  const changes = await pruneStale(play.ctx, [...refs, never], {
    ...rulesOf(play),
    onChanged: (ref, action) => void told.push(`${ref.kind}/${ref.name} ${action}`),
  });
  const expected = [
    'Service/s deleted',
    'ConfigMap/taken skipped',
    'ConfigMap/never deleted',
    'ConfigMap/kept skipped',
    'ConfigMap/a deleted',
  ];
  assert.deepEqual(actionsOf(changes), expected);
  assert.deepEqual(told, expected);
  await assert.rejects(play.live('v1', 'ConfigMap', 'a'), /not found/);
  await play.live('v1', 'ConfigMap', 'kept');
  await play.live('v1', 'ConfigMap', 'taken');
});

test('a failed delete stays in the inventory: it is not told, and the others are still deleted', async () => {
  const play = await cluster.playground();
  const refs = await applied(
    play,
    `${config('a')}---\napiVersion: v1\nkind: Secret\nmetadata: { name: b, namespace: $NS }`,
  );
  const user = `pruner-${unique}`;
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${play.namespace}/roles`;
  const binding = `/apis/rbac.authorization.k8s.io/v1/namespaces/${play.namespace}/rolebindings`;
  const metadata = { name: user };
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'delete'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
  ];
  assert.equal((await play.sandbox.request('POST', role, { metadata, rules })).status, 201);
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user };
  assert.equal((await play.sandbox.request('POST', binding, { metadata, roleRef, subjects })).status, 201);
  const told: string[] = [];
  const pruner = cluster.client.impersonate({ userName: user, groups: ['system:authenticated'] });
  const { namespace } = play;
  for (const [verb, resource] of [
    ['get', 'secrets'],
    ['delete', 'configmaps'],
  ] as const)
    await play.sandbox.untilAllowed(user, { verb, resource, namespace });
  const ctx = runContext(pruner);
  await assert.rejects(
    pruneStale(ctx, refs, { ...rulesOf(play), onChanged: (ref) => void told.push(ref.name) }),
    (error) => {
      assert.ok(isPlumbError(error, 'PruneFailed'));
      assert.match(error.message, /delete failed, errors: Secret\/.*\/b .*cannot delete/);
      return true;
    },
  );
  assert.deepEqual(told, ['a']);
  await play.live('v1', 'Secret', 'b');
});

test('a definition stays while an object of it cannot be deleted', async () => {
  const play = await cluster.playground();
  const group = `stuck-${unique}.example.com`;
  const refs = await applied(play, `${widgetDefinition}${widget('kept')}`.replaceAll(widgetGroup, group));
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const name = `half-${unique}`;
  const rules = [
    { apiGroups: ['apiextensions.k8s.io'], resources: ['*'], verbs: ['*'] },
    { apiGroups: [group], resources: ['*'], verbs: ['get'] },
  ];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }];
  for (const [path, object] of [
    ['clusterroles', { metadata: { name }, rules }],
    ['clusterrolebindings', { metadata: { name }, roleRef, subjects }],
  ] as const) {
    assert.equal((await play.sandbox.request('POST', `${rbac}/${path}`, object)).status, 201);
    cleanUp.push(`${rbac}/${path}/${name}`);
  }
  cleanUp.push(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`);
  const pruner = cluster.client.impersonate({ userName: name, groups: ['system:authenticated'] });
  for (const [verb, resource, of] of [
    ['delete', 'customresourcedefinitions', 'apiextensions.k8s.io'],
    ['get', 'widgets', group],
  ] as const)
    await play.sandbox.untilAllowed(name, { verb, resource, group: of });
  await assert.rejects(pruneStale(runContext(pruner), refs, rulesOf(play)), (error) => {
    assert.ok(isPlumbError(error, 'PruneFailed'));
    assert.match(error.message, /Widget\/.*\/kept .*cannot delete/);
    assert.match(error.message, /CustomResourceDefinition\/widgets\..* is kept for what it defines/);
    return true;
  });
  for (const ref of refs) assert.equal((await cluster.client.get(ref)).type, 'ok');
});

test('an object of a kind that is served no more counts as gone', async () => {
  const play = await cluster.playground();
  const ref = {
    group: `gone-${unique}.example.com`,
    version: 'v1',
    kind: 'Lost',
    namespace: play.namespace,
    name: 'x',
  };
  assert.deepEqual(actionsOf(await pruneStale(play.ctx, [ref], rulesOf(play))), ['Lost/x deleted']);
});

test('an object recorded in a version that is served no more is deleted in the one that is', async () => {
  const play = await cluster.playground();
  const [ref] = await applied(play, config('a'));
  const old = { ...(ref as ObjectRef), version: 'v1beta9' };
  assert.deepEqual(actionsOf(await pruneStale(play.ctx, [old], rulesOf(play))), ['ConfigMap/a deleted']);
  await assert.rejects(play.live('v1', 'ConfigMap', 'a'), /not found/);
});

test('the preview of a Deployment names the pods and ReplicaSets it owns, and finalizers that will block', async () => {
  const play = await cluster.playground();
  const refs = await applied(
    play,
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: $NS, finalizers: [example.com/hold] }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx:1 }] }
`,
  );
  await waitUntilReady(play.ctx, refs, { timeout: 120_000, failFast: true });
  const [preview] = await previewPrune(play.ctx, refs, rulesOf(play));
  assert.equal(preview?.verdict.type, 'delete');
  assert.deepEqual(preview?.consequences.toSorted(), [
    '1 ReplicaSet object it owns',
    '2 Pod objects it owns',
    'it stays until example.com/hold is removed by its controller',
  ]);
  await play.actAs('test', preview?.verdict.type === 'delete' ? preview.verdict.live : assert.fail(), {
    metadata: { finalizers: null },
  });
});

test('the preview of a namespace names what nobody else prunes in it, volume claims as data loss', async () => {
  const play = await cluster.playground();
  const name = `doomed-${unique}`;
  cleanUp.push(`/api/v1/namespaces/${name}`);
  const refs = await applied(
    play,
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }${config('mine').replace('$NS', name)}`,
  );
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const created = await Promise.all([
    play.sandbox.request('POST', `/api/v1/namespaces/${name}/configmaps`, { metadata: { name: 'theirs' } }),
    play.sandbox.request('POST', `/api/v1/namespaces/${name}/persistentvolumeclaims`, {
      metadata: { name: 'data' },
      spec: claim,
    }),
  ]);
  assert.deepEqual(
    created.map(({ status }) => status),
    [201, 201],
  );
  const preview = await previewPrune(play.ctx, refs, rulesOf(play));
  const namespace = preview.find(({ ref }) => ref.kind === 'Namespace');
  assert.deepEqual(namespace?.consequences.toSorted(), [
    '1 ConfigMap object in it that nobody else prunes',
    '1 PersistentVolumeClaim object in it that nobody else prunes, data loss: the data of the volume, unless its reclaim policy is Retain',
  ]);
});

test('the preview of a definition counts the custom resources that vanish in the whole cluster', async () => {
  const play = await cluster.playground();
  const other = await cluster.playground();
  cleanUp.push(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${widgetGroup}`);
  const refs = await applied(play, widgetDefinition + widget('one') + widget('two'));
  await applied(other, widget('three'));
  const preview = await previewPrune(play.ctx, refs, rulesOf(play));
  const definition = preview.find(({ ref }) => ref.kind === 'CustomResourceDefinition');
  assert.deepEqual(definition?.consequences, ['3 Widget objects in 2 namespaces of the cluster']);
});

test('the preview survives objects that cannot be read, and says what it does not know', async () => {
  const play = await cluster.playground();
  const refs = await applied(play, config('a'));
  const ctx = runContext(cluster.client.impersonate({ userName: `nobody-${unique}`, groups: [] }));
  const [preview] = await previewPrune(ctx, refs, rulesOf(play));
  assert.equal(preview?.verdict.type, 'unknown');
});
