import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { runGit } from '../servers/gitRepository.ts';
import { configMap, fleetOn, fluxCluster, type Fleet } from './fluxCluster.ts';

const flux = await fluxCluster();
const folder = await mkdtemp(join(tmpdir(), 'plumb-find-'));
let fleet: Fleet;
let engine: Engine;

after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});

before(async () => {
  fleet = await fleetOn(flux, 'find');
  await fleet.commit({ 'apps/prod/settings.yaml': configMap('settings', { a: '1' }) });
  await fleet.kustomization('apps', { path: './apps/prod/' });
  await fleet.kustomization('gone', { path: './gone' });
  const clone = join(folder, 'clone');
  await runGit(folder, ['clone', '--quiet', fleet.repository.url, clone]);
  const { namespace, sandbox } = { namespace: fleet.namespace, sandbox: flux.sandbox };
  const stranger = await sandbox.userKubeconfig({ userName: 'stranger', namespace, clusterRole: 'view' });
  const kubeconfigs = {
    dead: JSON.stringify({
      contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'dead' } }],
      clusters: [{ name: 'dead', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'dead', user: {} }],
    }),
    stranger: (await readFile(stranger, 'utf8')).replaceAll('sandbox', 'stranger'),
  };
  for (const [name, text] of Object.entries(kubeconfigs)) await writeFile(join(folder, name), text);
  engine = await createEngine(
    {
      folders: [clone],
      kubeconfig: [sandbox.kubeconfig, join(folder, 'dead'), join(folder, 'stranger')],
      cacheFolder: join(folder, 'cache'),
      schedule: 'onRequest',
    },
    { log: silentLogger },
  );
});

test('a cluster is found by the remotes of the folder, with the paths it reconciles', async () => {
  const [context] = await engine.contexts();
  const name = context?.name ?? '';
  const [match] = await engine.findClusters([name]);
  const { cluster } = await engine.status();
  assert.equal(match?.context, name);
  assert.equal(match.uid, cluster?.uid);
  assert.deepEqual(
    match.workloads
      .map(({ ref, folder: root, path, isInFolder }) => [ref.name, basename(root), path, isInFolder])
      .sort(),
    [
      ['apps', 'clone', 'apps/prod', true],
      ['gone', 'clone', 'gone', false],
    ],
  );
});

test('a cluster that does not answer, and one that may not be read, say why and hold up no other', async () => {
  const [dead, stranger] = await engine.findClusters(['dead', 'stranger']);
  assert.match(dead?.problem ?? '', /127\.0\.0\.1:1/);
  assert.match(stranger?.problem ?? '', /GitRepository objects cannot be read: .*stranger/);
  assert.deepEqual([dead?.workloads, stranger?.workloads], [[], []]);
});

test('only the contexts that were named are asked', async () => {
  assert.deepEqual(await engine.findClusters([]), []);
  const [unknown] = await engine.findClusters(['no-such-context']);
  assert.match(unknown?.problem ?? '', /no-such-context/);
});
