import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { loggerTo } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { loadConnection } from '../../src/clients/cluster/kubeconfig.ts';
import { createAuthority, issueServerCertificate } from '../../src/clients/sandbox/certificates.ts';
import { readAuthority, sandboxFolder } from '../../src/clients/sandbox/sandboxFolder.ts';
import { startConnectProxy, startSocksProxy, type Proxy, type ProxyOptions } from '../servers/proxies.ts';
import { sandboxCluster } from './sandboxCluster.ts';

const folder = await mkdtemp(join(tmpdir(), 'plumb-proxy-'));
after(() => rm(folder, { recursive: true, force: true }));
const sandbox = await sandboxCluster();
const namespace = await sandbox.freshNamespace('proxy');
const { cluster: administered, user } = await loadConnection({ paths: [sandbox.kubeconfig] });
const direct = { server: sandbox.server, 'certificate-authority-data': administered.caData ?? '' };
const administrator = { 'client-certificate-data': user.certData, 'client-key-data': user.keyData };
/** A name that only the proxies resolve; the server's certificate holds it. */
const innerName = 'kubernetes.default.svc';
const inner = { ...direct, server: `https://${innerName}:${new URL(sandbox.server).port}` };
const configMap = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' };
const trusted = issueServerCertificate(
  await readAuthority(sandboxFolder(dirname(sandbox.kubeconfig))),
  'proxy',
  ['127.0.0.1'],
);
const untrusted = issueServerCertificate(createAuthority('stranger'), 'proxy', ['127.0.0.1']);
const logged: string[] = [];

let files = 0;
async function clientWith(
  t: TestContext,
  cluster: object,
  login: object = administrator,
): Promise<ClusterClient> {
  const path = join(folder, `kubeconfig-${files++}`);
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user: login }],
  };
  await writeFile(path, JSON.stringify(config));
  const log = loggerTo((entry) => logged.push(JSON.stringify(entry)));
  const client = await createClusterClient({ kubeconfig: { paths: [path] }, log });
  t.after(() => client.close());
  return client;
}

async function started(
  t: TestContext,
  start: (options: ProxyOptions) => Promise<Proxy>,
  options: ProxyOptions = {},
): Promise<Proxy> {
  const proxy = await start({ names: [innerName], ...options });
  t.after(() => proxy.close());
  return proxy;
}

async function checkReads(client: ClusterClient): Promise<void> {
  const answer = await client.get(configMap);
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

/** Sets variables of the environment for one test; the suites' own proxies are out of the way. */
function withEnvironment(t: TestContext, variables: Readonly<Record<string, string>>): void {
  const names = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, variables);
  t.after(() => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
}

const kinds = {
  http: { start: startConnectProxy, options: {} },
  https: { start: startConnectProxy, options: { tls: trusted } },
  socks5: { start: startSocksProxy, options: {} },
} as const;

for (const [scheme, { start, options }] of Object.entries(kinds)) {
  test(`through the ${scheme} proxy of the kubeconfig, which resolves the name, on kept connections`, async (t) => {
    const proxy = await started(t, start, options);
    const client = await clientWith(t, { ...inner, 'proxy-url': `${scheme}://127.0.0.1:${proxy.port}` });
    for (let index = 0; index < 5; index++) await checkReads(client);
    assert.ok(proxy.tunnels() >= 1 && proxy.tunnels() <= 2, `${proxy.tunnels()} tunnels`);
    assert.equal(proxy.targets[0], new URL(inner.server).host);
  });

  test(`a watch, a dry-run and a write through a ${scheme} proxy`, async (t) => {
    const proxy = await started(t, start, options);
    const client = await clientWith(t, { ...direct, 'proxy-url': `${scheme}://127.0.0.1:${proxy.port}` });
    const seen = Promise.withResolvers<void>();
    const ended = new AbortController();
    const name = `through-${scheme}`;
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
    const watching = client.watch(
      kind,
      { namespace },
      (event) => {
        if (JSON.stringify(event).includes(name)) seen.resolve();
      },
      ended.signal,
    );
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { a: 'b' } };
    const applying = { fieldManager: 'test', force: true };
    assert.equal((await client.apply(object, { ...applying, dryRun: true })).type, 'ok');
    assert.equal((await client.get({ ...configMap, name })).type, 'refused');
    assert.equal((await client.apply(object, { ...applying, dryRun: false })).type, 'ok');
    await seen.promise;
    ended.abort();
    await watching.catch((error: unknown) => assert.ok(isPlumbError(error, 'Cancelled'), String(error)));
    assert.ok(proxy.tunnels() >= 2, 'the watch has a connection of its own');
  });

  test(`a login at a ${scheme} proxy stands in its address, and in no error and no log line`, async (t) => {
    const login = 'me:s3cret/@word';
    const proxy = await started(t, start, { ...options, login });
    const at = (given: string): string => `${scheme}://${given}127.0.0.1:${proxy.port}`;
    await checkReads(
      await clientWith(t, { ...direct, 'proxy-url': at(`me:${encodeURIComponent('s3cret/@word')}@`) }),
    );
    for (const given of ['', 'me:wr0ng@']) {
      const client = await clientWith(t, { ...direct, 'proxy-url': at(given) });
      await assert.rejects(client.get(configMap), (error) => {
        assert.ok(isPlumbError(error, 'ClusterUnreachable'), String(error));
        assert.ok(
          error.message.includes(`through the proxy ${at('')} of proxy-url of the kubeconfig: the proxy `),
          error.message,
        );
        assert.match(
          error.hint ?? '',
          /^write user and password into the proxy's address in proxy-url of the kube/,
        );
        assert.doesNotMatch(JSON.stringify(error), /wr0ng/);
        return true;
      });
    }
    assert.doesNotMatch(logged.join('\n'), /s3cret|wr0ng/);
  });

  test(`a ${scheme} proxy that does not run, or refuses, is named with what to do`, async (t) => {
    const dead = await clientWith(t, { ...direct, 'proxy-url': `${scheme}://127.0.0.1:1` });
    await assert.rejects(dead.get(configMap), {
      code: 'ClusterUnreachable',
      message: `${direct.server} (context x) through the proxy ${scheme}://127.0.0.1:1 of proxy-url of the kubeconfig: connect ECONNREFUSED 127.0.0.1:1`,
      hint: 'start the proxy, or correct its address in proxy-url of the kubeconfig',
    });
    const proxy = await started(t, start, { ...options, refuses: scheme === 'socks5' ? 2 : 403 });
    const refused = await clientWith(t, { ...direct, 'proxy-url': `${scheme}://127.0.0.1:${proxy.port}` });
    await assert.rejects(refused.get(configMap), {
      code: 'ClusterUnreachable',
      message: /of the kubeconfig: the proxy (answered 403 Refused|refused: .*NotAllowed)$/,
      hint: /^the proxy may not or cannot reach the server/,
    });
  });

  test(`HTTPS_PROXY names a ${scheme} proxy; localhost and the kubeconfig come before it`, async (t) => {
    const proxy = await started(t, start, options);
    const value = `${scheme}://127.0.0.1:${proxy.port}`;
    withEnvironment(t, { HTTPS_PROXY: value });
    await checkReads(await clientWith(t, inner));
    assert.ok(proxy.tunnels() > 0);
    const used = proxy.tunnels();
    // Loopback is never proxied.
    await checkReads(await clientWith(t, direct));
    assert.equal(proxy.tunnels(), used);
    process.env['HTTPS_PROXY'] = `${scheme}://127.0.0.1:1`;
    await assert.rejects((await clientWith(t, inner)).get(configMap), {
      message: /through the proxy \w+:\/\/127\.0\.0\.1:1 of HTTPS_PROXY: connect ECONNREFUSED/,
      hint: 'start the proxy, or correct its address in HTTPS_PROXY, or exempt the server with NO_PROXY',
    });
    await checkReads(await clientWith(t, { ...inner, 'proxy-url': value }));
  });
}

test('a proxy whose certificate nobody trusts is named, with how to trust it', async (t) => {
  const proxy = await started(t, startConnectProxy, { tls: untrusted });
  const client = await clientWith(t, { ...direct, 'proxy-url': `https://127.0.0.1:${proxy.port}` });
  await assert.rejects(client.get(configMap), {
    code: 'ClusterUnreachable',
    message: /through the proxy https:\/\/127\.0\.0\.1:\d+ of proxy-url of the kubeconfig: .*certificate/,
    hint: /^the proxy's certificate is not trusted: add its authority .*NODE_EXTRA_CA_CERTS$/,
  });
});

test('the server behind a proxy must be who the kubeconfig says', async (t) => {
  for (const start of [startConnectProxy, startSocksProxy]) {
    const proxy = await started(t, start);
    const scheme = start === startSocksProxy ? 'socks5' : 'http';
    const stranger = { server: sandbox.server, 'proxy-url': `${scheme}://127.0.0.1:${proxy.port}` };
    await assert.rejects((await clientWith(t, stranger)).get(configMap), {
      code: 'ClusterUnreachable',
      message: /certificate/,
      hint: /certificate-authority in the kubeconfig/,
    });
  }
});

test('closing the client ends a connection that a silent proxy never opens', async (t) => {
  const proxy = await started(t, startSocksProxy, { names: [] });
  const silent = { ...inner, server: 'https://192.0.2.1', 'proxy-url': `socks5://127.0.0.1:${proxy.port}` };
  const client = await clientWith(t, silent);
  const reading = client.get(configMap);
  client.close();
  await assert.rejects(reading, (error) => isPlumbError(error, 'Cancelled'));
});

test('a proxy of another kind is refused by its name, without its login', async (t) => {
  await assert.rejects(clientWith(t, { ...direct, 'proxy-url': 'ftp://me:s3cret@127.0.0.1:1' }), {
    code: 'KubeconfigInvalid',
    message: 'context x: proxy-url is no address of an http, https or socks5 proxy',
    hint: /socks5:\/\/host:port/,
  });
});

test('a credential program is told the proxy of its cluster, and its token goes through it', async (t) => {
  const proxy = await started(t, startConnectProxy);
  const program = join(folder, 'login');
  await writeFile(program, '#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" > "$0.told"\ncat "$0.answer"\n');
  await chmod(program, 0o700);
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: {
      clientCertificateData: Buffer.from(user.certData ?? '', 'base64').toString(),
      clientKeyData: Buffer.from(user.keyData ?? '', 'base64').toString(),
    },
  };
  await writeFile(`${program}.answer`, JSON.stringify(credential));
  const exec = { apiVersion: credential.apiVersion, command: './login', provideClusterInfo: true };
  const proxyUrl = `http://127.0.0.1:${proxy.port}`;
  await checkReads(await clientWith(t, { ...direct, 'proxy-url': proxyUrl }, { exec }));
  const told = JSON.parse(await readFile(`${program}.told`, 'utf8')) as {
    spec: { cluster: Record<string, string> };
  };
  assert.equal(told.spec.cluster['proxy-url'], proxyUrl);
  assert.ok(proxy.tunnels() > 0);
});
