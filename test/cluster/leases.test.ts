import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { ClusterSession } from '../../src/engine/clusterSession.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Clock } from '../../src/ssa/runContext.ts';
import { manualClock } from '../tools/manualClock.ts';
import { withOnlyLocalMode } from './oneLocalMode.ts';
import { sandboxCluster } from './sandboxCluster.ts';

// At the top of the file: an `after` registered inside a hook would run with the hook.
const sandbox = await sandboxCluster();
const { server } = sandbox;
let cluster: ClusterClient;
const { signal } = new AbortController();

before(async () => {
  cluster = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: silentLogger });
  await cluster.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } },
    { fieldManager: 'test' },
  );
});
after(() => cluster.close());

function session(
  processId: string,
  options: { clock?: Clock; monotonicMs?: () => number; onLost?: (why: string) => void } = {},
): ClusterSession {
  return new ClusterSession({
    cluster,
    context: 'sandbox',
    clock: options.clock ?? systemClock,
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
    log: silentLogger,
    processId,
    onModeChanged: (_, why) => options.onLost?.(why),
  });
}

async function leases(): Promise<readonly { name: string; holder: string; seconds: number }[]> {
  const listed = await cluster.list(
    { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
    { namespace: 'flux-system' },
  );
  assert.ok(listed.type === 'ok');
  return listed.value.map((lease) => {
    const spec = lease['spec'] as { holderIdentity?: string; leaseDurationSeconds?: number };
    return {
      name: lease.metadata.name,
      holder: spec.holderIdentity ?? '',
      seconds: spec.leaseDurationSeconds ?? 0,
    };
  });
}

test('local mode holds every Lease of the installation and gives all back as the controllers do', () =>
  withOnlyLocalMode(server, async () => {
    const plumb = session('held0001');
    await plumb.enterLocal(signal);
    const held = await leases();
    assert.equal(held.length, 7);
    assert.ok(held.every(({ holder, seconds }) => holder.startsWith('plumb_') && seconds === 35));
    assert.equal((await plumb.view()).reconciler, 'plumb');
    await plumb.leaveLocal();
    assert.ok((await leases()).every(({ holder, seconds }) => holder === '' && seconds === 1));
  }));

test('a second Plumb stays in observe while the first holds the Leases', () =>
  withOnlyLocalMode(server, async () => {
    const [first, second] = [session('first001'), session('second01')];
    await first.enterLocal(signal);
    assert.equal((await second.view()).reconciler, 'otherPlumb');
    await assert.rejects(
      second.enterLocal(signal),
      (error) => isPlumbError(error, 'ModeForbids') && error.hint !== undefined,
    );
    assert.equal(second.mode, 'observe');
    await first.leaveLocal();
    await second.enterLocal(signal);
    await second.leaveLocal();
  }));

test('a clock that is wrong by hours neither takes a Lease that is held nor keeps one from others', () =>
  withOnlyLocalMode(server, async () => {
    const skewed = (hours: number): Clock => ({
      ...systemClock,
      now: () => systemClock.now() + hours * 3_600_000,
    });
    const right = session('right001');
    await right.enterLocal(signal);
    for (const hours of [-9, 9]) {
      const wrong = session(`wrong00${hours}`, { clock: skewed(hours) });
      assert.equal((await wrong.view()).reconciler, 'otherPlumb');
      await assert.rejects(wrong.enterLocal(signal), (error) => isPlumbError(error, 'ModeForbids'));
    }
    await right.leaveLocal();
    for (const hours of [-9, 9]) {
      const wrong = session(`skewed0${hours}`, { clock: skewed(hours) });
      await wrong.enterLocal(signal);
      wrong.localPermit.require();
      assert.equal((await session('looks003').view()).reconciler, 'otherPlumb');
      await wrong.leaveLocal();
      assert.equal((await session('looks004').view()).reconciler, 'none');
    }
  }));

test('one Lease that somebody renews is enough to take none', () =>
  withOnlyLocalMode(server, async () => {
    const name = 'helm-controller-leader-election';
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: 'helm-controller-abc', leaseDurationSeconds: 35, renewTime };
    const ref = {
      group: 'coordination.k8s.io',
      version: 'v1',
      kind: 'Lease',
      namespace: 'flux-system',
      name,
    };
    const patched = await cluster.patch(ref, { spec }, { type: 'merge', fieldManager: 'helm-controller' });
    assert.equal(patched.type, 'ok');
    const plumb = session('refused1');
    await assert.rejects(
      plumb.enterLocal(signal),
      (error) => isPlumbError(error, 'ModeForbids') && /helm-controller-abc/.test(error.message),
    );
    assert.ok((await leases()).every(({ holder }) => !holder.startsWith('plumb_')));
    await cluster.patch(
      ref,
      { spec: { holderIdentity: '' } },
      { type: 'merge', fieldManager: 'helm-controller' },
    );
  }));

test('a ready Deployment that elects no leader counts as live, one that elects a leader does not', () =>
  withOnlyLocalMode(server, async () => {
    const deployment = (args: readonly string[]): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'kustomize-controller',
        namespace: 'flux-system',
        labels: { 'app.kubernetes.io/part-of': 'flux' },
      },
      spec: {
        selector: { matchLabels: { app: 'kustomize-controller' } },
        template: {
          metadata: { labels: { app: 'kustomize-controller' } },
          spec: { containers: [{ name: 'manager', image: 'x', args }] },
        },
      },
    });
    const ref = {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: 'flux-system',
      name: 'kustomize-controller',
    };
    const apply = async (args: readonly string[]): Promise<void> => {
      const applied = await cluster.apply(deployment(args), {
        fieldManager: 'test',
        force: true,
        dryRun: false,
      });
      assert.equal(applied.type, 'ok');
      // Its pods are simulated: they become ready whatever the image is.
      await sandbox.waitFor(
        '/apis/apps/v1/namespaces/flux-system/deployments/kustomize-controller',
        (live) => {
          const { observedGeneration, readyReplicas } = live['status'] as Readonly<Record<string, number>>;
          return (
            observedGeneration === (live['metadata'] as { generation: number }).generation &&
            readyReplicas === 1
          );
        },
      );
    };
    try {
      await apply(['--log-level=info']);
      assert.equal((await session('looks001').view()).reconciler, 'flux');
      await apply(['--enable-leader-election']);
      assert.equal((await session('looks002').view()).reconciler, 'none');
    } finally {
      await cluster.delete(ref);
    }
  }));

test('a shard has a Lease name of its own, taken with the others', () =>
  withOnlyLocalMode(server, async () => {
    const name = 'kustomize-controller-shard1';
    const object: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'flux-system', labels: { 'app.kubernetes.io/part-of': 'flux' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            containers: [
              {
                name: 'manager',
                image: 'x',
                args: ['--enable-leader-election', '--watch-label-selector=!sharding.fluxcd.io/key'],
              },
            ],
          },
        },
      },
    };
    assert.equal(
      (await cluster.apply(object, { fieldManager: 'test', force: true, dryRun: false })).type,
      'ok',
    );
    const plumb = session('shard001');
    try {
      await plumb.enterLocal(signal);
      const held = (await leases())
        .filter(({ holder }) => holder.startsWith('plumb_'))
        .map(({ name: lease }) => lease);
      assert.ok(held.includes('kustomize-controller-leader-election-42da7484'), held.join(' '));
    } finally {
      await plumb.leaveLocal();
      await cluster.delete({
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        namespace: 'flux-system',
        name,
      });
    }
  }));

test('after a sleep longer than the renew deadline nothing is written any more', () =>
  withOnlyLocalMode(server, async () => {
    let slept = 0;
    let why = '';
    const plumb = session('sleeper1', {
      monotonicMs: () => performance.now() + slept,
      onLost: (reason) => (why = reason),
    });
    const over = await plumb.enterLocal(signal);
    plumb.localPermit.require();
    slept = 31_000;
    for (let turn = 0; turn < 2; turn++)
      assert.throws(
        () => plumb.localPermit.require(),
        (error) => isPlumbError(error, 'PlanOutdated') && /sleep/.test(error.message),
      );
    assert.equal(over.aborted, true);
    assert.equal(plumb.mode, 'observe');
    while (why === '') await new Promise((resolve) => setImmediate(resolve));
    assert.match(why, /sleep/);
  }));

test('after a sleep the Leases are given up, not renewed, also when nothing is written', () =>
  withOnlyLocalMode(server, async () => {
    const clock = manualClock(Date.now());
    const lost = Promise.withResolvers<string>();
    const plumb = session('sleeper2', { clock, onLost: lost.resolve });
    await plumb.enterLocal(signal);
    assert.ok((await leases()).some(({ holder }) => holder.startsWith('plumb_')));
    // The timer of the next renewal goes off late: the wall clock has moved on by more than the renew deadline.
    clock.sleepUntil(31_000);
    assert.match(await lost.promise, /sleep/);
    await assert.rejects(
      async () => plumb.localPermit.require(),
      (error) => isPlumbError(error, 'PlanOutdated'),
    );
    await plumb.leaveLocal();
    while ((await leases()).some(({ holder }) => holder !== '')) await new Promise(setImmediate);
  }));

test('a Lease that somebody took ends local mode, and stays theirs', () =>
  withOnlyLocalMode(server, async () => {
    const lost = Promise.withResolvers<string>();
    const clock = manualClock(Date.now());
    const plumb = session('robbed01', { clock, onLost: lost.resolve });
    await plumb.enterLocal(signal);
    const name = 'source-controller-leader-election';
    const ref = {
      group: 'coordination.k8s.io',
      version: 'v1',
      kind: 'Lease',
      namespace: 'flux-system',
      name,
    };
    const take = async (holderIdentity: string): Promise<void> => {
      const answer = await cluster.patch(
        ref,
        { spec: { holderIdentity } },
        { type: 'merge', fieldManager: 'source-controller' },
      );
      assert.equal(answer.type, 'ok');
    };
    await take('source-controller-xyz');
    await clock.advance(5_000);
    assert.match(await lost.promise, /source-controller-leader-election was taken by source-controller-xyz/);
    while ((await leases()).some(({ holder }) => holder.startsWith('plumb_')))
      await new Promise(setImmediate);
    assert.ok((await leases()).some(({ holder }) => holder === 'source-controller-xyz'));
    await take('');
  }));
