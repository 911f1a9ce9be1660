import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { Secret } from '../../src/base/secret.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import { defaultProfile } from '../../src/flux/controllerProfile.ts';
import { startFaultProxy } from '../servers/faultProxy.ts';
import { conditionTexts, configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'life');

function manifest(name: string, extra = ''): string {
  return inNamespace(fleet.namespace, configMap(name, { key: '1' }, extra));
}

const keep = '  annotations:\n    kustomize.toolkit.fluxcd.io/prune: Disabled\n';

test('what left the build is pruned, unless it asks to stay, and an event tells both', async () => {
  await fleet.commit({
    'prune/a.yaml': manifest('pa'),
    'prune/b.yaml': manifest('pb'),
    'prune/c.yaml': manifest('pc', keep),
  });
  const ref = await fleet.kustomization('prune');
  await fleet.run(ref);
  await fleet.commit({ 'prune/b.yaml': null, 'prune/c.yaml': null });
  const from = flux.events.length;
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'pb')), false);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'pc')), true);
  assert.deepEqual(
    (await fleet.read(ref)).status?.inventory?.entries.map(({ id }) => id),
    [`${fleet.namespace}_pa__ConfigMap`],
  );
  const lines = flux.events[from]?.message.split('\n').sort();
  assert.deepEqual(lines, [
    `ConfigMap/${fleet.namespace}/pb deleted`,
    `ConfigMap/${fleet.namespace}/pc skipped`,
  ]);
});

test('without prune stale objects stay and leave the inventory', async () => {
  await fleet.commit({ 'noprune/a.yaml': manifest('na'), 'noprune/b.yaml': manifest('nb') });
  const ref = await fleet.kustomization('noprune', { prune: false });
  await fleet.run(ref);
  await fleet.commit({ 'noprune/b.yaml': null });
  await fleet.run(ref);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'nb')), true);
  assert.equal((await fleet.read(ref)).status?.inventory?.entries.length, 1);
});

test('an object that another Kustomization took over is not pruned', async () => {
  await fleet.commit({ 'left/a.yaml': manifest('shared'), 'right/keep.yaml': manifest('right-own') });
  const left = await fleet.kustomization('left');
  const right = await fleet.kustomization('right');
  await fleet.run(left);
  await fleet.commit({
    'left/a.yaml': null,
    'left/other.yaml': manifest('left-own'),
    'right/a.yaml': manifest('shared'),
  });
  await fleet.run(right);
  await fleet.run(left);
  const live = await flux.get(fleet.ref('ConfigMap', 'shared'));
  assert.equal(live.metadata.labels?.['kustomize.toolkit.fluxcd.io/name'], 'right');
});

test('a refused delete fails the run with PruneFailed and stays in the inventory', async () => {
  await fleet.commit({ 'stuck/a.yaml': manifest('sa'), 'stuck/b.yaml': manifest('sb') });
  const ref = await fleet.kustomization('stuck', { serviceAccountName: 'writer' });
  await grantWriter(['get', 'list', 'create', 'update', 'patch']);
  assert.equal((await fleet.run(ref)).result, 'succeeded');
  await fleet.commit({ 'stuck/b.yaml': null });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.reason, 'PruneFailed');
  const object = await fleet.read(ref);
  assert.deepEqual(
    object.status?.inventory?.entries.map(({ id }) => id),
    [`${fleet.namespace}_sa__ConfigMap`, `${fleet.namespace}_sb__ConfigMap`],
  );
  assert.equal(object.status?.history?.[0]?.lastReconciledStatus, 'PruneFailed');
  await grantWriter(['*']);
  assert.equal((await fleet.run(ref)).result, 'succeeded');
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'sb')), false);
});

test('a run without the rights for an object fails with the server’s words and writes nothing', async () => {
  await fleet.commit({ 'denied/a.yaml': manifest('da') });
  const ref = await fleet.kustomization('denied', { serviceAccountName: 'nobody' });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'failed');
  assert.match(outcome.message, /system:serviceaccount:life-[0-9a-f]+:nobody/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'da')), false);
});

test('a suspended Kustomization does nothing and answers the request', async () => {
  await fleet.commit({ 'asleep/a.yaml': manifest('asleep') });
  const ref = await fleet.kustomization('asleep', { suspend: true });
  await flux.client.patch(
    ref,
    { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'token' } } },
    { type: 'merge', fieldManager: 'test' },
  );
  assert.equal((await fleet.run(ref)).result, 'suspended');
  assert.equal((await fleet.read(ref)).status?.lastHandledReconcileAt, 'token');
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'asleep')), false);
});

test('an override reconciles a suspended Kustomization and writes its inventory only', async () => {
  await fleet.commit({ 'over/a.yaml': manifest('over') });
  const ref = await fleet.kustomization('over', { suspend: true });
  await fleet.run(ref);
  const before = (await fleet.read(ref)).status;
  const outcome = await fleet.run(ref, { isOverridden: () => true });
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'over')), true);
  const { status } = await fleet.read(ref);
  assert.deepEqual(status?.inventory?.entries, [{ id: `${fleet.namespace}_over__ConfigMap`, v: 'v1' }]);
  assert.deepEqual({ ...status, inventory: undefined }, { ...before, inventory: undefined });
});

for (const [policy, prune, stays] of [
  ['MirrorPrune', true, false],
  ['MirrorPrune', false, true],
  ['Delete', false, false],
  ['WaitForTermination', false, false],
  ['Orphan', true, true],
] as const) {
  test(`deletion policy ${policy} with prune ${prune} ${stays ? 'leaves' : 'deletes'} the objects`, async () => {
    const name = `del-${policy.toLowerCase()}-${prune}`;
    await fleet.commit({ [`${name}/a.yaml`]: manifest(name) });
    const ref = await fleet.kustomization(name, { deletionPolicy: policy, prune });
    await fleet.run(ref);
    await flux.client.delete(ref);
    assert.equal((await fleet.run(ref)).result, 'deleted');
    assert.equal(await flux.exists(ref), false);
    assert.equal(await flux.exists(fleet.ref('ConfigMap', name)), stays);
  });
}

/** A ConfigMap that somebody's finalizer keeps, and what takes the finalizer away. */
async function heldBack(name: string): Promise<() => Promise<void>> {
  const finalizers = (list: readonly string[]): Promise<unknown> =>
    flux.client.patch(
      fleet.ref('ConfigMap', name),
      { metadata: { finalizers: list } },
      { type: 'merge', fieldManager: 'holder' },
    );
  await finalizers(['plumb.example/hold']);
  return async () => void (await finalizers([]));
}

test('WaitForTermination keeps the Kustomization until its objects are gone', async () => {
  await fleet.commit({ 'patient/a.yaml': manifest('patient') });
  const ref = await fleet.kustomization('patient', { deletionPolicy: 'WaitForTermination' });
  await fleet.run(ref);
  const release = await heldBack('patient');
  await flux.client.delete(ref);
  let isOver = false;
  const ending = fleet.run(ref).then((outcome) => {
    isOver = true;
    return outcome;
  });
  await flux.sandbox.waitFor(
    `/api/v1/namespaces/${fleet.namespace}/configmaps/patient`,
    ({ metadata }) => (metadata as { readonly deletionTimestamp?: string }).deletionTimestamp !== undefined,
  );
  assert.deepEqual([isOver, await flux.exists(ref)], [false, true]);
  await release();
  assert.equal((await ending).result, 'deleted');
  assert.deepEqual(
    [await flux.exists(ref), await flux.exists(fleet.ref('ConfigMap', 'patient'))],
    [false, false],
  );
});

test('a wait for the end of the objects that runs out is told, and the Kustomization goes all the same', async () => {
  await fleet.commit({ 'held/a.yaml': manifest('held') });
  const ref = await fleet.kustomization('held', { deletionPolicy: 'WaitForTermination' });
  await fleet.run(ref);
  const release = await heldBack('held');
  await flux.client.delete(ref);
  const before = flux.events.length;
  // The shortest timeout there is, 30 s, without the wait.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal),
  };
  assert.equal((await fleet.run(ref, { clock })).result, 'deleted');
  assert.deepEqual(
    flux.events.slice(before).map(({ message }) => message),
    [`ConfigMap/${fleet.namespace}/held deleted`, 'failed to wait for resources termination'],
  );
  assert.deepEqual(
    [await flux.exists(ref), await flux.exists(fleet.ref('ConfigMap', 'held'))],
    [false, true],
  );
  await release();
});

for (const [what, status] of [
  ['may not be read', 403],
  ['cannot be read for now', 500],
] as const)
  test(`a service account that ${what} leaves no objects behind: the deletion is tried again`, async () => {
    const name = `unread-${status}`;
    await fleet.commit({ [`${name}/a.yaml`]: manifest(name) });
    const ref = await fleet.kustomization(name, { serviceAccountName: 'writer' });
    await grantWriter(['*']);
    assert.equal((await fleet.run(ref)).result, 'succeeded');
    await flux.client.delete(ref);
    const proxy = await startFaultProxy(flux.sandbox.kubeconfig, ({ path }) =>
      path.endsWith('/serviceaccounts/writer')
        ? {
            type: 'answer',
            status,
            body: JSON.stringify({ kind: 'Status', code: status, message: 'not now' }),
          }
        : undefined,
    );
    const cluster = await createClusterClient({
      kubeconfig: { text: new Secret(proxy.kubeconfigText), subject: 'test' },
      log: silentLogger,
    });
    try {
      await assert.rejects(
        fleet.run(ref, { cluster }),
        /ServiceAccount\/.*\/writer: cannot be read.*not now/,
      );
    } finally {
      cluster.close();
      await proxy.close();
    }
    assert.deepEqual([await flux.exists(ref), await flux.exists(fleet.ref('ConfigMap', name))], [true, true]);
    assert.equal((await fleet.run(ref)).result, 'deleted');
    assert.equal(await flux.exists(fleet.ref('ConfigMap', name)), false);
  });

test('deleting a suspended Kustomization orphans its objects', async () => {
  await fleet.commit({ 'orphan/a.yaml': manifest('orphan') });
  const ref = await fleet.kustomization('orphan');
  await fleet.run(ref);
  await fleet.kustomization('orphan', { suspend: true });
  await flux.client.delete(ref);
  await fleet.run(ref);
  assert.equal(await flux.exists(ref), false);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'orphan')), true);
});

test('dependents wait for the dependency, and for its revision when both read one source', async () => {
  await fleet.commit({ 'base/a.yaml': manifest('base'), 'top/a.yaml': manifest('top') });
  const top = await fleet.kustomization('top', { dependsOn: [{ name: 'base' }] });
  const from = flux.events.length;
  const outcome = await fleet.run(top);
  assert.deepEqual(
    [outcome.reason, outcome.errorKind, outcome.next],
    ['DependencyNotReady', 'waiting', { type: 'after', delay: 30_000 }],
  );
  assert.match(outcome.message, new RegExp(`^dependency '${fleet.namespace}/base' not found: `));
  assert.equal(flux.events[from]?.message, 'Dependencies do not meet ready condition, retrying in 30s');

  const base = await fleet.kustomization('base');
  assert.equal((await fleet.run(top)).message, `dependency '${fleet.namespace}/base' is not ready`);
  await fleet.run(base);
  assert.equal((await fleet.run(top)).result, 'succeeded');
  await fleet.commit({ 'base/a.yaml': manifest('base', '  labels: {x: y}\n') });
  assert.equal(
    (await fleet.run(top)).message,
    `dependency '${fleet.namespace}/base' revision is not up to date`,
  );
});

test('readyExpr decides instead of the built-in check, and a broken one stalls', async () => {
  await fleet.commit({ 'expr/a.yaml': manifest('expr') });
  const dependsOn = [
    { name: 'expr-base', readyExpr: "dep.metadata.labels['phase'] == 'go' && self.spec.prune" },
  ];
  const ref = await fleet.kustomization('expr', { dependsOn });
  const base = await fleet.kustomization('expr-base');
  const label = (phase: string): Promise<unknown> =>
    flux.client.patch(base, { metadata: { labels: { phase } } }, { type: 'merge', fieldManager: 'test' });
  assert.match((await fleet.run(ref)).message, /no such key: labels|no such key/);
  await label('stop');
  const name = `${fleet.namespace}/expr-base`;
  assert.equal(
    (await fleet.run(ref)).message,
    `dependency '${name}' is not ready according to readyExpr eval`,
  );
  await label('go');
  assert.equal((await fleet.run(ref)).result, 'succeeded');
  await fleet.kustomization('expr', { dependsOn: [{ name: 'expr-base', readyExpr: 'dep.' }] });
  const outcome = await fleet.run(ref);
  assert.deepEqual(
    [outcome.reason, outcome.errorKind, outcome.next.type],
    ['InvalidCELExpression', 'stalled', 'done'],
  );
  assert.match(
    outcome.message,
    /^Reconciliation failed terminally due to configuration error: terminal error: failed to evaluate dependency expr-base: /,
  );
});

test('a missing source waits for the retry interval, one without artifact for the dependency interval', async () => {
  const ref = await fleet.kustomization('lost', {
    sourceRef: { kind: 'GitRepository', name: 'nowhere' },
    retryInterval: '3m',
  });
  const outcome = await fleet.run(ref);
  assert.deepEqual([outcome.reason, outcome.next], ['ArtifactFailed', { type: 'after', delay: 180_000 }]);
  assert.equal(outcome.message, 'GitRepository.source.toolkit.fluxcd.io "nowhere" not found');
  await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'nowhere', namespace: fleet.namespace },
    spec: { interval: '1m', url: 'https://nowhere.example/x' },
  });
  assert.equal((await fleet.run(ref)).message, 'Source artifact not found, retrying in 30s');
});

test('a source of another namespace is refused where the controllers forbid it', async () => {
  const ref = await fleet.kustomization('foreign', {
    sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' },
  });
  const outcome = await fleet.run(ref, { profile: { ...defaultProfile, noCrossNamespaceRefs: true } });
  assert.deepEqual([outcome.errorKind, outcome.next.type], ['stalled', 'done']);
  const message =
    "can't access 'GitRepository/flux-system/fleet', cross-namespace references have been blocked";
  const object = await fleet.read(ref);
  assert.deepEqual(conditionTexts(object), [
    `Stalled=True AccessDenied: ${message}`,
    `Ready=False AccessDenied: ${message}`,
  ]);
  // Only what the object itself says wrong counts as observed.
  assert.equal(object.status?.observedGeneration, -1);
});

test('a path that is not there fails with ArtifactFailed', async () => {
  const ref = await fleet.kustomization('nopath', { path: './none' });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.reason, 'ArtifactFailed');
  assert.match(outcome.message, /^kustomization path not found: /);
  const { status } = await fleet.read(ref);
  assert.equal(status?.lastAttemptedRevision, undefined);
  assert.match(
    conditionTexts({ status: status ?? {} })[0] ?? '',
    /^Reconciling=True .*: Fetching manifests /,
  );
});

test('an encrypted Secret without decryption fails before anything is applied', async () => {
  const secret =
    'apiVersion: v1\nkind: Secret\nmetadata:\n  name: enc\nstringData:\n  a: ENC[x]\nsops:\n  mac: ENC[y]\n';
  await fleet.commit({
    'enc/a.yaml': manifest('enc-before'),
    'enc/b.yaml': inNamespace(fleet.namespace, secret),
  });
  const ref = await fleet.kustomization('enc');
  const outcome = await fleet.run(ref);
  assert.match(outcome.message, /is SOPS encrypted, configuring decryption is required/);
  assert.equal(await flux.exists(fleet.ref('ConfigMap', 'enc-before')), false);
  const { status } = await fleet.read(ref);
  assert.match(conditionTexts({ status: status ?? {} })[0] ?? '', /^Reconciling=True .*: Detecting drift /);
  assert.equal(status?.history?.[0]?.lastReconciledStatus, 'ReconciliationFailed');
});

test('variables come from ConfigMaps, Secrets and the Kustomization, later ones winning', async () => {
  await flux.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'vars', namespace: fleet.namespace },
    data: { a: 'cm', b: 'cm', c: 'cm' },
  });
  await flux.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'vars', namespace: fleet.namespace },
    stringData: { b: 'secret', c: 'secret' },
  });
  await fleet.commit({
    'vars/a.yaml': inNamespace(
      fleet.namespace,
      configMap('substituted', { a: '${a}', b: '${b}', c: '${c}', d: '${d:=default}' }),
    ),
  });
  const ref = await fleet.kustomization('vars', {
    postBuild: {
      substitute: { c: 'inline' },
      substituteFrom: [
        { kind: 'ConfigMap', name: 'vars' },
        { kind: 'Secret', name: 'vars' },
        { kind: 'ConfigMap', name: 'absent', optional: true },
      ],
    },
  });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.deepEqual((await flux.get(fleet.ref('ConfigMap', 'substituted')))['data'], {
    a: 'cm',
    b: 'secret',
    c: 'inline',
    d: 'default',
  });
  await fleet.kustomization('vars', {
    postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'absent' }] },
  });
  const failed = await fleet.run(ref);
  assert.equal(failed.reason, 'BuildFailed');
  assert.match(failed.message, /substitute from 'ConfigMap\/absent' error: /);
});

async function grantWriter(verbs: readonly string[]): Promise<void> {
  const { namespace } = fleet;
  await flux.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'writer', namespace } });
  await flux.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'writer', namespace },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }],
  });
  await flux.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'writer', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer' },
    subjects: [{ kind: 'ServiceAccount', name: 'writer', namespace }],
  });
  for (const verb of verbs)
    await flux.sandbox.untilAllowed(`system:serviceaccount:${namespace}:writer`, {
      verb,
      resource: 'configmaps',
      namespace,
    });
}
