import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject } from '../../src/base/json.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { loggerTo, silentLogger } from '../../src/base/logger.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { credentialsOf } from '../../src/clients/cluster/credentials.ts';
import { loadConnection } from '../../src/clients/cluster/kubeconfig.ts';
import { startOidcIssuer, unsignedToken } from '../servers/oidcIssuer.ts';
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
  const userName = `system:serviceaccount:${namespace}:${name}`;
  await sandbox.untilAllowed(userName, { verb: 'get', resource: 'configmaps', namespace });
  const { body } = await sandbox.request('POST', `${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  return isJsonObject(body['status']) ? String(body['status']['token']) : assert.fail();
}

let files = 0;
/** A client for a kubeconfig with that cluster and user. */
async function clientWith(cluster: object, user: object): Promise<ClusterClient> {
  const path = join(folder, `kubeconfig-${files++}`);
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user }],
  };
  await writeFile(path, JSON.stringify(config));
  const log = loggerTo((entry) => logged.push(JSON.stringify(entry)));
  const client = await createClusterClient({ kubeconfig: { paths: [path] }, log });
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

test('a credential that has expired is asked for again, one that has not is kept', async () => {
  const program = join(folder, 'expiring');
  const answer = (expirationTimestamp: string): string =>
    JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token, expirationTimestamp },
    });
  await writeFile(join(folder, 'expiring.answer'), answer('2001-01-01T00:00:00Z'));
  await writeFile(program, '#!/bin/sh\necho run >> "$0.runs"\ncat "$0.answer"\n');
  await chmod(program, 0o700);
  const runs = async (): Promise<number> =>
    (await readFile(`${program}.runs`, 'utf8')).trim().split('\n').length;
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './expiring' };
  const client = await clientWith(reachable, { exec });
  await checkReads(client);
  const first = await runs();
  await checkReads(client);
  assert.equal(await runs(), first + 1);
  await writeFile(join(folder, 'expiring.answer'), answer('2999-01-01T00:00:00Z'));
  for (let index = 0; index < 4; index++) await checkReads(client);
  assert.equal(await runs(), first + 2);
});

/** A client certificate of a user without rights, as files; whoever asks is told that user's name. */
async function writeCertificate(userName: string, cert: string, key: string): Promise<void> {
  const { user } = await loadConnection({ paths: [await sandbox.userKubeconfig({ userName, namespace })] });
  const files = { [cert]: user.certData, [key]: user.keyData };
  for (const [name, data] of Object.entries(files)) {
    await writeFile(join(folder, `${name}.new`), Buffer.from(data ?? '', 'base64'), { mode: 0o600 });
    await rename(join(folder, `${name}.new`), join(folder, name));
  }
}

async function nameOf(client: ClusterClient): Promise<string | undefined> {
  const answer = await client.get(configMap);
  return answer.type === 'refused' ? /User "([^"]+)"/.exec(answer.refusal.message)?.[1] : undefined;
}

test('a credential program may give a client certificate', async () => {
  await writeCertificate('from-program', 'p.crt', 'p.key');
  const [clientCertificateData, clientKeyData] = await Promise.all(
    ['p.crt', 'p.key'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { clientCertificateData, clientKeyData },
  };
  await writeFile(join(folder, 'pair.json'), JSON.stringify(credential));
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'cat',
    args: [join(folder, 'pair.json')],
  };
  assert.equal(await nameOf(await clientWith(reachable, { exec })), 'from-program');
});

test('certificate files that are replaced are used without a restart, and never half of them', async () => {
  await writeCertificate('before', 'tls.crt', 'tls.key');
  await writeCertificate('after', 'next.crt', 'next.key');
  const client = await clientWith(reachable, { 'client-certificate': 'tls.crt', 'client-key': 'tls.key' });
  assert.equal(await nameOf(client), 'before');
  const connection = await loadConnection({ paths: [join(folder, `kubeconfig-${files - 1}`)] });
  const credentials = credentialsOf(connection, silentLogger);
  const identity = await credentials.current();
  await rename(join(folder, 'next.crt'), join(folder, 'tls.crt'));
  // The key comes later: until then the pair from before is the one that works.
  assert.equal(await credentials.refresh(identity), false);
  assert.equal(await credentials.current(), identity);
  assert.equal(await nameOf(client), 'before');
  await rename(join(folder, 'next.key'), join(folder, 'tls.key'));
  assert.equal(await credentials.refresh(identity), true);
  for (;;) {
    const name = await nameOf(client);
    if (name === 'after') break;
    assert.equal(name, 'before');
    await delay(50);
  }
});

test('a certificate that does not belong to its key is one clear error', async () => {
  await writeCertificate('one', 'one.crt', 'one.key');
  await writeCertificate('two', 'two.crt', 'two.key');
  const client = await clientWith(reachable, { 'client-certificate': 'one.crt', 'client-key': 'two.key' });
  await assert.rejects(client.get(configMap), (error) => {
    assert.ok(isPlumbError(error, 'KubeconfigInvalid'), String(error));
    assert.match(
      error.message,
      /context x: the client certificate cannot be used: it does not belong to its key/,
    );
    return true;
  });
});

test('an OIDC login is renewed at its issuer when it has expired or is refused', async () => {
  const issuer = await startOidcIssuer();
  try {
    // What the API server trusts as a token; an issuer of its own would have to be known at its start.
    issuer.answers = { status: 200, body: { id_token: token } };
    const config = { 'client-id': 'me', 'refresh-token': 'r1', 'idp-issuer-url': issuer.url };
    for (const idToken of [unsignedToken(1_000_000_000), unsignedToken(4_000_000_000)]) {
      const before = issuer.grants.length;
      const client = await clientWith(reachable, {
        'auth-provider': { name: 'oidc', config: { ...config, 'id-token': idToken } },
      });
      for (let index = 0; index < 3; index++) await checkReads(client);
      assert.equal(issuer.grants.length, before + 1);
    }
    issuer.answers = { status: 400, body: { error: 'invalid_grant' } };
    const expired = { ...config, 'id-token': unsignedToken(1_000_000_000) };
    await checkRejects(
      await clientWith(reachable, { 'auth-provider': { name: 'oidc', config: expired } }),
      'AuthenticationFailed',
      /context x: .*invalid_grant/,
    );
  } finally {
    await issuer.close();
  }
});

test('an auth-provider that kubectl dropped is named, with what took its place', async () => {
  const made = clientWith(reachable, { 'auth-provider': { name: 'gcp', config: {} } });
  await assert.rejects(made, (error) => {
    assert.ok(isPlumbError(error, 'AuthenticationFailed'));
    assert.match(error.message, /auth-provider gcp is not supported/);
    assert.match(error.hint ?? '', /gke-gcloud-auth-plugin/);
    return true;
  });
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

test('an unknown authority is refused unless the check is switched off', async () => {
  const unknown = { server: sandbox.server };
  await checkRejects(await clientWith(unknown, { token }), 'ClusterUnreachable', /certificate/);
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

test('neither token nor key stands in any log line', () => {
  assert.ok(logged.length > 0);
  assert.equal(
    logged.some((line) => line.includes(token)),
    false,
  );
});
