import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitFiles } from '../servers/gitRepository.ts';
import { fleetOn, fluxCluster } from './fluxCluster.ts';
import { killedFleet, randomOf, seedOf, type Revision } from './killedFleet.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';
import { victimsOn } from './victims.ts';

/** `KILLS=300` for a long run, each of another seed; `KILLS_SEED` repeats one. */
const kills = Number(process.env['KILLS'] ?? 6);
const seed = seedOf('KILLS_SEED', 'KILLS');

const flux = await fluxCluster(await ownSandboxCluster());
const fleet = await fleetOn(flux, 'processkill');
const { folder: repository, url } = await flux.git.createRepository('killed');
const killed = killedFleet(flux, fleet.namespace);
const victims = victimsOn(flux, join(repository, '..', 'kill-cache'));
const random = randomOf(seed);

async function publish(revision: Revision): Promise<void> {
  await commitFiles(repository, { files: killed.filesOf(revision) });
}

test(`an engine that is killed ${kills} times leaves no orphan, prunes nothing wrongly and converges`, async (t) => {
  await flux.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'killed', namespace: fleet.namespace },
    spec: { interval: '1h', url, ref: { branch: 'main' } },
  });
  const ref = await fleet.kustomization('killed', {
    path: './apps',
    sourceRef: { kind: 'GitRepository', name: 'killed' },
  });
  let before: Revision = { values: { a: 'same', b: 'same' }, hasWidget: true };
  let victim = await victims.start();
  const converge = async (revision: Revision, point: string): Promise<void> => {
    const run = await victim.engine.reconcile(ref, true);
    assert.equal(run.ready, true, `${point}: ${run.message}`);
    await killed.checkConverged(ref, revision, point);
  };
  await publish(before);
  await converge(before, 'clean run');
  let early = 0;
  for (let turn = 1; turn <= kills; turn++) {
    const now = killed.randomRevision(random, turn);
    await publish(now);
    const point = `kill ${turn} of seed ${seed}`;
    if (await victims.killDuring(victim, (engine) => engine.reconcile(ref, true), random)) early++;
    await killed.checkKilled(ref, before, now, point);
    victim = await victims.start();
    await converge(now, point);
    before = now;
  }
  t.diagnostic(`${kills} kills with seed ${seed}, ${early} of them after the run had ended`);
  await victim.engine.dispose();
  await victims.kill(victim);
});
