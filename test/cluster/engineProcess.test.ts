import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { waitForExit } from '../../src/clients/sandbox/startSandbox.ts';
import type { EngineConfig } from '../../src/protocol/engine.ts';
import { ipcConnection, remoteEngine, type RemoteEngine } from '../../src/protocol/rpc.ts';
import { configMap } from './fluxCluster.ts';
import { nextEvent, sharedFleet } from './sharedFleet.ts';

const children: ChildProcess[] = [];
after(() => children.forEach((child) => child.kill('SIGKILL')));
const fleet = await sharedFleet();
const { flux, namespace } = fleet;
await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'blue' }) });
await fleet.publish();
/** Never ready: its run waits for as long as the test lets it. */
const slow = await fleet.kustomization('slow', {
  path: './apps',
  timeout: '10m',
  healthChecks: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', namespace }],
});
const config: EngineConfig = {
  folders: [fleet.clone],
  kubeconfig: [flux.sandbox.kubeconfig],
  cacheFolder: join(fleet.clone, '../cache-of-the-process'),
  schedule: 'onRequest',
};

async function holders(): Promise<readonly string[]> {
  const listed = await flux.client.list(
    { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
    { namespace: 'flux-system' },
  );
  assert.ok(listed.type === 'ok');
  return listed.value.map(({ spec }) => (spec as { holderIdentity?: string }).holderIdentity ?? '');
}

async function startEngine(): Promise<{ readonly child: ChildProcess; readonly engine: RemoteEngine }> {
  const child = fork(join(import.meta.dirname, '../../src/engineProcess.ts'), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  children.push(child);
  const engine = remoteEngine(ipcConnection(child));
  await engine.start(config);
  return { child, engine };
}

test('an engine whose channel breaks in mid-run writes no more, releases its Leases and exits', async () => {
  const { child, engine } = await startEngine();
  await engine.setMode('local');
  const waiting = nextEvent(engine, (event) =>
    event.type === 'stageStarted' && event.stage === 'HealthCheckFailed' ? true : undefined,
  );
  engine.reconcile(slow, false).catch(() => undefined);
  await waiting;
  assert.ok((await holders()).some((holder) => holder.startsWith('plumb_')));
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  child.disconnect();
  // 0: it ended in order, within the ten seconds after which it would have given up with 1.
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual([...new Set(await holders())], ['']);
});

test('an engine whose host is killed does the same, and nothing of it stays', async () => {
  const host = spawn(
    process.execPath,
    [join(import.meta.dirname, 'engineHost.ts'), JSON.stringify(config), JSON.stringify(slow)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  children.push(host);
  const [text] = (await once(host.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString().trim());
  assert.ok((await holders()).some((holder) => holder.startsWith('plumb_')));
  host.kill('SIGKILL');
  assert.equal(await waitForExit(pid), true);
  assert.deepEqual([...new Set(await holders())], ['']);
});

test('a killed engine leaves its Leases to run out; a new one gets them then, not before', async () => {
  const { child, engine } = await startEngine();
  await engine.setMode('local');
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  assert.ok((await holders()).some((holder) => holder.startsWith('plumb_')));
  const next = await fleet.engine();
  await assert.rejects(next.setMode('local'), { code: 'ModeForbids' });
  // As 35 s later: nobody has renewed them since.
  const listed = await flux.client.list(
    { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
    { namespace: 'flux-system' },
  );
  assert.ok(listed.type === 'ok');
  for (const { metadata } of listed.value) {
    const ref = {
      group: 'coordination.k8s.io',
      version: 'v1',
      kind: 'Lease',
      namespace: 'flux-system',
      name: metadata.name,
    };
    const past = new Date(Date.now() - 36_000).toISOString().replace('Z', '000Z');
    await flux.client.patch(ref, { spec: { renewTime: past } }, { type: 'merge', fieldManager: 'plumb' });
  }
  assert.equal((await next.setMode('local')).cluster?.mode, 'local');
  await next.setMode('observe');
});
