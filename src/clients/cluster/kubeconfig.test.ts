import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { defaultKubeconfigPaths, listContexts, loadConnection } from './kubeconfig.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-kubeconfig-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const base = `
apiVersion: v1
kind: Config
current-context: dev
contexts:
  - { name: dev, context: { cluster: dev, user: alice, namespace: web } }
  - { name: prod, context: { cluster: prod, user: alice } }
clusters:
  - { name: dev, cluster: { server: "https://dev.example:6443/", certificate-authority: ca.crt } }
  - { name: prod, cluster: { server: "https://prod.example" } }
users:
  - { name: alice, user: { tokenFile: token, as: admin, as-groups: [ops] } }
`;

test('lists every context with its server and tells the current one', async () => {
  const path = await file('base', base);
  assert.deepEqual(await listContexts([path]), [
    {
      name: 'dev',
      server: 'https://dev.example:6443',
      cluster: 'dev',
      user: 'alice',
      namespace: 'web',
      current: true,
    },
    { name: 'prod', server: 'https://prod.example', cluster: 'prod', user: 'alice', current: false },
  ]);
});

test('reads the fields that the loader passes over, with files beside the kubeconfig', async () => {
  const path = await file('base', base);
  const { cluster, user, namespace } = await loadConnection({ paths: [path] });
  assert.equal(cluster.caFile, join(folder, 'ca.crt'));
  assert.equal(user.tokenFile, join(folder, 'token'));
  assert.deepEqual(user.impersonateGroups, ['ops']);
  assert.equal(namespace, 'web');
});

test('merges several files as kubectl does: the first entry of a name wins', async () => {
  const first = await file(
    'first',
    'contexts:\n- {name: dev, context: {cluster: mine, user: ""}}\nclusters:\n- {name: mine, cluster: {server: "https://mine"}}\n',
  );
  const second = await file('second', base);
  const missing = join(folder, 'missing');
  const connection = await loadConnection({ paths: [missing, first, second] });
  assert.equal(connection.contextName, 'dev');
  assert.equal(connection.cluster.server, 'https://mine');
  assert.deepEqual((await listContexts([first, second])).map(({ name }) => name).sort(), ['dev', 'prod']);
});

test('says what is wrong with a kubeconfig, and what to do', async () => {
  const broken = await file('broken', 'users:\n  - {name: a, user: {token: s3cret\nclusters: [');
  const noServer = await file('noServer', 'clusters: [{name: a, cluster: {}}]');
  const cases = [
    [{ paths: [join(folder, 'none')] }, undefined, /no kubeconfig: .*none does not exist/],
    [{ paths: [broken] }, undefined, /broken: line \d+: /],
    [{ paths: [noServer] }, undefined, /clusters\[0\]\.cluster\.server is missing/],
    [{ paths: [await file('base', base)] }, 'staging', /context "staging" does not exist/],
    [{ paths: [await file('empty', '')] }, undefined, /no context chosen/],
  ] as const;
  for (const [source, context, pattern] of cases)
    await assert.rejects(loadConnection(source, context), (error) => {
      assert.ok(isPlumbError(error, 'KubeconfigInvalid'));
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /s3cret/);
      assert.ok(error.hint !== undefined);
      return true;
    });
});

test('a kubeconfig out of a Secret may not run programs or read files of this machine', async () => {
  const text = `
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "https://x", certificate-authority: /etc/passwd}}]
users: [{name: x, user: {exec: {command: rm}, tokenFile: /home/me/token}}]`;
  await assert.rejects(
    loadConnection({ text: new Secret(text), subject: 'Secret/flux-system/remote' }),
    /Secret\/flux-system\/remote: kubeconfig uses exec and tokenFile and certificate-authority/,
  );
});

test('takes the files of KUBECONFIG, else the one in the home folder', () => {
  assert.deepEqual(defaultKubeconfigPaths({ KUBECONFIG: `/a${delimiter}${delimiter}/b` }), ['/a', '/b']);
  assert.deepEqual(defaultKubeconfigPaths({ HOME: '/home/me' }), [join('/home/me', '.kube', 'config')]);
});
