import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { FileTree } from '../../src/base/fileTree.ts';
import type { FetchedArtifact } from '../../src/flux/api/meta.gen.ts';
import type { Kustomization, KustomizationStatus } from '../../src/flux/api/kustomize.gen.ts';
import { installManifests } from '../../src/bootstrap/install.ts';
import {
  ensureFluxController,
  startFluxController,
  type FluxController,
} from '../../src/clients/sandbox/fluxControllers.ts';
import { managedFieldsOf } from '../../src/kube/managedFields.ts';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import { reconcileKustomization } from '../../src/controllers/kustomize/reconcileKustomization.ts';
import { waitUntilGone } from '../../src/ssa/waitUntilGone.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { encryptedFor } from '../servers/encryptedFile.ts';
import { readySourceStatus, startArtifactServer } from '../servers/artifactServer.ts';
import { cutClient } from './cutClient.ts';
import { configMap, fluxCluster, inNamespace } from './fluxCluster.ts';
import { kustomizationPath, leadMs, untilReconciled } from './reconciled.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';
import { openDefinition } from './openDefinition.ts';

const program = await ensureFluxController('kustomize-controller');
let controller: FluxController | undefined;
// Before the sandbox registers its own: hooks run in that order.
after(() => controller?.stop());
const sandbox = await ownSandboxCluster();
const flux = await fluxCluster(sandbox);
const artifacts = await startArtifactServer();
const namespace = await sandbox.freshNamespace('handover');
const revision = 'main@sha1:2222222222222222222222222222222222222222';
const group = `${namespace}.example`;
after(() => artifacts.close());

const files = FileTree.from([
  ['apps/cm.yaml', inNamespace(namespace, configMap('settings', { port: '8080', text: 'a: b\n' }))],
  [
    'apps/web.yaml',
    inNamespace(
      namespace,
      `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 0.5, memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80}]
`,
    ),
  ],
  [
    'apps/more/secret.yaml',
    inNamespace(
      namespace,
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  token: word\n',
    ),
  ],
  [
    'apps/more/role.yaml',
    inNamespace(
      namespace,
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: reader\nrules:\n- apiGroups: [""]\n  resources: [pods]\n  verbs: [get]\n',
    ),
  ],
  ['apps/more/crd.yaml', JSON.stringify(openDefinition(group, 'Widget'))],
  [
    'apps/more/widget.yaml',
    inNamespace(namespace, `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: w\nspec: {size: 1}\n`),
  ],
]);

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const encryptedFiles: readonly (readonly [string, string])[] = [
  [
    'encrypted/kustomization.yaml',
    `namespace: ${namespace}\nresources: [secret.yaml]\nsecretGenerator:\n- name: generated\n  envs: [secret.env]\n  files: [values.yaml=values.enc.yaml, notes.txt]\n`,
  ],
  [
    'encrypted/secret.yaml',
    await encryptedFor(
      recipient,
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: whole\nstringData:\n  a: "text"\ndata:\n  b: Yg==\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: second\n',
      'yaml',
      '^(data|stringData)$',
    ),
  ],
  ['encrypted/secret.env', await encryptedFor(recipient, 'USER=admin\nBREAK=a\\nb\n', 'dotenv')],
  [
    'encrypted/values.enc.yaml',
    await encryptedFor(
      recipient,
      '# a comment\nlist:\n- 1\n- a: b # behind\n  c: "yes"\nfloat: 1.50\nmulti: |\n  x\n  y\n',
    ),
  ],
  ['encrypted/notes.txt', await encryptedFor(recipient, 'any text\n', 'binary')],
];

/** Manifests that upstream sends in another form than they are written in. */
const forms = `apiVersion: v1
kind: Secret
metadata:
  name: texts
data: {a: YQ==}
stringData: {b: text}
---
apiVersion: v1
kind: Service
metadata:
  name: ports
  annotations: {}
spec:
  clusterIP: None
  ports: [{name: web, port: 80}, {name: dns, port: 53, protocol: UDP}]
  note: lost
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: base
spec:
  serviceName: ports
  replicas: 0
  paused: true
  selector: {matchLabels: {app: base}}
  template:
    metadata: {labels: {app: base}}
    spec:
      securityContext: {}
      nodeSelector: {}
      initContainers: [{name: init, image: example/init:1, ports: [{containerPort: 1}]}]
      containers:
      - {name: base, image: "example/base:1", ports: [{containerPort: 80}], args: [], resources: {limits: {cpu: 0.5}}}
      volumes: [{name: tmp, emptyDir: {}}]
  volumeClaimTemplates:
  - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: "example/job:1"}]}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: base
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: base}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ports, port: {number: 80}}}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: closed
spec: {podSelector: {}, ingress: [], policyTypes: [Ingress]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: base
spec: {minAvailable: 0, selector: {matchLabels: {app: base}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: nothing
rules: []
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: runner
automountServiceAccountToken: false
imagePullSecrets: []
`;

before(async () => {
  for (const object of installManifests('flux-system')) await flux.apply(object);
  const source = await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace },
    spec: { url: 'https://git.example.org/fleet', interval: '1h' },
  });
  const all = FileTree.from([
    ...files.entries(),
    ['forms/forms.yaml', inNamespace(namespace, forms)],
    ...encryptedFiles,
  ]);
  const artifact = await artifacts.publish(`gitrepository/${namespace}/fleet/2.tar.gz`, revision, all);
  const path = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/fleet/status`;
  const status = readySourceStatus(source, artifact);
  assert.equal((await sandbox.request('PUT', path, { ...source, status })).status, 200);
  const ref = {
    group: 'source.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'GitRepository',
    namespace,
    name: 'fleet',
  };
  const { digest } = artifact as unknown as FetchedArtifact;
  flux.sources.artifacts.set(ref, { revision, digest, files: all, contentKey: '' });
});

const kustomizationSpec = {
  interval: '1h',
  path: './apps',
  prune: true,
  wait: true,
  commonMetadata: { labels: { team: 'web' } },
  postBuild: { substitute: { unused: 'x' } },
  sourceRef: { kind: 'GitRepository', name: 'fleet' },
};

function kustomizationObject(name: string, extra: object = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace },
    spec: { ...kustomizationSpec, ...extra },
  };
}

async function kustomization(name: string, extra: object = {}): Promise<ObjectRef> {
  await flux.apply(kustomizationObject(name, extra));
  return { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', namespace, name };
}

/** Every object of the inventory with its resourceVersion. */
async function versions(ref: ObjectRef): Promise<readonly string[]> {
  const recorded = inventoryOf(await flux.get<Kustomization>(ref));
  return Promise.all(
    recorded.map(async (entry) => `${formatRef(entry)} ${(await flux.get(entry)).metadata.resourceVersion}`),
  );
}

/** The fields that the controller's manager set on every object of the inventory, as the server recorded them. */
async function fieldsOf(ref: ObjectRef): Promise<object> {
  const recorded = inventoryOf(await flux.get<Kustomization>(ref));
  const entries = recorded.map(async (entry) => {
    const own = managedFieldsOf(await flux.get(entry)).filter(
      ({ manager, operation }) => manager === 'kustomize-controller' && operation === 'Apply',
    );
    return [formatRef(entry), own.map(({ fieldsV1 }) => fieldsV1)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The status without what every run of the controller counts or times anew. */
function lasting(status: KustomizationStatus | undefined): object {
  return {
    ...status,
    conditions: status?.conditions?.map(({ lastTransitionTime: _time, message, ...rest }) => ({
      ...rest,
      message: message.replace(/ in \d.*$/, ''),
    })),
    history: status?.history?.map(({ digest, lastReconciledStatus, metadata }) => ({
      digest,
      lastReconciledStatus,
      metadata,
    })),
  };
}

function runsOf(status: KustomizationStatus | undefined): number {
  return status?.history?.[0]?.totalReconciliations ?? 0;
}

function untilDone(name: string, holds?: (status: KustomizationStatus) => boolean): Promise<void> {
  return untilReconciled(sandbox, { namespace, name }, holds);
}

/** Whether the controller has recorded a run after Plumb's. */
function ranTwice(status: KustomizationStatus): boolean {
  return runsOf(status) > 1 || (status.history?.length ?? 0) > 1;
}

async function untilGone(name: string): Promise<void> {
  await sandbox.waitFor(kustomizationPath({ namespace, name: '' }).replace(/\/$/, ''), (list) => {
    const items = list['items'] as unknown as readonly KubeObject[];
    return !items.some(({ metadata }) => metadata.name === name);
  });
}

async function startController(): Promise<void> {
  controller = await startFluxController({
    name: 'kustomize-controller',
    program,
    kubeconfig: sandbox.kubeconfig,
  });
  await controller.untilLeading(AbortSignal.timeout(leadMs));
}

async function stopController(): Promise<void> {
  await controller?.stop();
  controller = undefined;
}

test('the real controller takes over from Plumb without writing a workload, and its status stays', async () => {
  const ref = await kustomization('apps');
  const outcome = await reconcileKustomization(flux.kustomize, ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  const before = (await flux.get<Kustomization>(ref)).status;
  const written = await versions(ref);
  assert.equal(written.length, 7);
  await startController();
  await untilDone('apps', ranTwice);
  await stopController();
  assert.deepEqual(await versions(ref), written);
  const after = (await flux.get<Kustomization>(ref)).status;
  assert.deepEqual(lasting(after), lasting(before));
  assert.equal(runsOf(after), 2);
});

test('Plumb takes over from the real controller in the same way', async () => {
  await flux.client.delete(await kustomization('apps'));
  const gone = { ...(await kustomization('second')) };
  assert.equal((await reconcileKustomization(flux.kustomize, { ...gone, name: 'apps' })).result, 'deleted');
  await startController();
  await untilDone('second');
  await stopController();
  const before = (await flux.get<Kustomization>(gone)).status;
  const written = await versions(gone);
  const outcome = await reconcileKustomization(flux.kustomize, gone);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.deepEqual([...new Set(outcome.changeSet.map(({ action }) => action))], ['unchanged']);
  assert.deepEqual(await versions(gone), written);
  const after = (await flux.get<Kustomization>(gone)).status;
  assert.deepEqual(lasting(after), lasting(before));
  assert.equal(runsOf(after), runsOf(before) + 1);
});

test('the real controller decrypts to the same objects, and Plumb to those of the controller', async () => {
  await flux.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sops-keys', namespace },
    stringData: { 'test.agekey': identity },
  } as KubeObject);
  const decryption = { provider: 'sops', secretRef: { name: 'sops-keys' } };
  const ref = await kustomization('encrypted', { path: './encrypted', decryption });
  const outcome = await reconcileKustomization(flux.kustomize, ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  const written = await versions(ref);
  const before = (await flux.get<Kustomization>(ref)).status;
  await startController();
  await untilDone('encrypted', ranTwice);
  await stopController();
  assert.deepEqual(await versions(ref), written);
  assert.deepEqual(lasting((await flux.get<Kustomization>(ref)).status), lasting(before));
  assert.equal((await reconcileKustomization(flux.kustomize, ref)).result, 'succeeded');
  assert.deepEqual(await versions(ref), written);
});

test('both set exactly the same fields of every object', async () => {
  const ours = await kustomization('forms', { path: './forms', wait: false });
  assert.equal((await reconcileKustomization(flux.kustomize, ours)).result, 'succeeded');
  const plumb = await fieldsOf(ours);
  const recorded = inventoryOf(await flux.get<Kustomization>(ours));
  assert.equal(Object.keys(plumb).length, 10);
  await flux.client.delete(ours);
  assert.equal((await reconcileKustomization(flux.kustomize, ours)).result, 'deleted');
  await waitUntilGone(flux.kustomize, recorded, 120_000);
  await kustomization('forms', { path: './forms', wait: false });
  await startController();
  await untilDone('forms');
  await stopController();
  assert.deepEqual(await fieldsOf(ours), plumb);
});

test('wherever Plumb was killed, the real controller reaches Ready, and can delete the Kustomization', async () => {
  await flux.client.delete(await kustomization('second'));
  const second = { ...(await kustomization('cut')), name: 'second' };
  assert.equal((await reconcileKustomization(flux.kustomize, second)).result, 'deleted');
  await flux.client.delete({ ...second, name: 'cut' });
  await startController();
  await untilGone('cut');
  let points = 0;
  for (let write = 1; ; write++) {
    const name = `cut-${write}`;
    const ref = await kustomization(name, { suspend: true });
    const dead = cutClient(flux.client, { write, when: 'after' });
    const ctx = { ...flux.kustomize, cluster: dead.client, isOverridden: () => true };
    const ended = await Promise.race([
      reconcileKustomization(ctx, ref).then(() => true),
      dead.cut.then(() => false),
    ]);
    await kustomization(name, { suspend: false });
    await untilDone(name);
    assert.equal((await versions(ref)).length, 7, name);
    const recorded = inventoryOf(await flux.get<Kustomization>(ref));
    await flux.client.delete(ref);
    await untilGone(name);
    await waitUntilGone(flux.kustomize, recorded, 120_000);
    if (ended) break;
    points++;
  }
  await stopController();
  assert.ok(points >= 8, `only ${points} points were cut`);
});
