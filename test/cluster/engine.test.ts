import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import { loggerTo, silentLogger } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import { fluxCrds } from '../../src/flux/crds.gen.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import type { FluxNode, TreeView } from '../../src/protocol/views.ts';
import { startGitHttpServer, type GitHttpServer } from '../servers/gitHttpServer.ts';
import { runGit } from '../servers/gitRepository.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

const apps: ObjectRef = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'apps',
};
const web: ObjectRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const settings: ObjectRef = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  namespace: 'shop',
  name: 'settings',
};

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
`;
const configMap = `apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: shop }
data: { greeting: hello }
`;

// At the top of the file: an `after` registered inside a hook would run with the hook.
const sandbox = await ownSandboxCluster();
let cluster: ClusterClient;
let git: GitHttpServer;
let folder = '';
let clone = '';
let engine: Engine;

before(async () => {
  cluster = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: silentLogger });
  git = await startGitHttpServer();
  folder = await mkdtemp(join(tmpdir(), 'plumb-engine-'));
  clone = join(folder, 'fleet');
  const { url } = await git.createRepository('fleet');
  await runGit(folder, ['clone', '--quiet', url, clone]);
  await writeFile(join(clone, 'web.yaml'), deployment);
  await writeFile(join(clone, 'settings.yaml'), configMap);
  await push('Add the shop');
  for (const name of ['flux-system', 'shop'])
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const crd of fluxCrds) await apply(crd);
  for (const crd of fluxCrds)
    await sandbox.waitFor(
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`,
      (object) => JSON.stringify(object['status'] ?? {}).includes('"type":"Established"'),
    );
  await apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: 'flux-system' },
    spec: { interval: '10m', url, ref: { branch: 'main' } },
  });
  await apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'flux-system' },
    spec: {
      interval: '10m',
      prune: true,
      wait: true,
      path: './',
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    },
  });
  engine = await openEngine();
});

after(async () => {
  await engine.dispose();
  cluster.close();
  await git.close();
  await rm(folder, { recursive: true, force: true });
});

function openEngine(schedule: 'onRequest' | 'continuous' = 'onRequest', log = silentLogger): Promise<Engine> {
  return createEngine(
    { folders: [clone], kubeconfig: [sandbox.kubeconfig], cacheFolder: join(folder, 'cache'), schedule },
    { log },
  );
}

async function apply(object: KubeObject): Promise<void> {
  const answer = await cluster.apply(object, { fieldManager: 'test', force: true, dryRun: false });
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

async function push(message: string, from = clone): Promise<void> {
  await runGit(from, ['add', '--all']);
  await runGit(from, ['commit', '--quiet', '-m', message]);
  await runGit(from, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main']);
}

async function live(ref: ObjectRef): Promise<KubeObject | undefined> {
  const answer = await cluster.get(ref);
  return answer.type === 'ok' ? answer.value : undefined;
}

async function scale(replicas: number): Promise<void> {
  const answer = await cluster.patch(
    web,
    { spec: { replicas } },
    { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' },
  );
  assert.equal(answer.type, 'ok');
}

/** The tree as soon as it is like that: it follows the watches. */
async function untilTree(of: Engine, isLikeThat: (tree: TreeView) => boolean): Promise<TreeView> {
  let wake = (): void => undefined;
  const listener = of.onEvent(() => wake());
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const tree = await of.tree();
      if (isLikeThat(tree)) return tree;
      await changed;
    }
  } finally {
    listener.dispose();
  }
}

/** The first workload once it is ready, with all it applied: its own watch tells of it, others of those. */
async function readyWorkload(): Promise<FluxNode | undefined> {
  const isReady = ({ state }: { readonly state: string }): boolean => state === 'ready';
  const tree = await untilTree(
    engine,
    ({ workloads: [first] }) => first !== undefined && isReady(first) && first.inventory.every(isReady),
  );
  return tree.workloads[0];
}

/** Until the cluster's own controllers have written their last to the Deployment. */
async function settled(replicas: number): Promise<void> {
  await sandbox.waitFor('/apis/apps/v1/namespaces/shop/deployments/web', (object) => {
    const { metadata, status } = object as unknown as KubeObject & { readonly status?: JsonObject };
    const text = JSON.stringify(status);
    return (
      status?.['observedGeneration'] === metadata.generation &&
      status?.['availableReplicas'] === replicas &&
      status?.['replicas'] === replicas &&
      text.includes('NewReplicaSetAvailable')
    );
  });
}

test('in observe mode, with nobody reconciling, a reconcile is refused with what to do', async () => {
  await assert.rejects(
    engine.reconcile(apps, false),
    (error) => isPlumbError(error, 'ModeForbids') && /local mode/.test(error.hint ?? ''),
  );
  assert.equal(await live(web), undefined);
});

test('the tree joins the files with what only the cluster has', async () => {
  const tree = await engine.tree();
  assert.deepEqual(
    tree.workloads.map(({ ref, presence }) => [ref.name, presence]),
    [['apps', 'onlyInCluster']],
  );
});

test('in local mode source and workload are reconciled, and the tree shows it', async () => {
  const status = await engine.setMode('local');
  assert.equal(status.cluster?.reconciler, 'plumb');
  const run = await engine.reconcile(apps, true);
  assert.equal(run.ready, true, run.message);
  assert.deepEqual(run.changeSet.map(({ ref, action }) => `${ref.kind} ${action}`).sort(), [
    'ConfigMap created',
    'Deployment created',
  ]);
  const node = await readyWorkload();
  assert.deepEqual(node?.inventory.map(({ ref, state }) => `${ref.name} ${state}`).sort(), [
    'settings ready',
    'web ready',
  ]);
});

test('a hand-made scale is drift: both values, kubectl, and the line in Git; a reconcile reverts it', async () => {
  await scale(5);
  const plan = await engine.plan(apps, 'workingTree');
  const field = plan.changes
    .flatMap(({ fields }) => fields)
    .find(({ pointer }) => pointer === '/spec/replicas');
  assert.deepEqual([field?.live, field?.desired, field?.cause], [5, 2, 'drifted']);
  assert.ok(field?.owners.some(({ manager }) => manager === 'kubectl'));
  assert.deepEqual([field?.location?.path, field?.location?.range.start.line], ['web.yaml', 6]);
  const uri = `file://${join(clone, 'web.yaml')}`;
  const drift = await engine.drift(uri);
  assert.deepEqual(
    drift.marks.map(({ field: marked, range }) => [marked.pointer, range.start.line]),
    [['/spec/replicas', 6]],
  );
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  assert.equal(
    (await live(web))?.['spec'] && ((await live(web))?.['spec'] as { replicas: number }).replicas,
    2,
  );
  assert.deepEqual((await engine.drift(uri)).marks, []);
});

test('an unsaved document is previewed as edited, and nothing that writes uses it', async () => {
  const uri = `file://${join(clone, 'web.yaml')}`;
  engine.documents.open({ uri, version: 7, text: deployment.replace('replicas: 2', 'replicas: 4') });
  const drift = await engine.drift(uri);
  assert.equal(drift.version, 7);
  assert.deepEqual(
    drift.marks.map(({ field }) => [field.pointer, field.live, field.desired, field.cause]),
    [['/spec/replicas', 2, 4, 'edited']],
  );
  const plan = await engine.plan(apps, 'workingTree');
  assert.ok(plan.changes.every(({ action }) => action === 'unchanged'));
  engine.documents.close(uri);
});

test('a plan of the folder names the files that no commit holds yet', async () => {
  const file = join(clone, 'notes.txt');
  await writeFile(file, 'x\n');
  engine.workspaceChanged([file]);
  assert.deepEqual((await engine.plan(apps, 'workingTree')).notes, [
    'in no commit yet: notes.txt; this plan has them, Flux has not',
  ]);
  await rm(file);
  engine.workspaceChanged([file]);
  assert.deepEqual((await engine.plan(apps, 'workingTree')).notes, []);
});

test('an approved plan is applied as shown, or stops when the cluster moved', async () => {
  await writeFile(join(clone, 'settings.yaml'), configMap.replace('hello', 'good morning'));
  engine.workspaceChanged([join(clone, 'settings.yaml')]);
  const outdated = await engine.plan(apps, 'workingTree');
  await apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop' },
    data: { greeting: 'surprise' },
  });
  await assert.rejects(engine.apply(outdated.id), (error) => isPlumbError(error, 'PlanOutdated'));
  assert.deepEqual((await live(settings))?.['data'], { greeting: 'surprise' });
  const plan = await engine.plan(apps, 'workingTree');
  const run = await engine.apply(plan.id);
  assert.deepEqual(
    run.changeSet
      .filter(({ action }) => action !== 'unchanged')
      .map(({ ref, action }) => `${ref.name} ${action}`),
    ['settings configured'],
  );
  assert.deepEqual((await live(settings))?.['data'], { greeting: 'good morning' });
  await assert.rejects(engine.apply(plan.id), (error) => isPlumbError(error, 'PlanOutdated'));
});

test('a removed file is previewed, then pruned on approval', async () => {
  await rm(join(clone, 'settings.yaml'));
  engine.workspaceChanged([join(clone, 'settings.yaml')]);
  const plan = await engine.plan(apps, 'workingTree');
  assert.deepEqual(
    plan.stale.map(({ ref, action }) => `${ref.name} ${action}`),
    ['settings deleted'],
  );
  assert.ok((await live(settings)) !== undefined);
  const run = await engine.prune(plan.id);
  assert.deepEqual(
    run.changeSet.map(({ ref, action }) => `${ref.name} ${action}`),
    ['settings deleted'],
  );
  assert.equal(await live(settings), undefined);
  const inventory = ((await live(apps))?.['status'] as { inventory: { entries: { id: string }[] } })
    .inventory;
  assert.deepEqual(
    inventory.entries.map(({ id }) => id),
    ['shop_web_apps_Deployment'],
  );
});

test('suspend and resume carry author and reason for others to see', async () => {
  await engine.suspend(apps, 'load test until 5 pm');
  const { annotations = {} } = (await live(apps))?.metadata ?? {};
  const author = annotations['plumb.dev/suspended-by'];
  assert.match(author ?? '', /^[^@]+@[^@]+$/);
  assert.equal(annotations['plumb.dev/suspend-reason'], 'load test until 5 pm');
  const { suspendedBy } = await engine.planOverride(apps);
  assert.deepEqual(
    [suspendedBy?.manager, suspendedBy?.by, suspendedBy?.reason],
    ['plumb', author, 'load test until 5 pm'],
  );
  await engine.resume(apps);
  assert.deepEqual(
    Object.keys((await live(apps))?.metadata.annotations ?? {}).filter((name) => name.startsWith('plumb')),
    [],
  );
  assert.equal(((await live(apps))?.['spec'] as { suspend?: boolean }).suspend, undefined);
});

test('what the engine did is written to the cluster as events of the controllers', async () => {
  await engine.dispose();
  const listed = await cluster.list(
    { group: '', version: 'v1', kind: 'Event' },
    { namespace: 'flux-system' },
  );
  assert.ok(listed.type === 'ok');
  const told = listed.value.map(
    (event) => `${(event['source'] as { component?: string }).component} ${String(event['reason'])}`,
  );
  assert.ok(told.includes('kustomize-controller ReconciliationSucceeded'), told.join('; '));
  engine = await openEngine();
});

test('objects that another Kustomization applies are told with both names before anything is applied', async () => {
  const twin = { ...apps, name: 'twin' };
  await apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'twin', namespace: 'flux-system' },
    spec: {
      interval: '10m',
      prune: true,
      path: './',
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    },
  });
  const labelsBefore = (await live(web))?.metadata.labels;
  const { warnings } = await engine.plan(twin, 'workingTree');
  assert.deepEqual(warnings, [
    'Kustomization/flux-system/apps applies Deployment/shop/web too: it and Kustomization/flux-system/twin would overwrite each other; keep the files in one of them',
  ]);
  assert.deepEqual((await live(web))?.metadata.labels, labelsBefore);
  assert.deepEqual((await engine.plan(apps, 'workingTree')).warnings, []);
  await cluster.delete(twin);
});

test('a diff with nothing changed asks for no dry-run; what others change is seen', async () => {
  let dryRuns = 0;
  const log = loggerTo(({ message, fields }) => {
    if (message === 'request' && String(fields['path']).includes('dryRun=All')) dryRuns++;
  });
  const watching = await openEngine('continuous', log);
  try {
    // A write between read and dry-run is not kept.
    await settled(2);
    const replicas = async (): Promise<readonly (readonly unknown[])[]> =>
      (await watching.plan(apps, 'workingTree')).changes
        .flatMap(({ fields }) => fields)
        .map(({ pointer, live: value }) => [pointer, value]);
    assert.deepEqual(await replicas(), []);
    const first = dryRuns;
    assert.deepEqual([await replicas(), dryRuns - first], [[], 0]);
    await scale(6);
    while ((await replicas()).length === 0) await sandbox.request('GET', '/version');
    assert.deepEqual(await replicas(), [['/spec/replicas', 6]]);
    await scale(2);
    while ((await replicas()).length > 0) await sandbox.request('GET', '/version');
    const before = dryRuns;
    const namespace = { group: '', version: 'v1', kind: 'Namespace', name: 'shop' };
    const body = { metadata: { annotations: { note: 'admission may look at this' } } };
    await cluster.patch(namespace, body, { type: 'merge', fieldManager: 'test' });
    while (dryRuns === before) await replicas();
  } finally {
    await watching.dispose();
  }
});

test('a reconcile with the source waits for dependencies that have yet to get to the new revision', async () => {
  const { url } = await git.createRepository('chain');
  const chain = join(folder, 'chain');
  await runGit(folder, ['clone', '--quiet', url, chain]);
  const pushColor = async (color: string): Promise<void> => {
    for (const name of ['base', 'top']) {
      await mkdir(join(chain, name), { recursive: true });
      const text = configMap.replace('settings', `of-${name}`).replace('hello', color);
      await writeFile(join(chain, name, 'settings.yaml'), text);
    }
    await push(`Paint it ${color}`, chain);
  };
  await pushColor('blue');
  await apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'chain', namespace: 'flux-system' },
    spec: { interval: '10m', url, ref: { branch: 'main' } },
  });
  for (const [name, dependsOn] of [
    ['base', []],
    ['top', [{ name: 'base' }]],
  ] as const)
    await apply({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name, namespace: 'flux-system' },
      spec: {
        interval: '10m',
        prune: true,
        path: name,
        dependsOn,
        sourceRef: { kind: 'GitRepository', name: 'chain' },
      },
    });
  const reconciling = await openEngine('continuous');
  try {
    await reconciling.setMode('local');
    for (const color of ['green', 'red']) {
      await pushColor(color);
      const { ready, reason, message } = await reconciling.reconcile({ ...apps, name: 'top' }, true);
      assert.deepEqual([ready, reason], [true, 'ReconciliationSucceeded'], message);
    }
    // The engine stands in for the controllers: it runs the finalizers.
    for (const name of ['top', 'base']) {
      await cluster.delete({ ...apps, name }, {});
      while ((await live({ ...apps, name })) !== undefined) await sandbox.request('GET', '/version');
    }
    const source = { ...apps, group: 'source.toolkit.fluxcd.io', kind: 'GitRepository', name: 'chain' };
    await cluster.delete(source, {});
    while ((await live(source)) !== undefined) await sandbox.request('GET', '/version');
  } finally {
    await reconciling.dispose();
  }
});

test('closing the engine gives every Lease back', async () => {
  const other = await openEngine();
  await other.setMode('local');
  await other.dispose();
  const listed = await cluster.list(
    { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
    { namespace: 'flux-system' },
  );
  assert.ok(listed.type === 'ok');
  const holders = listed.value.map(
    (lease) => (lease['spec'] as { holderIdentity?: string }).holderIdentity ?? '',
  );
  assert.deepEqual([...new Set(holders)], ['']);
});

test('after an uninstall the tree shows what the files say, and nothing of what is gone', async () => {
  await writeFile(
    join(clone, 'flux.yaml'),
    `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps, namespace: flux-system }
spec: { interval: 10m, prune: true, path: ./, sourceRef: { kind: GitRepository, name: fleet } }
`,
  );
  const watching = await openEngine();
  try {
    const namespace = 'flux-system';
    await watching.install((await watching.planInstall({ namespace, force: true, timeoutMs: 60_000 })).id);
    const presences = ({ sources, workloads }: TreeView): string =>
      [...sources, ...workloads].map(({ ref, presence }) => `${ref.name} ${presence}`).join(', ');
    await untilTree(watching, (tree) => presences(tree) === 'fleet onlyInCluster, apps both');
    const { id } = await watching.planUninstall({ namespace, keepNamespace: true });
    assert.deepEqual((await watching.uninstall(id)).failures, []);
    const tree = await untilTree(watching, (now) => presences(now) === 'apps onlyInGit');
    assert.equal(tree.workloads[0]?.state, 'unknown');
    assert.ok((await live(web)) !== undefined, 'workloads stay');
  } finally {
    await watching.dispose();
  }
});
