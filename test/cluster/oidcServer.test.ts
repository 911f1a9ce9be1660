import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loggerTo } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { loadConnection } from '../../src/clients/cluster/kubeconfig.ts';
import { createAuthority, issueServerCertificate } from '../../src/clients/sandbox/certificates.ts';
import { startOidcIssuer } from '../servers/oidcIssuer.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

const folder = await mkdtemp(join(tmpdir(), 'plumb-oidc-'));
after(() => rm(folder, { recursive: true, force: true }));
const authority = createAuthority('issuer');
const authorityFile = join(folder, 'issuer.crt');
await writeFile(authorityFile, authority.certificate);
const issuer = await startOidcIssuer({ tls: issueServerCertificate(authority, 'issuer', ['127.0.0.1']) });
after(() => issuer.close());
const sandbox = await ownSandboxCluster({
  apiserverFlags: [
    `--oidc-issuer-url=${issuer.url}`,
    '--oidc-client-id=plumb-test',
    `--oidc-ca-file=${authorityFile}`,
    '--oidc-username-claim=sub',
    '--oidc-username-prefix=oidc:',
    '--oidc-groups-claim=groups',
  ],
});
const namespace = await sandbox.freshNamespace('oidc');
await sandbox.request('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
  metadata: { name: 'developers' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'developers' }],
});
const { cluster } = await loadConnection({ paths: [sandbox.kubeconfig] });
const configMap = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' };
const now = Math.floor(Date.now() / 1000);
const expired = token(now - 60);
const warnings: string[] = [];

function token(exp: number, aud = 'plumb-test'): string {
  return issuer.sign({ sub: 'jane', groups: ['developers'], aud, exp, iat: exp - 3600 });
}

/** A kubeconfig as `kubectl oidc-login` of old, or a company's portal, wrote it. */
function kubeconfig(idToken: string, refreshToken: string): string {
  return `# written by the portal
apiVersion: v1
kind: Config
current-context: dev
contexts:
  - name: dev
    context: { cluster: dev, user: jane }
clusters:
  - name: dev
    cluster: { server: ${sandbox.server}, certificate-authority-data: ${cluster.caData ?? ''} }
users:
  - name: jane
    user:
      auth-provider:
        name: oidc
        config:
          client-id: plumb-test # ours
          id-token: ${idToken}
          idp-certificate-authority: issuer.crt
          idp-issuer-url: ${issuer.url}
          refresh-token: ${refreshToken}
`;
}

async function written(text: string): Promise<string> {
  const path = join(folder, 'config');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function open(path: string): Promise<ClusterClient> {
  const log = loggerTo(({ level, message }) => {
    if (level === 'warn') warnings.push(message);
  });
  return createClusterClient({ kubeconfig: { paths: [path] }, log });
}

/** What the server answers to a client of that file. */
async function read(path: string): Promise<string> {
  const client = await open(path);
  try {
    return (await client.get(configMap)).type;
  } finally {
    client.close();
  }
}

test('the API server takes a token of the issuer, and one for somebody else never', async () => {
  const path = await written(kubeconfig(token(now + 3600), ''));
  // It reads the issuer's keys some time after its start.
  for (;;) {
    const answer = await read(path).catch((error: unknown) => {
      if (isPlumbError(error, 'AuthenticationFailed')) return 'not yet';
      throw error;
    });
    if (answer !== 'not yet') {
      assert.equal(answer, 'ok');
      break;
    }
    await delay(200);
  }
  await assert.rejects(read(await written(kubeconfig(token(now + 3600, 'another'), ''))), {
    code: 'AuthenticationFailed',
    hint: /log in again/,
  });
});

test('an expired login is renewed, taken by the API server, and kept in the kubeconfig as kubectl keeps it', async () => {
  const renewed = token(now + 3600);
  issuer.answers = { status: 200, body: { id_token: renewed, refresh_token: 'second' } };
  const path = await written(kubeconfig(expired, 'first'));
  const before = issuer.grants.length;
  assert.equal(await read(path), 'ok');
  assert.equal(issuer.grants.length, before + 1);
  assert.equal(issuer.grants.at(-1)?.['refresh_token'], 'first');
  assert.equal(await readFile(path, 'utf8'), kubeconfig(renewed, 'second'));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  // The next process asks nobody.
  assert.equal(await read(path), 'ok');
  assert.equal(issuer.grants.length, before + 1);
});

test('a login that another program renewed meanwhile is taken from the file', async () => {
  const path = await written(kubeconfig(expired, 'used-up'));
  const client = await open(path);
  try {
    issuer.answers = { status: 400, body: { error: 'invalid_grant' } };
    const before = issuer.grants.length;
    await written(kubeconfig(token(now + 3600), 'another'));
    assert.equal((await client.get(configMap)).type, 'ok');
    assert.equal(issuer.grants.length, before);
  } finally {
    client.close();
  }
});

test('a refused refresh-token is one error with the issuer’s words and what to do; the file stays', async () => {
  issuer.answers = { status: 400, body: { error: 'invalid_grant', error_description: 'session ended' } };
  const text = kubeconfig(expired, 's3cret');
  const path = await written(text);
  await assert.rejects(read(path), (error) => {
    assert.ok(isPlumbError(error, 'AuthenticationFailed'), String(error));
    assert.equal(
      error.message,
      `context dev: the login through OIDC cannot be renewed: ${issuer.url} answered 400 (invalid_grant: session ended)`,
    );
    assert.match(error.hint ?? '', /^log in again with the program that wrote this kubeconfig/);
    assert.doesNotMatch(JSON.stringify(error), /s3cret/);
    return true;
  });
  assert.equal(await readFile(path, 'utf8'), text);
});

test('where the kubeconfig is being written by somebody else, the login works and a warning says that it is not kept', async () => {
  issuer.answers = { status: 200, body: { id_token: token(now + 3600), refresh_token: 'second' } };
  const text = kubeconfig(expired, 'first');
  const path = await written(text);
  await writeFile(`${path}.lock`, '');
  warnings.length = 0;
  assert.equal(await read(path), 'ok');
  assert.equal(await readFile(path, 'utf8'), text);
  assert.deepEqual(warnings, ['the renewed login is not kept']);
  await rm(`${path}.lock`);
});
