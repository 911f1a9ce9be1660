import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { formatRef, refOf } from '../../src/kube/object.ts';
import { actionsOf, ssaCluster, type Playground } from './ssaCluster.ts';

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
    spec:
      containers:
        - { name: web, image: nginx:1, ports: [{ containerPort: 80 }], env: [{ name: A, value: a }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: $NS }
data: { color: blue }
`;

/** Each field change as \`pointer: live → desired · cause · owners\`. */
async function changesOf(play: Playground, yaml: string, lastApplied = yaml): Promise<readonly string[]> {
  const applied = play.desired(lastApplied).objects.map(({ object }) => object);
  const plan = await play.plan(play.desired(yaml), {
    lastApplied: (desired) =>
      applied.find((object) => formatRef(refOf(object)) === formatRef(refOf(desired))),
  });
  return plan.changes.flatMap((change) =>
    change.fields.map((field) => {
      const owners = field.owners.map(
        (owner) => owner.manager + (owner.subresource ? `/${owner.subresource}` : ''),
      );
      return `${change.ref.kind} ${field.pointer}: ${JSON.stringify(field.live)} → ${JSON.stringify(field.desired)} · ${field.cause} · ${owners.join(', ')}`;
    }),
  );
}

test('unchanged objects are not written', async () => {
  const play = await cluster.playground();
  const desired = play.desired(web);
  assert.deepEqual(actionsOf(await play.run(desired)), [
    'ConfigMap/settings created',
    'Deployment/web created',
  ]);
  const before = await play.live('v1', 'ConfigMap', 'settings');
  assert.deepEqual(actionsOf(await play.run(desired)), [
    'ConfigMap/settings unchanged',
    'Deployment/web unchanged',
  ]);
  const after = await play.live('v1', 'ConfigMap', 'settings');
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
});

test('kubectl scale is drift by kubectl on the scale subresource, and is undone', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const live = await play.live('apps/v1', 'Deployment', 'web');
  await play.actAs('kubectl', live, { spec: { replicas: 5 } }, 'scale');
  assert.deepEqual(await changesOf(play, web), [
    'Deployment /spec/replicas: 5 → 2 · drifted · kubectl/scale',
  ]);
  assert.deepEqual(actionsOf(await play.run(play.desired(web))), [
    'ConfigMap/settings unchanged',
    'Deployment/web configured',
  ]);
  assert.equal(
    ((await play.live('apps/v1', 'Deployment', 'web')) as { spec?: { replicas?: number } }).spec?.replicas,
    2,
  );
});

test('a key added with kubectl edit is shown as will be removed, and is; one by another operator is left alone', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const live = await play.live('v1', 'ConfigMap', 'settings');
  await play.actAs('kubectl-edit', live, { data: { extra: 'x' } });
  await play.actAs('operator', live, { data: { op: 'y' } });
  assert.deepEqual(await changesOf(play, web), [
    'ConfigMap /data/extra: "x" → undefined · drifted · kubectl-edit',
  ]);
  const plan = await play.plan(play.desired(web));
  await play.apply(plan);
  const left = await play.live('v1', 'ConfigMap', 'settings');
  assert.deepEqual(left['data'], { color: 'blue', op: 'y' });
  assert.deepEqual(plan.changes[0]?.merged?.['data'], left['data']);
  assert.deepEqual(actionsOf(await play.run(play.desired(web)))[0], 'ConfigMap/settings unchanged');
});

test('a field that a take-over removes comes back with its default in the plan as in the cluster', async () => {
  const play = await cluster.playground();
  const withoutReplicas = web.replace('  replicas: 2\n', '');
  await play.run(play.desired(withoutReplicas));
  const live = await play.live('apps/v1', 'Deployment', 'web');
  await play.actAs('kubectl-edit', live, { spec: { replicas: 4 } });
  assert.deepEqual(await changesOf(play, withoutReplicas), [
    'Deployment /spec/replicas: 4 → 1 · drifted · kubectl-edit',
  ]);
  await play.run(play.desired(withoutReplicas));
  const after = await play.live('apps/v1', 'Deployment', 'web');
  assert.equal((after['spec'] as { replicas?: number }).replicas, 1);
});

test('an edit in Git is edited, a change in the cluster is drifted, both at once is both', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const edited = web.replace('color: blue', 'color: green').replace('nginx:1', 'nginx:2');
  const live = await play.live('v1', 'ConfigMap', 'settings');
  await play.actAs('kubectl-edit', live, { data: { color: 'red' } });
  assert.deepEqual(await changesOf(play, edited, web), [
    'ConfigMap /data/color: "red" → "green" · both · kubectl-edit',
    'Deployment /spec/template/spec/containers/0/image: "nginx:1" → "nginx:2" · edited · kustomize-controller',
  ]);
});

test('without the last applied revision managedFields decide the cause, or it is unknown', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const live = await play.live('v1', 'ConfigMap', 'settings');
  await play.actAs('kubectl-edit', live, { data: { color: 'red' } });
  const plan = await play.plan(
    play.desired(web.replace('nginx:1', 'nginx:2').replace('color: blue', 'color: blue, size: big')),
  );
  const causes = plan.changes.flatMap((change) =>
    change.fields.map((field) => `${field.pointer} ${field.cause}`),
  );
  assert.deepEqual(causes, [
    '/data/color drifted',
    '/data/size unknown',
    '/spec/template/spec/containers/0/image edited',
  ]);
});

test('a container added by hand is removed; one injected by an operator stays', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const live = await play.live('apps/v1', 'Deployment', 'web');
  const add = (name: string) => ({
    spec: { template: { spec: { containers: [{ name, image: 'x:1' }] } } },
  });
  for (const [manager, name] of [
    ['kubectl-patch', 'debug'],
    ['istio', 'proxy'],
  ] as const) {
    const answer = await play.ctx.cluster.patch(refOf(live), add(name), {
      type: 'strategic',
      fieldManager: manager,
    });
    assert.equal(answer.type, 'ok');
  }
  const plan = await play.plan(play.desired(web));
  await play.apply(plan);
  const names = (object: unknown) =>
    (
      object as { spec: { template: { spec: { containers: { name: string }[] } } } }
    ).spec.template.spec.containers.map((container) => container.name);
  const after = await play.live('apps/v1', 'Deployment', 'web');
  assert.deepEqual(names(after).sort(), ['proxy', 'web']);
  assert.deepEqual(names(plan.changes[1]?.merged).sort(), ['proxy', 'web']);
  assert.deepEqual(actionsOf(await play.run(play.desired(web)))[1], 'Deployment/web unchanged');
});

test('annotated objects are skipped, created only once, or merged', async () => {
  const play = await cluster.playground();
  const annotated = (value: string, data: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: noted, namespace: $NS, annotations: { kustomize.toolkit.fluxcd.io/ssa: ${value} } }
data: { a: "${data}" }
`;
  assert.deepEqual(actionsOf(await play.run(play.desired(annotated('IfNotPresent', '1')))), [
    'ConfigMap/noted created',
  ]);
  assert.deepEqual(actionsOf(await play.run(play.desired(annotated('ifnotpresent', '2')))), [
    'ConfigMap/noted skipped',
  ]);
  assert.deepEqual(actionsOf(await play.run(play.desired(annotated('Ignore', '2')))), [
    'ConfigMap/noted skipped',
  ]);
  const live = await play.live('v1', 'ConfigMap', 'noted');
  await play.actAs('kubectl-edit', live, { data: { mine: 'x' } });
  assert.deepEqual(actionsOf(await play.run(play.desired(annotated('Merge', '3')))), [
    'ConfigMap/noted configured',
  ]);
  assert.deepEqual((await play.live('v1', 'ConfigMap', 'noted'))['data'], { a: '3', mine: 'x' });
});

test('ignored fields are no drift, and keep their live value when the object is applied for another reason', async () => {
  const play = await cluster.playground();
  const ignore = [{ paths: ['/spec/replicas'], target: { kind: 'Deploy.*' } }];
  await play.run(play.desired(web), { ignore });
  const live = await play.live('apps/v1', 'Deployment', 'web');
  await play.actAs('hpa', live, { spec: { replicas: 7 } }, 'scale');
  assert.equal(actionsOf(await play.run(play.desired(web), { ignore }))[1], 'Deployment/web unchanged');
  const plan = await play.plan(play.desired(web.replace('nginx:1', 'nginx:2')), { ignore });
  assert.deepEqual(
    plan.changes[1]?.fields.map(({ pointer }) => pointer),
    ['/spec/template/spec/containers/0/image'],
  );
  await play.apply(plan, { ignore });
  const after = await play.live('apps/v1', 'Deployment', 'web');
  assert.equal((after['spec'] as { replicas?: number }).replicas, 7);
});

test('an immutable field is refused with what to do, and recreated with force', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const { uid } = (await play.live('apps/v1', 'Deployment', 'web')).metadata;
  const other = web.replaceAll('app: web', 'app: other');
  await assert.rejects(play.run(play.desired(other)), (error) => {
    assert.ok(isPlumbError(error, 'ReconciliationFailed'));
    assert.match(error.message, /^Deployment\/[^/]+\/web dry-run failed \(Invalid\): .*field is immutable/);
    assert.match(error.hint ?? '', /spec\.force/);
    assert.match(error.details.origin?.path ?? '', /Deployment/);
    return true;
  });
  const changes = await play.run(play.desired(other), { force: true });
  assert.equal(actionsOf(changes)[1], 'Deployment/web recreated');
  assert.notEqual((await play.live('apps/v1', 'Deployment', 'web')).metadata.uid, uid);
});

test('old marks of kubectl apply go with the first apply', async () => {
  const play = await cluster.playground();
  const desired = play.desired(web);
  await play.run(desired);
  const live = await play.live('v1', 'ConfigMap', 'settings');
  const mark = 'kubectl.kubernetes.io/last-applied-configuration';
  await play.actAs('kubectl-client-side-apply', live, { metadata: { annotations: { [mark]: '{}' } } });
  const plan = await play.plan(desired);
  assert.equal(plan.changes[0]?.action, 'configured');
  await play.apply(plan);
  const after = await play.live('v1', 'ConfigMap', 'settings');
  assert.equal(after.metadata.annotations?.[mark], undefined);
  const managers = (after.metadata['managedFields'] as { manager: string; operation: string }[]).map(
    ({ manager, operation }) => `${manager} ${operation}`,
  );
  assert.deepEqual(managers, ['kustomize-controller Apply']);
});

test('a plan names the place in Git of every field it changes', async () => {
  const play = await cluster.playground();
  await play.run(play.desired(web));
  const live = await play.live('v1', 'ConfigMap', 'settings');
  await play.actAs('kubectl-edit', live, { data: { color: 'red', extra: 'x' } });
  const plan = await play.plan(play.desired(web));
  const prefix = `ConfigMap/${play.namespace}/settings`;
  assert.deepEqual(
    plan.changes[0]?.fields.map(
      ({ pointer, origin }) => `${pointer} ${origin?.path.replace(prefix, '') ?? ''}`,
    ),
    ['/data/color /data/color', '/data/extra /data'],
  );
});
