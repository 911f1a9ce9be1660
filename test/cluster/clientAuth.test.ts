import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isJsonObject } from '../../src/base/json.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { loggerTo } from '../../src/base/logger.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import {
  createClusterClient,
  type ClusterClientOptions,
} from '../../src/clients/cluster/createClusterClient.ts';
import { loadConnection } from '../../src/clients/cluster/kubeconfig.ts';
import { sandboxCluster } from './sandboxCluster.ts';

const sandbox = await sandboxCluster();
const namespace = await sandbox.freshNamespace('auth');
const folder = await mkdtemp(join(tmpdir(), 'plumb-auth-'));
const clients: ClusterClient[] = [];
const logged: string[] = [];
after(async () => {
  for (const client of clients) client.close();
  await rm(folder, { recursive: true, force: true });
});

const { cluster: administered } = await loadConnection({ paths: [sandbox.kubeconfig] });
const authority = { 'certificate-authority-data': administered.caData ?? '' };
const reachable = { server: sandbox.server, ...authority };

/** A token of a ServiceAccount that may read the namespace. */
async function tokenOf(name: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await sandbox.request('POST', accounts, { metadata: { name } });
  await sandbox.request('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const { body } = await sandbox.request('POST', `${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  return isJsonObject(body['status']) ? String(body['status']['token']) : assert.fail();
}

let files = 0;
/** A client for a kubeconfig with that cluster and user. */
async function clientWith(
  cluster: object,
  user: object,
  options: Partial<ClusterClientOptions> = {},
): Promise<ClusterClient> {
  const path = join(folder, `kubeconfig-${files++}`);
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user }],
  };
  await writeFile(path, JSON.stringify(config));
  const log = loggerTo((entry) => logged.push(JSON.stringify(entry)));
  const client = await createClusterClient({ kubeconfig: { paths: [path] }, log, ...options });
  clients.push(client);
  return client;
}

const configMap = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' };

async function checkReads(client: ClusterClient): Promise<void> {
  const answer = await client.get(configMap);
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

async function checkRejects(
  client: ClusterClient,
  code: 'AuthenticationFailed' | 'ClusterUnreachable',
  message: RegExp,
) {
  await assert.rejects(client.get(configMap), (error) => {
    assert.ok(isPlumbError(error, code), String(error));
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined);
    return true;
  });
}

const token = await tokenOf('reader');

test('a token in the kubeconfig', async () => checkReads(await clientWith(reachable, { token })));

test('a wrong token is AuthenticationFailed, with what to do', async () => {
  await checkRejects(await clientWith(reachable, { token: 'wrong' }), 'AuthenticationFailed', /Unauthorized/);
});

test('a token file is read again after a 401: rotation needs no restart', async () => {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'expired');
  const client = await clientWith(reachable, { tokenFile: 'token' });
  await checkRejects(client, 'AuthenticationFailed', /Unauthorized/);
  await writeFile(tokenFile, `${token}\n`);
  await checkReads(client);
});

test('a credential program is asked once for many requests, and again after a 401', async () => {
  const program = join(folder, 'login');
  const answer = (value: string): string =>
    JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: value },
    });
  await writeFile(join(folder, 'answer'), answer('expired'));
  await writeFile(
    program,
    `#!/bin/sh\necho run >> "$(dirname "$0")/runs"\ncat "$(dirname "$0")/answer"\necho '${answer(token)}' > "$(dirname "$0")/answer"\n`,
  );
  await chmod(program, 0o700);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './login',
    interactiveMode: 'Never',
  };
  const client = await clientWith(reachable, { exec });
  await Promise.all(Array.from({ length: 10 }, () => checkReads(client)));
  assert.equal((await readFile(join(folder, 'runs'), 'utf8')).trim().split('\n').length, 2);
});

test('a client certificate of an own user, and acting as another', async () => {
  const path = await sandbox.userKubeconfig({ userName: 'certified', namespace, clusterRole: 'view' });
  const client = await createClusterClient({ kubeconfig: { paths: [path] }, log: loggerTo(() => undefined) });
  clients.push(client);
  await checkReads(client);
  const refused = await client.impersonate({ userName: 'another', groups: [] }).get(configMap);
  assert.match(refused.type === 'refused' ? refused.refusal.message : '', /cannot impersonate/);
});

test('as and as-groups of the kubeconfig', async () => {
  const { user } = await loadConnection({ paths: [sandbox.kubeconfig] });
  const certificate = { 'client-certificate-data': user.certData, 'client-key-data': user.keyData };
  const groups = ['system:authenticated'];
  const client = await clientWith(reachable, { ...certificate, as: 'borrowed', 'as-groups': groups });
  const answer = await client.get(configMap);
  assert.match(answer.type === 'refused' ? answer.refusal.message : '', /User "borrowed" cannot get/);
  assert.equal(client.identity, 'borrowed');
});

test('the certificate is checked against tls-server-name where there is one', async () => {
  const wrong = await clientWith({ ...reachable, 'tls-server-name': 'wrong.example.com' }, { token });
  await assert.rejects(wrong.get(configMap), (error) => {
    assert.ok(isPlumbError(error, 'ClusterUnreachable'));
    assert.match(error.hint ?? '', /set tls-server-name/);
    return true;
  });
  await checkReads(
    await clientWith({ ...reachable, 'tls-server-name': 'kubernetes.default.svc' }, { token }),
  );
});

test('an unknown authority is refused unless it is added, or the check is switched off', async () => {
  const unknown = { server: sandbox.server };
  await checkRejects(await clientWith(unknown, { token }), 'ClusterUnreachable', /certificate/);
  const pem = Buffer.from(administered.caData ?? '', 'base64').toString();
  await checkReads(await clientWith(unknown, { token }, { extraCertificates: [pem] }));
  await checkReads(await clientWith({ ...unknown, 'insecure-skip-tls-verify': true }, { token }));
});

test('nothing listening, and a name that does not resolve', async () => {
  await checkRejects(
    await clientWith({ server: 'https://127.0.0.1:1' }, {}),
    'ClusterUnreachable',
    /ECONNREFUSED/,
  );
  await checkRejects(
    await clientWith({ server: 'https://no.such.invalid' }, {}),
    'ClusterUnreachable',
    /no\.such\.invalid/,
  );
});

test('through the proxy of the kubeconfig, or the one of the settings, on kept connections', async () => {
  const proxy = await startConnectProxy();
  const proxyUrl = `http://127.0.0.1:${proxy.port}`;
  try {
    const client = await clientWith({ ...reachable, 'proxy-url': proxyUrl }, { token });
    for (let index = 0; index < 5; index++) await checkReads(client);
    assert.ok(proxy.tunnels() >= 1 && proxy.tunnels() <= 2, `${proxy.tunnels()} tunnels`);
    const before = proxy.tunnels();
    await checkReads(await clientWith(reachable, { token }, { proxyFor: () => proxyUrl }));
    assert.ok(proxy.tunnels() > before);
    for (const client of clients) client.close();
  } finally {
    proxy.server.closeAllConnections();
    proxy.server.close();
  }
});

test('neither token nor key stands in any log line', () => {
  assert.ok(logged.length > 0);
  assert.equal(
    logged.some((line) => line.includes(token)),
    false,
  );
});

async function startConnectProxy(): Promise<{ server: Server; port: number; tunnels: () => number }> {
  let count = 0;
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connect', (request, socket) => {
    count++;
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host ?? '', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, tunnels: () => count };
}
