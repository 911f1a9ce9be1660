import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import type { FluxController } from '../../src/clients/sandbox/fluxControllers.ts';
import type { Kustomization, KustomizationStatus } from '../../src/flux/api/kustomize.gen.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import { killedFleet, randomOf, seedOf, type Revision } from './killedFleet.ts';
import { kustomizationPath, untilReconciled } from './reconciled.ts';
import { sharedFleet } from './sharedFleet.ts';
import { forgetLeases, victimsOn } from './victims.ts';

/** `KILLS=60` for a long run, each of another seed; `KILLS_SEED` repeats one. */
const kills = Number(process.env['KILLS'] ?? 4);
const seed = seedOf('KILLS_SEED', 'KILLS');

const fleet = await sharedFleet();
const { flux, namespace } = fleet;
const killed = killedFleet(flux, namespace);
const victims = victimsOn(flux, join(fleet.clone, '..', 'kill-cache'));
const random = randomOf(seed);

async function publish(revision: Revision): Promise<string> {
  for (const [path, text] of Object.entries(killed.filesOf(revision)))
    if (text === null) await rm(join(fleet.clone, path), { force: true });
    else await fleet.write({ [path]: text });
  return fleet.publish();
}

/** What the controller logged of its failures: why it could not delete. */
async function errorsOf({ log }: FluxController): Promise<string> {
  const lines = (await readFile(log, 'utf8')).split('\n');
  return lines.filter((line) => line.includes('"level":"error"')).join('\n');
}

/** Until the real controller has reconciled the revision. */
async function untilReady(ref: ObjectRef, revision: string, point: string): Promise<void> {
  const isApplied = (status: KustomizationStatus): boolean => status.lastAppliedRevision === revision;
  await untilReconciled(flux.sandbox, ref, isApplied).catch(async (error: unknown) => {
    throw new Error(`${point}: ${JSON.stringify((await flux.get<Kustomization>(ref)).status)}`, {
      cause: error,
    });
  });
}

/** What becomes of the Kustomization after a kill, in turn: the controller finds it deleted, or is asked to delete it, or goes on. */
const fates = ['goes on', 'is deleted then', 'goes on', 'was deleted before'] as const;
const nothing: Revision = { values: {}, hasWidget: false };

test(`the real controller takes over from ${kills} killed engines, and can delete what they left`, async (t) => {
  let before = nothing;
  let early = 0;
  for (let turn = 1; turn <= kills; turn++) {
    const now = killed.randomRevision(random, turn);
    const point = `kill ${turn} of seed ${seed}`;
    const revision = await publish(now);
    const ref = await fleet.kustomization('killed', { path: './apps' });
    const victim = await victims.start();
    if (await victims.killDuring(victim, (engine) => engine.reconcile(ref, false), random)) early++;
    await killed.checkKilled(ref, before, now, point);
    const fate = fates[(turn - 1) % fates.length];
    if (fate === 'was deleted before') await flux.client.delete(ref);
    await forgetLeases(flux);
    const controller = await fleet.startController();
    if (fate !== 'was deleted before') {
      await untilReady(ref, revision, point);
      await killed.checkConverged(ref, now, point);
    }
    if (fate === 'is deleted then') await flux.client.delete(ref);
    if (fate !== 'goes on') {
      const all = kustomizationPath(ref).replace(/\/[^/]*$/, '');
      const isEmpty = (list: JsonObject): boolean => (list['items'] as readonly unknown[]).length === 0;
      await flux.sandbox.waitFor(all, isEmpty).catch(async (error: unknown) => {
        throw new Error(`${point}: ${await errorsOf(controller)}`, { cause: error });
      });
      assert.deepEqual([...(await killed.owned(ref.name)).keys()], [], point);
    }
    await controller.stop();
    before = fate === 'goes on' ? now : nothing;
  }
  t.diagnostic(`${kills} kills with seed ${seed}, ${early} of them after the run had ended`);
});
