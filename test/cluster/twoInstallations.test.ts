import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { installManifests } from '../../src/bootstrap/install.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import { LeaseHolder, newHolderIdentity } from '../../src/engine/leases/leaseHolder.ts';
import { leaseTargets } from '../../src/engine/leases/leaseNames.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { fluxCluster } from './fluxCluster.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

const folder = await mkdtemp(join(tmpdir(), 'plumb-two-'));
const engines: Engine[] = [];
// Before the sandbox registers its own: hooks run in that order.
after(async () => {
  for (const engine of engines) await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});
const sandbox = await ownSandboxCluster();
const flux = await fluxCluster(sandbox);
const leaseKind = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' };

/** Installs the definitions and the namespace; the last installation owns the definitions. */
async function install(namespace: string): Promise<void> {
  for (const object of installManifests(namespace)) await flux.apply(object);
}

async function engine(): Promise<Engine> {
  const made = await createEngine(
    { folders: [folder], kubeconfig: [sandbox.kubeconfig], cacheFolder: folder, schedule: 'onRequest' },
    { log: silentLogger },
  );
  engines.push(made);
  return made;
}

/** `namespace holder` of every Lease that somebody holds. */
async function held(): Promise<readonly string[]> {
  const listed = await flux.client.list(leaseKind, { fieldSelector: 'metadata.namespace!=kube-node-lease' });
  assert.ok(listed.type === 'ok');
  const holders = listed.value.flatMap((lease) => {
    const { holderIdentity = '' } = lease['spec'] as { holderIdentity?: string };
    return lease.metadata.namespace?.startsWith('flux-') === true && holderIdentity !== ''
      ? [`${lease.metadata.namespace} ${holderIdentity}`]
      : [];
  });
  return [...new Set(holders)];
}

test('of two installations only one has a Plumb that reconciles; the other one is refused with both names', async () => {
  await install('flux-one');
  const [first, second] = [await engine(), await engine()];
  await first.setMode('local');
  await install('flux-two');
  const [holder = ''] = await held();
  assert.match(holder, /^flux-one plumb_/);
  await assert.rejects(second.setMode('local'), (error) => {
    assert.ok(isPlumbError(error, 'ModeForbids'), String(error));
    assert.match(error.message, new RegExp(`Lease flux-one/\\S+ is held by ${holder.split(' ')[1]}`));
    assert.match(error.message, /another installation than the one in flux-two/);
    return true;
  });
  assert.equal((await second.status()).cluster?.reconciler, 'otherPlumb');
  assert.deepEqual(await held(), [holder]);
  assert.equal((await first.status()).cluster?.reconciler, 'plumb');
  await first.setMode('observe');
  await second.setMode('local');
  assert.match((await held()).join(), /^flux-two plumb_/);
  await second.setMode('observe');
});

test('of two that take the Leases of their installations at once, not both keep them', async () => {
  const acquire = (namespace: string): Promise<LeaseHolder> =>
    LeaseHolder.acquire(
      {
        cluster: flux.client,
        clock: systemClock,
        monotonicMs: () => performance.now(),
        identity: newHolderIdentity(namespace),
        onLost: () => undefined,
      },
      leaseTargets([], namespace),
      new AbortController().signal,
    );
  const results = await Promise.allSettled([acquire('flux-one'), acquire('flux-two')]);
  const kept = results.filter((result) => result.status === 'fulfilled');
  assert.ok(kept.length <= 1);
  assert.equal((await held()).length, kept.length);
  for (const result of results)
    if (result.status === 'rejected') assert.ok(isPlumbError(result.reason, 'ModeForbids'));
  for (const { value } of kept) await value.release();
});

test('a shard’s controller in a namespace nobody knows is found by its Lease; what others elect is not', async () => {
  const namespace = await sandbox.freshNamespace('team');
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const lease = (name: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace },
    spec: { holderIdentity: `${name}-pod`, leaseDurationSeconds: 3600, renewTime },
  });
  await flux.apply(lease('my-controller-leader-election'));
  const plumb = await engine();
  assert.equal((await plumb.status()).cluster?.reconciler, 'none');
  const shard = 'kustomize-controller-leader-election-42da7484';
  await flux.apply(lease(shard));
  assert.equal((await plumb.status()).cluster?.reconciler, 'flux');
  await assert.rejects(
    plumb.setMode('local'),
    (error) =>
      isPlumbError(error, 'ModeForbids') && error.message.includes(`Lease ${namespace}/${shard} is held by`),
  );
  await flux.client.delete({ ...leaseKind, namespace, name: shard });
});
