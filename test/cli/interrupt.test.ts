import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { ownSandboxCluster } from '../cluster/sandboxCluster.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { fleet, type RunningPlumb, startPlumb, writeKubeconfig } from './plumbProcess.ts';

const cluster = await ownSandboxCluster();
const git = await startGitHttpServer();
const folder = mkdtempSync(join(tmpdir(), 'plumb-interrupt-'));
const temporary = join(folder, 'tmp');
/** Answers nothing, as a host behind a broken firewall. */
const silent: Server = createServer((socket) => socket.on('error', () => undefined));
let silentUrl = '';

before(async () => {
  mkdirSync(temporary);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentUrl = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
after(async () => {
  await git.close();
  silent.close();
  rmSync(folder, { recursive: true });
});

/** A plumb whose temporary files and caches lie in folders of this test. */
function start(args: readonly string[], kubeconfig: string, cwd = fleet): RunningPlumb {
  return startPlumb(args, {
    cwd,
    env: { HOME: folder, TMPDIR: temporary, XDG_CACHE_HOME: join(folder, 'cache'), KUBECONFIG: kubeconfig },
  });
}

/** Processes of this machine that the run started and that are still there: they carry its TMPDIR. */
function left(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!environment.includes(`TMPDIR=${temporary}`)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        // Gone meanwhile, or somebody else's.
        return [];
      }
    });
}

/** A process that was told to end needs a moment. */
async function untilNothingIsLeft(): Promise<void> {
  for (const deadline = Date.now() + 60_000; left().length > 0 && Date.now() < deadline;) await delay(20);
  assert.deepEqual(left(), [], 'a process is left');
}

async function interrupted(plumb: RunningPlumb): Promise<void> {
  plumb.child.kill('SIGINT');
  const { code, signal, err } = await plumb.ended;
  assert.deepEqual([code, signal], [130, null], err);
  assert.match(err, /cancelled\n$/);
  await untilNothingIsLeft();
  assert.deepEqual(readdirSync(temporary), [], 'a file is left');
}

/** Resolves with the next connection to the silent server. */
function connected(): Promise<void> {
  return new Promise((resolve) => silent.once('connection', () => resolve()));
}

for (const args of [
  ['get'],
  ['diff', 'kustomization', 'apps'],
  ['tree', 'kustomization', 'apps'],
  ['trace', 'deployment', 'web'],
  ['events', '--watch'],
  ['apply', 'kustomization', 'apps', '--yes'],
  ['check'],
  ['install', '--yes'],
  ['watch', '--local'],
]) {
  test(`Ctrl-C while a cluster does not answer ends plumb ${args.join(' ')}`, async () => {
    const kubeconfig = writeKubeconfig(join(folder, 'silent'), { server: `http://${silentUrl}` });
    const asked = connected();
    const plumb = start(args, kubeconfig);
    await asked;
    await interrupted(plumb);
  });
}

test('Ctrl-C while a Git server does not answer ends plumb and git', async () => {
  const asked = connected();
  const plumb = start(
    ['bootstrap', 'git', '--url', `http://${silentUrl}/fleet.git`, '--dry-run'],
    cluster.kubeconfig,
  );
  await asked;
  await interrupted(plumb);
});

test('Ctrl-C while a credential program does not answer ends both', async () => {
  const program = join(folder, 'login');
  writeFileSync(program, `#!/bin/sh\necho asked > '${join(folder, 'asked')}'\nexec sleep 1000\n`);
  chmodSync(program, 0o755);
  const kubeconfig = writeKubeconfig(
    join(folder, 'exec'),
    { server: cluster.server },
    {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: program,
        interactiveMode: 'Never',
      },
    },
  );
  const plumb = start(['get'], kubeconfig);
  while (!readdirSync(folder).includes('asked')) await delay(20);
  await interrupted(plumb);
});

const objects = 150;
const kustomizations = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations';

/** A Kustomization with many objects, in Git and in the cluster. */
async function prepareShop(): Promise<void> {
  const { folder: bare, url } = await git.createRepository('fleet');
  const documents = Array.from(
    { length: objects },
    (_, index) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c${index}, namespace: shop }\ndata: { a: "1" }\n`,
  );
  await commitFiles(bare, { files: { 'apps/all.yaml': documents.join('---\n') } });
  const run = await start(['install', '--yes'], cluster.kubeconfig).ended;
  assert.equal(run.code, 0, run.err);
  for (const [path, body] of [
    ['/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }],
    [
      '/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories',
      {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'GitRepository',
        metadata: { name: 'fleet', namespace: 'flux-system' },
        spec: { interval: '10m', url, ref: { branch: 'main' } },
      },
    ],
    [
      kustomizations,
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: 'apps', namespace: 'flux-system' },
        spec: {
          interval: '10m',
          path: './apps',
          prune: true,
          sourceRef: { kind: 'GitRepository', name: 'fleet' },
        },
      },
    ],
  ] as const) {
    const answer = await cluster.request('POST', path, body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
}

async function applied(): Promise<readonly string[]> {
  const { body } = await cluster.request('GET', '/api/v1/namespaces/shop/configmaps');
  return (body['items'] as unknown as { metadata: { name: string } }[])
    .map(({ metadata }) => metadata.name)
    .filter((name) => /^c\d+$/.test(name));
}

async function recorded(): Promise<readonly string[]> {
  const { body } = await cluster.request('GET', `${kustomizations}/apps`);
  const status = isJsonObject(body['status']) ? body['status'] : {};
  const inventory = isJsonObject(status['inventory']) ? status['inventory'] : {};
  const entries = (inventory['entries'] ?? []) as unknown as { id: string }[];
  return entries.map(({ id }) => id.split('_')[1] ?? '');
}

async function holders(): Promise<readonly string[]> {
  const { body } = await cluster.request('GET', '/apis/coordination.k8s.io/v1/namespaces/flux-system/leases');
  return (body['items'] as unknown as JsonObject[]).map((lease) =>
    String((lease['spec'] as JsonObject)['holderIdentity']),
  );
}

async function untilSomeAreApplied(): Promise<void> {
  while ((await applied()).length === 0) await delay(5);
}

test('kill -9 in mid-reconcile: every object is recorded, nobody else may write until the Leases run out, then the next one ends the work', async () => {
  await prepareShop();
  const killed = start(['watch', '--local'], cluster.kubeconfig);
  await untilSomeAreApplied();
  killed.child.kill('SIGKILL');
  await killed.ended;
  const [written, inInventory] = [await applied(), new Set(await recorded())];
  assert.deepEqual(
    written.filter((name) => !inInventory.has(name)),
    [],
    'an object is in the cluster that no inventory has',
  );
  const [holder = ''] = new Set(await holders());
  assert.match(holder, /^plumb_/);
  const args = ['watch', '--local', '--until-ready'];
  const refused = await start(args, cluster.kubeconfig).ended;
  assert.equal(refused.code, 2);
  assert.match(refused.err, new RegExp(`${holder}.*\\(ModeForbids\\)`));
  // The Leases last 35 s.
  for (;;) {
    const next = await start(args, cluster.kubeconfig).ended;
    if (next.code === 0) break;
    assert.match(next.err, /\(ModeForbids\)/);
    await delay(2_000);
  }
  assert.equal((await applied()).length, objects);
  assert.equal((await recorded()).length, objects);
  assert.deepEqual(new Set(await holders()), new Set(['']));
});

test('Ctrl-C in mid-reconcile gives the Leases back, and the next one ends the work', async () => {
  // What the killed one could not take away.
  for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true });
  await cluster.request('DELETE', '/api/v1/namespaces/shop/configmaps');
  const plumb = start(['watch', '--local'], cluster.kubeconfig);
  await untilSomeAreApplied();
  // The first runs may begin before it is said that this is local mode now; from then on it looks on.
  await plumb.saw(/^Kustomization\/flux-system\/apps /m);
  plumb.child.kill('SIGINT');
  const { code, err } = await plumb.ended;
  assert.equal(code, 0, err);
  assert.deepEqual(new Set(await holders()), new Set(['']));
  await untilNothingIsLeft();
  assert.deepEqual(readdirSync(temporary), []);
  const next = await start(['reconcile', 'kustomization', 'apps', '--local'], cluster.kubeconfig).ended;
  assert.equal(next.code, 0, next.err);
  assert.equal((await applied()).length, objects);
});
