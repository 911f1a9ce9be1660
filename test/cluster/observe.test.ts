import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { managedFieldsOf } from '../../src/kube/managedFields.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import type { FluxNode, TreeView } from '../../src/protocol/views.ts';
import { configMap } from './fluxCluster.ts';
import { leadMs } from './reconciled.ts';
import { sharedFleet } from './sharedFleet.ts';

// Beside a real kustomize-controller, with an engine that does all it would do in a window.
const fleet = await sharedFleet();
const { flux, namespace } = fleet;
const { sandbox } = flux;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/web:1"}]}
`;
const service =
  'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector: {app: web}\n  ports: [{port: 80}]\n';
await fleet.write({
  'apps/settings.yaml': configMap('settings', { color: 'blue' }),
  'apps/web.yaml': deployment,
  'apps/service.yaml': service,
});
await fleet.publish();
const controller = await fleet.startController();
await controller.untilLeading(AbortSignal.timeout(leadMs));
const apps = await fleet.kustomization('apps');
const settings: ObjectRef = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };
const web: ObjectRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace, name: 'web' };
const settingsFile = pathToFileURL(join(fleet.clone, 'apps/settings.yaml')).href;
await fleet.untilReady(apps);
const engine = await fleet.engine({ schedule: 'continuous' });

const workloadKinds = [
  '/apis/apps/v1/namespaces/NAMESPACE/deployments',
  '/apis/apps/v1/namespaces/NAMESPACE/replicasets',
  '/api/v1/namespaces/NAMESPACE/configmaps',
  '/api/v1/namespaces/NAMESPACE/services',
  '/api/v1/namespaces/NAMESPACE/serviceaccounts',
  '/api/v1/namespaces/NAMESPACE/secrets',
].map((path) => path.replace('NAMESPACE', namespace));

/** Every workload object of the namespace, and who wrote which fields when, beside the cluster's own controllers. */
async function workloads(): Promise<readonly object[]> {
  await untilRolledOut();
  const lists = await Promise.all(workloadKinds.map((path) => sandbox.request('GET', path)));
  return lists.flatMap(({ body }, index) =>
    (body['items'] as readonly KubeObject[]).map((object) => ({
      object: `${workloadKinds[index] ?? ''}/${object.metadata.name}`,
      uid: object.metadata.uid ?? '',
      // Those write whenever they come to it: the status of a ReplicaSet after the Deployment that made it was done.
      managedFields: managedFieldsOf(object).filter(isForeign),
    })),
  );
}

function isForeign({ manager = '' }: { readonly manager?: string }): boolean {
  return !manager.endsWith('controller-manager');
}

/** The Deployment's own controller has made what belongs to it. */
async function untilRolledOut(): Promise<void> {
  await sandbox.waitFor(`/apis/apps/v1/namespaces/${namespace}/deployments/web`, (object) => {
    const { metadata, status } = object as unknown as KubeObject & { readonly status?: JsonObject };
    return (
      status?.['observedGeneration'] === metadata.generation &&
      JSON.stringify(status?.['conditions']).includes('NewReplicaSetAvailable')
    );
  });
}

/** Who wrote to the workload objects, beside the cluster's own controllers. */
async function writers(): Promise<readonly string[]> {
  const objects = await Promise.all([settings, web].map((ref) => flux.get(ref)));
  const managers = objects.flatMap((object) => managedFieldsOf(object).map(({ manager }) => manager ?? ''));
  return [...new Set(managers)].filter((manager) => isForeign({ manager })).sort();
}

function appsOf(tree: TreeView): FluxNode | undefined {
  return tree.workloads.find(({ ref }) => ref.name === 'apps');
}

/** The tree as soon as it is like that: it follows the watches. */
async function untilShown(isLikeThat: (node: FluxNode) => boolean): Promise<FluxNode> {
  let wake = (): void => undefined;
  const listener = engine.onEvent(() => wake());
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const node = appsOf(await engine.tree());
      if (node !== undefined && isLikeThat(node)) return node;
      await changed;
    }
  } finally {
    listener.dispose();
  }
}

async function liveApps(): Promise<Kustomization> {
  return flux.get<Kustomization>(apps);
}

test('it shows what the controller did, and who reconciles', async () => {
  const before = await workloads();
  const node = await untilShown(
    ({ state, inventory }) => state === 'ready' && inventory.every((entry) => entry.state === 'ready'),
  );
  assert.match(node.revision ?? '', /^main@sha1:/);
  assert.deepEqual(node.inventory.map(({ ref, state }) => `${ref.kind}/${ref.name} ${state}`).sort(), [
    'ConfigMap/settings ready',
    'Deployment/web ready',
    'Service/web ready',
  ]);
  const { cluster } = await engine.status();
  assert.deepEqual([cluster?.mode, cluster?.reconciler], ['observe', 'flux']);
  assert.deepEqual(await workloads(), before);
});

test('it previews saved files and tells that the controller will have the last word', async () => {
  const before = await workloads();
  await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'red' }) });
  engine.workspaceChanged([join(fleet.clone, 'apps/settings.yaml')]);
  const { changes, warnings } = await engine.plan(apps, 'workingTree');
  assert.deepEqual(changes.map(({ ref, action }) => `${ref.kind}/${ref.name} ${action}`).sort(), [
    'ConfigMap/settings configured',
    'Deployment/web unchanged',
    'Service/web unchanged',
  ]);
  assert.match(warnings.join('\n'), /Flux reconciles it/);
  assert.deepEqual(await workloads(), before);
});

test('it diffs unsaved text against the cluster', async () => {
  const before = await workloads();
  const text = configMap('settings', { color: 'green' });
  engine.documents.open({ uri: settingsFile, version: 1, text });
  const { marks } = await engine.drift(settingsFile);
  assert.deepEqual(
    marks.map(({ field }) => [field.pointer, field.live, field.desired, field.cause]),
    [['/data/color', 'blue', 'green', 'edited']],
  );
  engine.documents.close(settingsFile);
  await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'blue' }) });
  engine.workspaceChanged([join(fleet.clone, 'apps/settings.yaml')]);
  assert.deepEqual(await workloads(), before);
});

test('it suspends with a reason and resumes; the workloads are as they were', async () => {
  const before = await workloads();
  await engine.suspend(apps, 'load test');
  const suspended = await untilShown(({ state }) => state === 'suspended');
  assert.equal(suspended.suspendReason, 'load test');
  assert.equal((await liveApps()).spec.suspend, true);
  await assert.rejects(
    engine.reconcile(apps, false),
    (error) => isPlumbError(error, 'ModeForbids') && /is suspended/.test(error.message),
  );
  await engine.resume(apps);
  assert.equal((await liveApps()).spec.suspend, undefined);
  await fleet.untilReady(apps);
  await untilShown(({ state }) => state === 'ready');
  assert.deepEqual(await workloads(), before);
});

test('a hand-made drift is shown and stays, whatever is looked at', async () => {
  const byHand = { type: 'merge', fieldManager: 'kubectl-edit' } as const;
  await flux.client.patch(settings, { data: { color: 'yellow' } }, byHand);
  await flux.client.patch(web, { spec: { template: { metadata: { labels: { by: 'hand' } } } } }, byHand);
  const drifted = await workloads();
  const node = await untilShown(({ driftedObjects }) => driftedObjects === 2);
  assert.equal(node.state, 'drifted');
  const { marks } = await engine.drift(settingsFile);
  assert.deepEqual(
    marks.map(({ field }) => [field.live, field.desired, field.cause, field.owners[0]?.manager]),
    [['yellow', 'blue', 'drifted', 'kubectl-edit']],
  );
  for (const from of ['workingTree', 'source'] as const) await engine.plan(apps, from);
  await engine.status();
  await engine.trace({ kind: 'ConfigMap', name: 'settings', namespace });
  const isRefused = (error: unknown): boolean => isPlumbError(error, 'ModeForbids');
  await assert.rejects(engine.setMode('local'), isRefused);
  await assert.rejects(engine.revertAtOnce(apps), isRefused);
  assert.deepEqual(await workloads(), drifted);
});

test('it triggers by annotation: the controller reverts the drift, and nobody else wrote', async () => {
  const run = await engine.reconcile(apps, false);
  assert.deepEqual([run.ready, run.reason], [true, 'ReconciliationSucceeded']);
  const { metadata, status } = await liveApps();
  const token = metadata.annotations?.['reconcile.fluxcd.io/requestedAt'];
  assert.ok(token !== undefined);
  assert.equal(status?.lastHandledReconcileAt, token);
  assert.deepEqual((await flux.get(settings))['data'], { color: 'blue' });
  assert.deepEqual(await writers(), ['kustomize-controller']);
  const request = managedFieldsOf(await flux.get(apps)).find(({ manager }) => manager === 'plumb');
  assert.ok(isJsonObject(request?.fieldsV1), 'the request is written by the manager plumb');
  assert.doesNotMatch(JSON.stringify(request.fieldsV1), /f:status/);
  await untilShown(({ state }) => state === 'ready');
});

test('a new commit is the controller’s to apply', async () => {
  await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'white' }) });
  const revision = await fleet.publish();
  await untilShown(({ state, revision: applied }) => state === 'ready' && applied === revision);
  assert.deepEqual((await flux.get(settings))['data'], { color: 'white' });
  assert.deepEqual(await writers(), ['kustomize-controller']);
});

test('it leaves the Lease to the controller, and ends without a write', async () => {
  const path =
    '/apis/coordination.k8s.io/v1/namespaces/flux-system/leases/kustomize-controller-leader-election';
  const holder = async (): Promise<string> =>
    ((await sandbox.request('GET', path)).body['spec'] as { holderIdentity: string }).holderIdentity;
  assert.doesNotMatch(await holder(), /^plumb_/);
  const before = await workloads();
  await engine.dispose();
  assert.deepEqual(await workloads(), before);
  assert.doesNotMatch(await holder(), /^plumb_/);
});
