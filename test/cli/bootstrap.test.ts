import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ownSandboxCluster } from '../cluster/sandboxCluster.ts';
import { generateSshKey } from '../../src/clients/git/sshKey.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { runGit } from '../servers/gitRepository.ts';
import { startGitSshServer } from '../servers/gitSshServer.ts';
import { type Run, startPlumb, writeKubeconfig } from './plumbProcess.ts';

// Definitions are shared by everybody on a cluster, and local mode by everything on it.
const sandbox = await ownSandboxCluster();
const folder = await mkdtemp(join(tmpdir(), 'plumb-cli-'));
const git = await startGitHttpServer();

after(async () => {
  await git.close();
  await rm(folder, { recursive: true, force: true });
});

/** Not awaited synchronously: the Git server runs in this process. */
async function plumb(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run & { readonly signal: NodeJS.Signals | null }> {
  return startPlumb(args, { cwd: folder, env: { KUBECONFIG: sandbox.kubeconfig, ...env } }).ended;
}

const onFleet = (url: string, ...more: string[]): readonly string[] => [
  ...['bootstrap', 'git', '--url', url, '--path', 'clusters/dev'],
  ...more,
];

const definition =
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kustomizations.kustomize.toolkit.fluxcd.io';

async function isInstalled(): Promise<boolean> {
  return (await sandbox.request('GET', definition)).status === 200;
}

/** Nothing can be created in a namespace on its way out. */
async function untilNamespaceIsGone(): Promise<void> {
  for (let left = 2400; left > 0; left -= 1) {
    if ((await sandbox.request('GET', '/api/v1/namespaces/flux-system')).status === 404) return;
    await delay(50);
  }
  assert.fail('the namespace flux-system did not go away');
}

test('wrong usage of bootstrap exits with 64 and says what is right', async () => {
  for (const [args, expected] of [
    [['bootstrap'], /plumb bootstrap git --url URL/],
    [['bootstrap', 'github', '--url', 'x'], /plumb bootstrap git --url URL/],
    [['bootstrap', 'git'], /--url is missing/],
    [onFleet('ssh://git@example.com/a.git', '--ssh-key-algorithm', 'dsa'), /ed25519, ecdsa, rsa/],
    [onFleet(git.url, '--timeout', 'soon'), /--timeout takes a duration/],
  ] as const) {
    const run = await plumb(args);
    assert.deepEqual([run.code, run.out], [64, ''], args.join(' '));
    assert.match(run.err, expected);
  }
});

test('what only the user can correct exits with 2 and names it', async () => {
  for (const [args, expected] of [
    [onFleet('http://git.example.com/fleet.git'), /plain HTTP.*\n.*--allow-insecure-http/],
    [onFleet('https://me:s3cret@example.com/fleet.git'), /holds a password/],
    [onFleet(`${git.url}/fleet.git`, '--branch', 'a..b'), /no name of a branch/],
    [onFleet(`${git.url}/fleet.git`, '--namespace', 'Flux'), /namespace "Flux" is not allowed/],
    [onFleet('ssh://git@example.com/a.git', '--private-key-file', 'none'), /none: .*cannot be read/],
  ] as const) {
    const run = await plumb(args);
    assert.deepEqual([run.code, run.out], [2, ''], `${args.join(' ')}: ${run.err}`);
    assert.match(run.err, expected);
    assert.doesNotMatch(run.err, /s3cret/);
  }
});

test('a dead cluster exits with 4, and nothing is pushed', async () => {
  const { url, folder: repository } = await git.createRepository('unused');
  const KUBECONFIG = writeKubeconfig(join(folder, 'dead'), { server: 'https://127.0.0.1:1' });
  for (const args of [onFleet(url, '--yes'), ['install', '--yes'], ['check'], ['uninstall', '--yes']]) {
    const run = await plumb(args, { KUBECONFIG });
    assert.equal(run.code, 4, `${args.join(' ')}: ${run.err}`);
    assert.match(run.err, /127\.0\.0\.1:1/);
  }
  assert.equal(await runGit(repository, ['for-each-ref']), '');
});

test('a user who may only read is told which right is missing, and nothing is pushed', async () => {
  const { url, folder: repository } = await git.createRepository('readonly');
  const KUBECONFIG = await sandbox.userKubeconfig({
    userName: 'reader',
    namespace: 'default',
    clusterRole: 'view',
  });
  for (const args of [onFleet(url, '--yes'), ['install', '--yes'], ['uninstall', '--yes']]) {
    const run = await plumb(args, { KUBECONFIG });
    assert.equal(run.code, 2, `${args.join(' ')}: ${run.err}`);
    assert.match(run.err, /\S+: .*Forbidden.*\(AccessDenied\)\n {2}\S/, args.join(' '));
  }
  const check = await plumb(['check'], { KUBECONFIG });
  assert.match(check.out, /! .*(cannot be read|rights)/, check.err);
  assert.equal(await runGit(repository, ['for-each-ref']), '');
});

test('a wrong token is told with the address and never printed, and the right one goes on', async () => {
  const server = await startGitHttpServer({ credentials: { username: 'git', password: 'r1ght' } });
  try {
    const { url, folder: repository } = await server.createRepository('token');
    const args = onFleet(url, '--username', 'git', '--dry-run');
    const wrong = await plumb(args, { GIT_PASSWORD: 'wr0ng' });
    assert.equal(wrong.code, 2, wrong.err);
    assert.match(
      wrong.err,
      /http:\/\/127\.0\.0\.1:\d+\/token\.git: the server refused the user name or the token \(git ls-remote: .*\) \(AuthenticationFailed\)\n {2}check the user name and the token/,
    );
    assert.doesNotMatch(wrong.out + wrong.err, /wr0ng/);
    const right = await plumb(args, { GIT_PASSWORD: 'r1ght' });
    assert.equal(right.code, 0, right.err);
    assert.doesNotMatch(right.out + right.err, /r1ght/);
    assert.equal(await runGit(repository, ['for-each-ref']), '');
  } finally {
    await server.close();
  }
});

test('previews change nothing, and without --yes nobody agrees to anything', async () => {
  const { url, folder: repository } = await git.createRepository('preview');
  const shown = await plumb(onFleet(url, '--dry-run'));
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /\+ clusters\/dev\/flux-system\/gotk-sync\.yaml/);
  const json = await plumb(onFleet(url, '--dry-run', '-o', 'json'));
  const plan = JSON.parse(json.out) as { cluster: string; commits: unknown[]; isUpToDate: boolean };
  assert.deepEqual([plan.cluster, plan.commits.length, plan.isUpToDate], ['sandbox', 2, false]);
  const unasked = await plumb(onFleet(url));
  assert.deepEqual([unasked.code, unasked.out], [64, '']);
  assert.match(unasked.err, /bootstrap sandbox\?.*--yes/);
  const install = await plumb(['install', '--dry-run']);
  assert.match(install.out, /CustomResourceDefinition: .*kustomizations/);
  assert.equal((await plumb(['install'])).code, 64);
  assert.equal(await runGit(repository, ['for-each-ref']), '');
  assert.equal(await isInstalled(), false);
});

test('install --export prints the manifests without a cluster', async () => {
  const run = await plumb(['install', '--export', '--namespace', 'gitops'], { KUBECONFIG: '/dev/null' });
  assert.equal(run.code, 0, run.err);
  assert.match(run.out, /^---\n# This manifest was generated by plumb\. DO NOT EDIT\.\n/);
  assert.match(run.out, /\n {2}namespace: gitops\n/);
});

test('check fails with 1 and the remedy where nothing is installed', async () => {
  const run = await plumb(['check']);
  assert.equal(run.code, 1, run.err);
  assert.match(run.out, /✗ Flux is not installed/);
  assert.equal((await plumb(['check', '--pre'])).code, 0);
});

test('bootstrap, a second bootstrap, check and uninstall: each does what it says, once', async () => {
  const { url, folder: repository } = await git.createRepository('fleet');
  const hook = join(repository, 'hooks', 'pre-receive');
  await writeFile(hook, '#!/bin/sh\necho "main is frozen" >&2\nexit 1\n');
  await chmod(hook, 0o755);
  const rejected = await plumb(onFleet(url, '--yes'));
  assert.equal(rejected.code, 4, rejected.err);
  assert.match(rejected.err, /main is frozen/);
  assert.equal(await isInstalled(), false, 'a rejected push leaves the cluster alone');
  await rm(hook);

  const first = await plumb(onFleet(url, '--yes'));
  assert.equal(first.code, 0, first.err);
  assert.match(first.err, /✔ components: pushed [0-9a-f]{7}: Add Flux/);
  const head = await runGit(repository, ['rev-parse', 'main']);
  assert.match(first.out, new RegExp(`reconciled main@sha1:${head}`));
  const second = await plumb(onFleet(url, '-o', 'json'));
  assert.equal(second.code, 0, second.err);
  const result = JSON.parse(second.out) as { commits: unknown[]; revision: string };
  assert.deepEqual(result.commits, []);
  assert.equal(await runGit(repository, ['rev-parse', 'main']), head);

  const moved = await plumb(['bootstrap', 'git', '--url', url, '--path', 'clusters/prod', '--yes']);
  assert.equal(moved.code, 2);
  assert.match(moved.err, /would overwrite path/);

  const check = await plumb(['check']);
  assert.equal(check.code, 0, check.out + check.err);
  assert.match(check.out, /all checks passed/);

  const left = await plumb(['down', '--dry-run']);
  assert.equal(left.code, 0, left.err);
  assert.match(left.out, /~ Kustomization\/flux-system\/flux-system without its finalizer/);
  assert.equal((await plumb(['down'])).code, 64);
  const down = await plumb(['down', '--yes']);
  assert.equal(down.code, 0, down.err);
  assert.match(down.out, /✔ 0 Leases given up, 0 overrides ended, 2 finalizers removed/);
  assert.match((await plumb(['down', '--yes'])).out, /nothing is left to do/);

  const preview = await plumb(['uninstall', '--dry-run']);
  assert.equal(preview.code, 0, preview.err);
  assert.match(preview.out, /- Namespace: flux-system/);
  assert.equal((await plumb(['uninstall'])).code, 64);
  assert.equal(await isInstalled(), true, 'a preview deletes nothing');
  const uninstalled = await plumb(['uninstall', '--yes']);
  assert.equal(uninstalled.code, 0, uninstalled.err);
  await untilNamespaceIsGone();
  const again = await plumb(['uninstall', '--yes']);
  assert.equal(again.code, 2, again.err);
  assert.match(again.err, /no Flux installation was found/);
});

test('over SSH the plan shows the key to register and the host keys to compare', async () => {
  const ssh = await startGitSshServer();
  try {
    const { url } = await ssh.createRepository('fleet');
    const key = join(folder, 'id');
    const pair = await generateSshKey('ecdsa');
    ssh.allow(pair.publicKey, 'write');
    await writeFile(key, pair.identity.reveal(), { mode: 0o600 });
    const run = await plumb(onFleet(url, '--private-key-file', key, '--dry-run'));
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /Host key ssh-ed25519 SHA256:/);
    assert.ok(run.out.includes(pair.publicKey), run.out);
  } finally {
    await ssh.close();
  }
});
