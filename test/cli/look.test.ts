import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { EventView, TraceView } from '../../src/protocol/look.ts';
import { fluxCluster } from '../cluster/fluxCluster.ts';
import { runGit } from '../servers/gitRepository.ts';
import { type Run, runPlumb, startPlumb } from './plumbProcess.ts';

const flux = await fluxCluster();
const namespace = await flux.sandbox.freshNamespace('look');
const folder = mkdtempSync(join(tmpdir(), 'plumb-look-'));
after(() => rmSync(folder, { recursive: true }));
const revision = 'main@sha1:0123456789abcdef0123456789abcdef01234567';
const kustomizeGroup = 'kustomize.toolkit.fluxcd.io';
const names = (name: string) => ({ name, namespace });
const labelsOf = (workload: string) => ({
  [`${kustomizeGroup}/name`]: workload,
  [`${kustomizeGroup}/namespace`]: namespace,
});
const ready = (extra: JsonObject): JsonObject => ({
  observedGeneration: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'ReconciliationSucceeded',
      message: `Applied revision: ${revision}`,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
  ...extra,
});

const configMap = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: only-in-git, namespace: ${namespace} }\n`;
const webYaml = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: registry.example.com/web:1 }] }
`;
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...names('web'), labels: labelsOf('apps') },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'registry.example.com/web:1' }] },
    },
  },
} as const;

function kustomization(name: string, path: string, labels?: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: `${kustomizeGroup}/v1`,
    kind: 'Kustomization',
    metadata: { ...names(name), ...(labels !== undefined && { labels }) },
    spec: { interval: '10m', path, prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' } },
  };
}

async function setStatus(object: KubeObject, status: JsonObject): Promise<void> {
  const [group = '', version = ''] = object.apiVersion.split('/');
  const ref = { group, version, kind: object.kind, ...names(object.metadata.name) };
  const answer = await flux.client.patch(
    ref,
    { status },
    { type: 'merge', fieldManager: 'test', subresource: 'status' },
  );
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

async function recordEvent(about: KubeObject, type: string, reason: string, message: string): Promise<void> {
  const { status, body } = await flux.sandbox.request('POST', `/api/v1/namespaces/${namespace}/events`, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      generateName: 'e',
      namespace,
      annotations: { [`${kustomizeGroup}/revision`]: revision },
    },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, ...names(about.metadata.name) },
    type,
    reason,
    message,
    count: 1,
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'kustomize-controller' },
  });
  assert.equal(status, 201, JSON.stringify(body));
}

const root = kustomization('root', './', undefined);
const apps = kustomization('apps', './apps', labelsOf('root'));
const source: KubeObject = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: names('fleet'),
  spec: { interval: '10m', url: 'https://git.example.com/fleet.git', ref: { branch: 'main' } },
};

before(async () => {
  await Promise.all([root, apps, source, web as unknown as KubeObject].map(flux.apply));
  await setStatus(source, {
    ...ready({}),
    artifact: {
      revision,
      digest: `sha256:${'0'.repeat(64)}`,
      path: 'p',
      url: 'http://example.com',
      lastUpdateTime: '2026-01-01T00:00:00Z',
    },
  });
  const entries = (id: string, v: string) => ({
    lastAppliedRevision: revision,
    inventory: { entries: [{ id, v }] },
  });
  await setStatus(root, ready(entries(`${namespace}_apps_${kustomizeGroup}_Kustomization`, 'v1')));
  await setStatus(apps, ready(entries(`${namespace}_web_apps_Deployment`, 'v1')));
  await recordEvent(apps, 'Normal', 'ReconciliationSucceeded', 'Reconciliation finished');
  await recordEvent(root, 'Warning', 'BuildFailed', 'kustomization.yaml is missing');
  await recordEvent(source, 'Normal', 'NewArtifact', 'stored artifact');
  mkdirSync(join(folder, 'apps'));
  writeFileSync(join(folder, 'apps', 'web.yaml'), webYaml);
  writeFileSync(join(folder, 'apps', 'more.yaml'), configMap);
  writeFileSync(join(folder, 'apps', 'kustomization.yaml'), 'resources: [web.yaml, more.yaml]\n');
  writeFileSync(join(folder, 'apps.yaml'), JSON.stringify(apps));
  await runGit(folder, ['init', '--quiet', '-b', 'main']);
});

test('builds a folder with the spec and the variables of the cluster, as flux build kustomization does', async () => {
  const encoded = Buffer.from('hunter2').toString('base64');
  const built: KubeObject = {
    ...kustomization('shop', './elsewhere'),
    spec: {
      ...(kustomization('shop', './elsewhere')['spec'] as JsonObject),
      suspend: true,
      namePrefix: 'eu-',
      postBuild: {
        substitute: { size: '3' },
        substituteFrom: [
          { kind: 'ConfigMap', name: 'shop-vars' },
          { kind: 'Secret', name: 'shop-secrets' },
          { kind: 'Secret', name: 'not-there', optional: true },
        ],
      },
    },
  };
  const variables = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: names('shop-vars'), data: { host: 'shop.example.org' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: names('shop-secrets'), data: { password: encoded } },
  ];
  await Promise.all([built, ...variables].map((object) => flux.apply(object as KubeObject)));
  const shop = join(folder, 'shop');
  mkdirSync(shop);
  writeFileSync(
    join(shop, 'shop.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {host: "\${host}", size: "\${size}", none: "\${none:=default}"}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {user: shop, password: "\${password}"}
`,
  );
  writeFileSync(join(shop, 'ignored.yaml'), 'no: manifest\n');
  writeFileSync(join(shop, '.sourceignore'), 'ignored.yaml\n');
  const args = ['build', 'kustomization', 'shop', '-n', namespace, '--path', 'shop'];
  const run = plumb(...args);
  assert.equal(run.code, 0, run.err);
  assert.doesNotMatch(run.out, /hunter2/);
  const labels = `  labels:\n    ${kustomizeGroup}/name: shop\n    ${kustomizeGroup}/namespace: ${namespace}\n`;
  assert.equal(
    run.out.replace(/password: .*/, 'password: masked'),
    `apiVersion: v1
data:
  host: shop.example.org
  none: default
  size: 3
kind: ConfigMap
metadata:
${labels}  name: eu-conf
---
apiVersion: v1
kind: Secret
metadata:
${labels}  name: eu-login
stringData:
  password: masked
  user: shop
---
`,
  );
  const explained = plumb(...args, '--explain');
  assert.match(explained.out, /^ConfigMap\/eu-conf \/data\/host {2}shop\.yaml:4$/m);
  const json = plumb(...args, '-o', 'json');
  assert.deepEqual(
    json.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as KubeObject).metadata.name),
    ['eu-conf', 'eu-login'],
  );
  writeFileSync(join(shop, 'shop.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "a${gone}"}\n');
  const strict = plumb(...args);
  assert.deepEqual([strict.code, strict.out], [2, '']);
  assert.match(strict.err, /variable not set \(strict mode\): "gone"/);
  const lenient = plumb(...args, '--strict-substitute=false');
  assert.deepEqual([lenient.code, lenient.err], [0, '']);
  const unknown = plumb('build', 'kustomization', 'nobody', '-n', namespace, '--path', 'shop');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /nobody/);
});

function plumb(...args: readonly string[]): Run {
  return runPlumb(args, { cwd: folder, env: { KUBECONFIG: flux.sandbox.kubeconfig } });
}

test('tree shows what a workload applies down to the last object, and what only Git has', () => {
  const { code, out, err } = plumb('tree', 'kustomization', 'root', '-n', namespace);
  assert.deepEqual([code, err], [0, '']);
  assert.match(
    out,
    new RegExp(
      `^Kustomization/${namespace}/root {2}cluster only\n└── Kustomization/${namespace}/apps\n` +
        ` {4}├── Deployment/${namespace}/web.*\n {4}└── ConfigMap/${namespace}/only-in-git {2}git only\n$`,
    ),
  );
  const compact = plumb('tree', 'ks/root', '-n', namespace, '--compact', '-o', 'json');
  const tree = JSON.parse(compact.out) as { resources: { ref: { name: string }; resources: unknown[] }[] };
  assert.deepEqual(
    tree.resources.map(({ ref, resources }) => [ref.name, resources.length]),
    [['apps', 0]],
  );
  const missing = plumb('tree', 'kustomization', 'nobody', '-n', namespace);
  assert.deepEqual([missing.code, missing.out], [2, '']);
  assert.match(missing.err, /Kustomization\/look-\w+\/nobody: .*\(NotFound\)\n {2}plumb get lists/);
});

test('trace goes from an object over workload, source and revision to the file', () => {
  const { code, out, err } = plumb('trace', 'deploy', 'web', '-n', namespace);
  assert.deepEqual([code, err], [0, '']);
  assert.equal(
    out,
    `Object:          Deployment/${namespace}/web
Status:          managed by Flux
File:            apps/web.yaml:1
---
Kustomization:   apps
Namespace:       ${namespace}
Path:            ./apps
Revision:        ${revision}
Status:          ready
Message:         Applied revision: ${revision}
File:            apps.yaml:1
---
Kustomization:   root
Namespace:       ${namespace}
Path:            ./
Revision:        ${revision}
Status:          ready
Message:         Applied revision: ${revision}
---
GitRepository:   fleet
Namespace:       ${namespace}
URL:             https://git.example.com/fleet.git
Revision:        ${revision}
Status:          ready
Message:         Applied revision: ${revision}
`,
  );
});

test('trace follows owners: a Pod comes from its Deployment, and that from Git', async () => {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const list = await flux.sandbox.waitFor(pods, ({ items }) => Array.isArray(items) && items.length > 0);
  const [pod] = list['items'] as unknown as KubeObject[];
  const { code, out } = plumb('trace', 'pod', pod?.metadata.name ?? '', '-n', namespace, '-o', 'json');
  assert.equal(code, 0);
  const trace = JSON.parse(out) as TraceView;
  assert.deepEqual(
    trace.owners.map(({ kind }) => kind),
    ['ReplicaSet', 'Deployment'],
  );
  assert.deepEqual(
    trace.steps.map(({ workload }) => workload.ref.name),
    ['apps', 'root'],
  );
  assert.equal(trace.location?.path, 'apps/web.yaml');
});

test('trace tells of an object that is only in Git, of one that nobody manages, and of none', () => {
  const planned = plumb('trace', 'configmap', 'only-in-git', '-n', namespace);
  assert.match(planned.out, /managed by Flux; not in the cluster yet\nFile: +apps\/more\.yaml:1\n---\nKust/);
  const foreign = plumb('trace', 'serviceaccount', 'default', '-n', namespace);
  assert.equal(foreign.code, 0);
  assert.match(foreign.out, /not managed by Flux/);
  const none = plumb('trace', 'cm/nothing', '-n', namespace);
  assert.equal(none.code, 2);
  assert.match(none.err, /cm\/look-\w+\/nothing: there is no such object.*\(NotFound\)/);
  assert.equal(plumb('trace', 'deployment').code, 64);
});

test('trace without a cluster stands on the files and says so', () => {
  const none = join(folder, 'none');
  const { code, out, err } = plumb('trace', 'deployment/web', '-n', namespace, '--kubeconfig', none);
  assert.equal(code, 0);
  assert.match(err, /none does not exist; showing the files alone/);
  assert.match(out, /File: +apps\/web\.yaml:1\n---\nKustomization: +apps\n/);
});

test('events lists Flux objects only, filters by type and by object with its source', () => {
  const all = plumb('events', '-n', namespace);
  assert.equal(all.code, 0);
  assert.match(all.out, /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
  assert.match(
    all.out,
    /Warning +BuildFailed +Kustomization\/look-\w+\/root +kustomization\.yaml is missing/,
  );
  assert.doesNotMatch(all.out, /Deployment|ReplicaSet/);
  const warnings = plumb('events', '-n', namespace, '--types', 'Warning', '-o', 'json');
  const [event, ...more] = JSON.parse(warnings.out) as EventView[];
  assert.deepEqual([event?.reason, event?.revision, more.length], ['BuildFailed', revision, 0]);
  const about = plumb('events', '-n', namespace, '--for', 'kustomization/apps', '-o', 'json');
  const reasons = (JSON.parse(about.out) as EventView[]).map(({ reason }) => reason).sort();
  assert.deepEqual(reasons, ['NewArtifact', 'ReconciliationSucceeded']);
});

test('events --watch prints each event once, then what comes, and ends with 0 on Ctrl-C', async () => {
  const args = ['events', '-n', namespace, '--watch', '-o', 'json'];
  const watching = startPlumb(args, { cwd: folder, env: { KUBECONFIG: flux.sandbox.kubeconfig } });
  await watching.saw(/BuildFailed/);
  await recordEvent(apps, 'Normal', 'Progressing', 'something new');
  await watching.saw(/something new/);
  watching.child.kill('SIGINT');
  const { code, out } = await watching.ended;
  assert.equal(code, 0);
  const printed = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as EventView).reason);
  assert.deepEqual(printed.slice().sort(), [
    'BuildFailed',
    'NewArtifact',
    'Progressing',
    'ReconciliationSucceeded',
  ]);
});
