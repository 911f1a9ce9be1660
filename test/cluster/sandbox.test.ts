import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { connect } from 'node:tls';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { type JsonObject, type JsonValue, isJsonObject } from '../../src/base/json.ts';
import {
  listSandboxes,
  sandboxDown,
  sandboxStatus,
  sandboxUp,
} from '../../src/clients/sandbox/namedSandbox.ts';
import { administratorAccess, sandboxFolder } from '../../src/clients/sandbox/sandboxFolder.ts';
import { ensureSandboxPrograms } from '../../src/clients/sandbox/sandboxPrograms.ts';
import { type Sandbox, startSandbox, waitForExit } from '../../src/clients/sandbox/startSandbox.ts';
import type { SandboxState } from '../../src/clients/sandbox/supervisorProtocol.ts';
import { sandboxCluster } from './sandboxCluster.ts';

const cluster = await sandboxCluster();

test('a Deployment becomes available, a Job completes, and a deleted Pod goes', async () => {
  const namespace = await cluster.freshNamespace();
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  assert.equal((await cluster.request('POST', deployments, deployment('web', {}))).status, 201);
  const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  assert.equal((await cluster.request('POST', jobs, job('once'))).status, 201);
  await cluster.waitFor(`${deployments}/web`, (object) => hasCondition(object, 'Available'));
  await cluster.waitFor(`${jobs}/once`, (object) => hasCondition(object, 'Complete'));
  await cluster.request('DELETE', `${deployments}/web`);
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dweb`;
  await cluster.waitFor(pods, (list) => items(list).length === 0);
});

test('a StatefulSet gets its volumes, a Service its load balancer, and released volumes go', async () => {
  const namespace = await cluster.freshNamespace();
  const statefulSets = `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
  const services = `/api/v1/namespaces/${namespace}/services`;
  const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  assert.equal((await cluster.request('POST', statefulSets, statefulSet('db'))).status, 201);
  assert.equal((await cluster.request('POST', services, loadBalancer('db'))).status, 201);
  await cluster.waitFor(`${statefulSets}/db`, (object) =>
    JSON.stringify(object).includes('"readyReplicas":1'),
  );
  await cluster.waitFor(`${services}/db`, (object) => JSON.stringify(object).includes('"ingress":[{"ip"'));
  const claim = await cluster.waitFor(`${claims}/data-db-0`, () => true);
  const volume = String((claim['spec'] as JsonObject)['volumeName']);
  await cluster.request('DELETE', `${statefulSets}/db`);
  await cluster.request('DELETE', `${claims}/data-db-0`);
  await cluster.waitFor('/api/v1/persistentvolumes', (list) =>
    items(list).every((item) => (item['metadata'] as JsonObject)['name'] !== volume),
  );
});

test('Pods of Flux stay pending: no process stands behind them', async () => {
  const namespace = await cluster.freshNamespace();
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const labels = { 'app.kubernetes.io/part-of': 'flux' };
  await cluster.request('POST', deployments, deployment('kustomize-controller', labels));
  await cluster.request('POST', deployments, deployment('web', {}));
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3Dkustomize-controller`;
  await cluster.waitFor(pods, (list) => items(list).some((pod) => hasCondition(pod, 'PodScheduled')));
  // Created later, ready earlier: the other one is left alone, not late.
  await cluster.waitFor(`${deployments}/web`, (object) => hasCondition(object, 'Available'));
  const { body } = await cluster.request('GET', pods);
  assert.deepEqual(
    items(body).map((pod) => (pod['status'] as JsonObject)['phase']),
    ['Pending'],
  );
  await cluster.request('DELETE', `${deployments}/kustomize-controller`);
  await cluster.waitFor(pods, (list) => items(list).length === 0);
});

test('RBAC is enforced: a view user reads one namespace and nothing else', async () => {
  const namespace = await cluster.freshNamespace();
  const other = await cluster.freshNamespace();
  const kubeconfig = await cluster.userKubeconfig({ userName: 'jane', namespace, clusterRole: 'view' });
  const as = await userRequest(kubeconfig);
  assert.equal(await as('GET', `/api/v1/namespaces/${namespace}/configmaps`), 200);
  assert.equal(await as('GET', `/api/v1/namespaces/${namespace}/secrets`), 403);
  assert.equal(await as('GET', `/api/v1/namespaces/${other}/configmaps`), 403);
  assert.equal(await as('GET', '/api/v1/configmaps'), 403);
  assert.equal(await as('DELETE', `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`), 403);
});

test('nobody gets in without a certificate of the cluster', async () => {
  const authority = await authorityOf(cluster.kubeconfig);
  const status = await send(new URL('/healthz', cluster.server), 'GET', { ca: authority });
  assert.equal(status, 401);
  const namespaces = await send(new URL('/api/v1/namespaces', cluster.server), 'GET', { ca: authority });
  assert.equal(namespaces, 401);
});

test('a certificate of the cluster does not open etcd', async () => {
  const folder = sandboxFolder(join(cluster.kubeconfig, '..'));
  const access = await administratorAccess(folder, cluster.server);
  const { ports } = JSON.parse(await readFile(folder.state, 'utf8')) as SandboxState;
  const authority = await readFile(folder.etcdAuthorityCertificate, 'utf8');
  const ask = async (cert: string, key: string): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port: ports.etcd, ca: authority, cert, key });
    socket.end('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };
  const own = await Promise.all(
    [folder.etcdCertificate, folder.etcdKey].map((file) => readFile(file, 'utf8')),
  );
  assert.match(await ask(own[0] ?? '', own[1] ?? ''), /^HTTP\/1\.1 200 OK/);
  await assert.rejects(ask(access.certificate, access.key), /alert unknown ca|ECONNRESET|EPIPE/);
});

test('all files of a sandbox are private to the user', async () => {
  assert.equal((await stat(cluster.kubeconfig)).mode & 0o777, 0o600);
  assert.equal((await stat(join(cluster.kubeconfig, '..'))).mode & 0o777, 0o700);
  const folder = sandboxFolder(join(cluster.kubeconfig, '..'));
  for (const file of [folder.authorityKey, folder.etcdKey, folder.serviceAccountPrivateKey, folder.state])
    assert.equal((await stat(file)).mode & 0o777, 0o600, file);
});

test('a starter killed with SIGKILL leaves no process and no folder', async () => {
  const { folder, state, starter } = await startInChild();
  const gone = once(starter, 'exit');
  starter.kill('SIGKILL');
  await gone;
  for (const pid of pidsOf(state))
    assert.equal(await waitForExit(pid), true, `process ${pid} is still there`);
  assert.equal(existsSync(folder), false);
});

test('a supervisor killed with SIGKILL leaves no process, and the next start removes its folder', async (context) => {
  // Of its own: the next start may be that of another test file.
  await ownTemporaryFolder(context);
  const { folder, state, starter } = await startInChild();
  process.kill(state.pid, 'SIGKILL');
  for (const pid of pidsOf(state))
    assert.equal(await waitForExit(pid), true, `process ${pid} is still there`);
  assert.equal(existsSync(folder), true);
  const next = await startSandbox({ programs: await ensureSandboxPrograms() });
  try {
    assert.equal(existsSync(folder), false);
  } finally {
    await next.stop();
    starter.kill();
  }
  assert.equal(existsSync(next.folder), false);
});

test('a start that is aborted leaves nothing', async () => {
  const abort = new AbortController();
  let said = '';
  const starting = startSandbox({
    programs: await ensureSandboxPrograms(),
    signal: abort.signal,
    onProgress: (message) => {
      said = message;
      abort.abort();
    },
  });
  await assert.rejects(starting, { name: 'AbortError' });
  assert.equal(said, 'starting etcd and the API server');
});

test('a component that cannot start is named, with its last words', async () => {
  const programs = { ...(await ensureSandboxPrograms()), etcd: ['sh', '-c', 'echo no room left; exit 9'] };
  await assert.rejects(startSandbox({ programs }), {
    code: 'SandboxFailed',
    message: /etcd ended with exit code 9:\nno room left$/,
  });
});

// Named sandboxes live in the user's cache folder, beside those of the user.
const names = ['one', 'two'] as const;
after(async () => {
  for (const name of names) await sandboxDown(`test-${process.pid}-${name}`);
});

test('named sandboxes: two at once, found again, ended apart, and a stale one is replaced', async () => {
  const programs = await ensureSandboxPrograms();
  const [one, two] = names.map((name) => `test-${process.pid}-${name}`) as [string, string];
  assert.deepEqual(await sandboxStatus(one), { name: one, status: 'absent' });
  const [first, second] = await Promise.all([sandboxUp(one, { programs }), sandboxUp(two, { programs })]);
  assert.notEqual(first.state.server, second.state.server);
  assert.deepEqual(await sandboxUp(one, { programs }), { state: first.state, wasRunning: true });
  assert.deepEqual(
    (await listSandboxes()).filter(({ name }) => name === one || name === two).map(({ status }) => status),
    ['running', 'running'],
  );
  assert.match(
    await readFile(first.state.kubeconfig, 'utf8'),
    new RegExp(`current-context: "plumb-sandbox-${one}"`),
  );

  assert.equal(await sandboxDown(two), true);
  assert.equal(await sandboxDown(two), false);
  for (const pid of pidsOf(second.state)) assert.equal(await waitForExit(pid), true);

  process.kill(first.state.pid, 'SIGKILL');
  for (const pid of pidsOf(first.state)) assert.equal(await waitForExit(pid), true);
  assert.deepEqual(await sandboxStatus(one), { name: one, status: 'absent' });
  const again = await sandboxUp(one, { programs });
  assert.equal(again.wasRunning, false);
  assert.notEqual(again.state.pid, first.state.pid);
});

test('a recorded process id that belongs to a stranger is left alone', async () => {
  const name = `test-${process.pid}-one`;
  const { state } = await sandboxUp(name, { programs: await ensureSandboxPrograms() });
  const folder = join(state.kubeconfig, '..');
  process.kill(state.pid, 'SIGKILL');
  for (const pid of pidsOf(state)) assert.equal(await waitForExit(pid), true);
  await writeFile(join(folder, 'supervisor.pid'), String(process.pid));
  assert.deepEqual(await sandboxStatus(name), { name, status: 'absent' });
  assert.equal(await sandboxDown(name), true);
  assert.equal(existsSync(folder), false);
});

/** Where this process and its children make their temporary folders until the test is over. */
async function ownTemporaryFolder(context: TestContext): Promise<void> {
  const before = process.env['TMPDIR'];
  const folder = await mkdtemp(join(tmpdir(), 'plumb-own-'));
  process.env['TMPDIR'] = folder;
  context.after(async () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await rm(folder, { recursive: true, force: true });
  });
}

async function startInChild(): Promise<
  Pick<Sandbox, 'folder' | 'state'> & { starter: ReturnType<typeof spawn> }
> {
  const starter = spawn(process.execPath, [join(import.meta.dirname, 'starter.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let line = '';
  for await (const chunk of starter.stdout ?? []) {
    line += String(chunk);
    if (line.endsWith('\n')) break;
  }
  return { ...(JSON.parse(line) as { folder: string; state: SandboxState }), starter };
}

function pidsOf(state: SandboxState): number[] {
  return [state.pid, ...state.components.map(({ pid }) => pid)];
}

async function userRequest(kubeconfig: string): Promise<(method: string, path: string) => Promise<number>> {
  const text = await readFile(kubeconfig, 'utf8');
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '', 'base64').toString('utf8');
  const credentials = {
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  };
  return (method, path) => send(new URL(path, cluster.server), method, credentials);
}

async function authorityOf(kubeconfig: string): Promise<string> {
  return readFile(sandboxFolder(join(kubeconfig, '..')).authorityCertificate, 'utf8');
}

function send(url: URL, method: string, tls: { ca: string; cert?: string; key?: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent: false, ...tls }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function deployment(name: string, labels: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...labels } },
        spec: { containers: [{ name: 'main', image: 'example.org/app:1' }] },
      },
    },
  };
}

function job(name: string): object {
  const containers = [{ name: 'main', image: 'example.org/app:1' }];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { containers, restartPolicy: 'Never' } } },
  };
}

function statefulSet(name: string): object {
  const { spec } = deployment(name, {}) as { spec: object };
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: { ...spec, serviceName: name, volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }] },
  };
}

function loadBalancer(name: string): object {
  const spec = { type: 'LoadBalancer', selector: { app: name }, ports: [{ port: 80 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

function items(list: JsonObject): JsonObject[] {
  return (list['items'] as JsonValue[]).filter(isJsonObject);
}

function hasCondition(object: JsonObject, type: string): boolean {
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as JsonValue[]) : [];
  return conditions.some(
    (condition) => isJsonObject(condition) && condition['type'] === type && condition['status'] === 'True',
  );
}
