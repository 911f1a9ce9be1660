import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { configMap } from './fluxCluster.ts';
import { nextEvent, sharedFleet } from './sharedFleet.ts';

const fleet = await sharedFleet();
const { flux, namespace } = fleet;
const { sandbox } = flux;
const child = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'child' },
  spec: {
    interval: '1h',
    path: './after',
    prune: false,
    suspend: false,
    targetNamespace: namespace,
    sourceRef: { kind: 'GitRepository', name: 'fleet' },
  },
};
await fleet.write({
  'apps/settings.yaml': configMap('settings', { color: 'blue' }),
  'after/after.yaml': configMap('after', { color: 'blue' }),
  'parent/child.yaml': JSON.stringify(child),
});
await fleet.publish();
// Without the flag a dependent waits 30 s for its next try.
await fleet.startController(['--requeue-dependency=1s']);
const apps = await fleet.kustomization('apps');
const after = await fleet.kustomization('after', { dependsOn: [{ name: 'apps' }] });
for (const ref of [apps, after]) await fleet.untilReady(ref);

function pathOf({ name }: ObjectRef): string {
  return `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${name}`;
}

function configMapRef(name: string): ObjectRef {
  return { group: '', version: 'v1', kind: 'ConfigMap', namespace, name };
}

async function color(name = 'settings'): Promise<string | undefined> {
  return (await flux.get<{ readonly data?: Readonly<Record<string, string>> }>(configMapRef(name))).data?.[
    'color'
  ];
}

function suspendOf(kustomization: Kustomization): boolean | undefined {
  return kustomization.spec.suspend;
}

async function paint(text: string): Promise<void> {
  await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: text }) });
}

async function start(engine: Engine, ref: ObjectRef): Promise<void> {
  const { id } = await engine.planOverride(ref);
  await engine.startOverride(id, 'object');
}

/** The system's clock, wrong by so much; `offset` may change while it runs, as when a laptop sleeps. */
function skewedClock(skew: { offset: number }) {
  return { ...systemClock, now: () => systemClock.now() + skew.offset };
}

function endOf(engine: Engine): Promise<string> {
  return nextEvent(engine, (event) => (event.type === 'overrideEnded' ? event.why : undefined));
}

test('an override suspends by handshake, writes the folder, leaves status to the controller, and restores', async () => {
  await paint('red');
  const engine = await fleet.engine();
  const before = await flux.get<Kustomization>(apps);
  await start(engine, apps);
  const overridden = await flux.get<Kustomization>(apps);
  assert.equal(suspendOf(overridden), true);
  const { annotations = {} } = overridden.metadata;
  assert.equal(overridden.status?.lastHandledReconcileAt, annotations['reconcile.fluxcd.io/requestedAt']);
  assert.deepEqual(
    Object.keys(annotations)
      .filter((name) => name.startsWith('plumb.dev/'))
      .sort(),
    [
      'plumb.dev/override-by',
      'plumb.dev/override-previous-suspend',
      'plumb.dev/override-since',
      'plumb.dev/override-until',
      'plumb.dev/override-where',
    ],
  );
  assert.equal(await color(), 'blue');
  const run = await engine.reconcile(apps, false);
  assert.equal(run.ready, true, run.message);
  assert.equal(await color(), 'red');
  const { status } = await flux.get<Kustomization>(apps);
  assert.deepEqual(
    [status?.conditions, status?.lastAppliedRevision, status?.lastAttemptedRevision, status?.history],
    [
      before.status?.conditions,
      before.status?.lastAppliedRevision,
      before.status?.lastAttemptedRevision,
      before.status?.history,
    ],
  );
  const [node] = (await engine.tree()).workloads.filter(({ ref }) => ref.name === 'apps');
  assert.equal(node?.overriddenBy, annotations['plumb.dev/override-by']);
  // Dependents go on: they compare revisions.
  assert.equal((await engine.reconcile(after, false)).reason, 'ReconciliationSucceeded');
  await engine.endOverride(apps);
  await fleet.untilReady(apps);
  assert.equal(await color(), 'blue');
  const restored = await flux.get<Kustomization>(apps);
  assert.equal(suspendOf(restored), undefined);
  assert.deepEqual(
    Object.keys(restored.metadata.annotations ?? {}).filter((name) => name.startsWith('plumb.dev/')),
    [],
  );
});

test('no override starts where the policy of the controllers cannot be read', async () => {
  const rules = [
    { apiGroups: ['*'], resources: ['kustomizations', 'gitrepositories', 'leases'], verbs: ['*'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list'] },
  ];
  const kind = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'override-developer' } };
  await flux.apply({ ...kind, kind: 'ClusterRole', rules });
  await flux.apply({
    ...kind,
    kind: 'ClusterRoleBinding',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: kind.metadata.name },
    subjects: [{ kind: 'User', name: 'developer', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  const { client } = flux;
  const developer = client.impersonate({ userName: 'developer', groups: [] });
  const engine = await fleet.engine(
    {},
    {
      connect: () =>
        Promise.resolve({ cluster: { ...developer, close: () => undefined }, context: 'sandbox' }),
    },
  );
  await assert.rejects(
    engine.planOverride(apps),
    (error) =>
      isPlumbError(error, 'AccessDenied') &&
      /policy of the installed controllers cannot be read/.test(error.message) &&
      /Deployments/.test(error.hint ?? ''),
  );
  const { spec, metadata } = await flux.get<Kustomization>(apps);
  assert.equal(suspendOf({ spec } as Kustomization), undefined);
  assert.doesNotMatch(JSON.stringify(metadata.annotations ?? {}), /plumb\.dev/);
});

test('nothing is written before the controller’s running reconcile has ended', async () => {
  const slow = await fleet.kustomization('slow', {
    path: './apps',
    prune: false,
    timeout: '10m',
    healthChecks: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'late', namespace }],
  });
  await sandbox.waitFor(pathOf(slow), (object) => JSON.stringify(object).includes('Running health checks'));
  await paint('green');
  const engine = await fleet.engine();
  let isStarted = false;
  const starting = start(engine, slow).then(() => (isStarted = true));
  await sandbox.waitFor(pathOf(slow), (object) => suspendOf(object as unknown as Kustomization) === true);
  await assert.rejects(
    engine.reconcile(slow, false),
    (error) => isPlumbError(error, 'ModeForbids') && /suspended/.test(error.message),
  );
  assert.deepEqual([isStarted, await color()], [false, 'blue']);
  await flux.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace } });
  await starting;
  assert.equal((await engine.reconcile(slow, false)).ready, true);
  assert.equal(await color(), 'green');
  const ended = endOf(engine);
  await flux.client.delete(slow);
  await ended;
});

test('a resume by somebody else ends the override at once: nothing more is written', async () => {
  const engine = await fleet.engine();
  await start(engine, apps);
  const ended = endOf(engine);
  await flux.client.patch(
    apps,
    { spec: { suspend: false } },
    { type: 'merge', fieldManager: 'kustomize-controller' },
  );
  assert.match(await ended, /somebody resumed it/);
  await sandbox.waitFor(pathOf(apps), (object) => !JSON.stringify(object).includes('plumb.dev/override'));
  await fleet.untilReady(apps);
  const plan = await engine.plan(apps, 'workingTree');
  assert.ok(
    plan.warnings.some((text) => /suspends it for one run/.test(text)),
    plan.warnings.join('; '),
  );
  // The next request goes to the controller again.
  await engine.reconcile(apps, false);
  assert.equal(await color(), 'blue');
});

test('a real parent whose Git says suspend: false resumes what is overridden, and that ends the override', async () => {
  const parent = await fleet.kustomization('parent');
  await fleet.untilReady(parent);
  const ref = { ...parent, name: 'child' };
  await fleet.untilReady(ref);
  const engine = await fleet.engine();
  await start(engine, ref);
  assert.equal(suspendOf(await flux.get<Kustomization>(ref)), true);
  const ended = endOf(engine);
  // Asked by annotation: in observe mode the controller in the cluster runs the parent.
  assert.equal((await engine.reconcile(parent, false)).reason, 'ReconciliationSucceeded');
  assert.match(await ended, /somebody resumed it, as a parent does whose Git says so/);
  await fleet.untilReady(ref);
  assert.equal(suspendOf(await flux.get<Kustomization>(ref)), false);
});

test('a deletion ends the override, and an object deleted while suspended keeps its objects', async () => {
  const engine = await fleet.engine();
  const doomed = await fleet.kustomization('doomed', { path: './after' });
  await fleet.untilReady(doomed);
  await start(engine, doomed);
  const ended = endOf(engine);
  await flux.client.delete(doomed);
  assert.match(await ended, /deleted|deletion/);
  assert.equal(await flux.exists(configMapRef('after')), true);
});

test('somebody else’s suspend is named before it is passed over, and is there again afterwards', async () => {
  const engine = await fleet.engine();
  await flux.client.patch(
    apps,
    { spec: { suspend: true } },
    { type: 'merge', fieldManager: 'kubectl-patch' },
  );
  const plan = await engine.planOverride(apps);
  assert.equal(plan.suspendedBy?.manager, 'kubectl-patch');
  await engine.startOverride(plan.id, 'object');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  assert.equal(await color(), 'green');
  await engine.endOverride(apps);
  assert.equal(suspendOf(await flux.get<Kustomization>(apps)), true);
  await engine.resume(apps);
  await fleet.untilReady(apps);
  assert.equal(await color(), 'blue');
});

test('a suspend that came after it was shown makes the override outdated', async () => {
  const engine = await fleet.engine();
  const plan = await engine.planOverride(apps);
  await flux.client.patch(
    apps,
    { spec: { suspend: true } },
    { type: 'merge', fieldManager: 'kubectl-patch' },
  );
  await assert.rejects(engine.startOverride(plan.id, 'object'), (error) =>
    isPlumbError(error, 'PlanOutdated'),
  );
  await engine.resume(apps);
  await fleet.untilReady(apps);
});

test('an approved apply in observe mode is an override for one run', async () => {
  const engine = await fleet.engine();
  const plan = await engine.plan(apps, 'workingTree');
  const run = await engine.apply(plan.id);
  assert.deepEqual(
    run.changeSet.map(({ ref, action }) => `${ref.name} ${action}`),
    ['settings configured'],
  );
  await fleet.untilReady(apps);
  assert.equal(await color(), 'blue');
});

test('another Plumb’s override is respected; one whose process is gone is cleaned up with what was before', async () => {
  const [first, second] = [await fleet.engine(), await fleet.engine()];
  await start(first, apps);
  await assert.rejects(
    second.planOverride(apps),
    (error) => isPlumbError(error, 'ModeForbids') && /is overridden by .*@/.test(error.message),
  );
  await assert.rejects(second.endOverride(apps), (error) => isPlumbError(error, 'ModeForbids'));
  const gone = { metadata: { annotations: { 'plumb.dev/override-until': '2020-01-01T00:00:00Z' } } };
  await flux.client.patch(apps, gone, { type: 'merge', fieldManager: 'plumb' });
  await second.endOverride(apps);
  await fleet.untilReady(apps);
});

for (const hours of [-3, 3])
  test(`a clock that is wrong by ${hours} hours neither ends an override for others nor makes it last`, async () => {
    const skewed = await fleet.engine({}, { clock: skewedClock({ offset: hours * 3_600_000 }) });
    const other = await fleet.engine();
    await start(skewed, apps);
    await assert.rejects(other.planOverride(apps), (error) => isPlumbError(error, 'ModeForbids'));
    const { annotations = {} } = (await flux.get<Kustomization>(apps)).metadata;
    const left = Date.parse(annotations['plumb.dev/override-until'] ?? '') - Date.now();
    assert.ok(left > 10 * 60_000 && left <= 16 * 60_000, `${left} ms left`);
    await skewed.endOverride(apps);
    await fleet.untilReady(apps);
  });

test('after a sleep that was longer than the override holds nothing is written, and the object is given back', async () => {
  await paint('black');
  const skew = { offset: 0 };
  const engine = await fleet.engine({}, { clock: skewedClock(skew) });
  await start(engine, apps);
  const before = await color();
  const ended = endOf(engine);
  skew.offset = 3_600_000;
  const run = await engine.reconcile(apps, false);
  assert.deepEqual([run.ready, run.changeSet], [false, []]);
  assert.match(run.message, /the override is over: it was not kept in time/);
  assert.match(await ended, /not kept in time, as after a sleep/);
  await fleet.untilReady(apps);
  assert.equal(await color(), before);
  await sandbox.waitFor(pathOf(apps), (object) => !JSON.stringify(object).includes('plumb.dev/override'));
});

test('closing the engine restores what it overrides', async () => {
  const engine = await fleet.engine();
  await start(engine, apps);
  await engine.dispose();
  await fleet.untilReady(apps);
});
