import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { configMap } from './fluxCluster.ts';
import { nextEvent, sharedFleet } from './sharedFleet.ts';

const fleet = await sharedFleet();
const { flux, namespace } = fleet;
await fleet.write({ 'apps/settings.yaml': configMap('settings', { color: 'blue' }) });
await fleet.publish();
const apps = await fleet.kustomization('apps');
const settings = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };
const path = `/api/v1/namespaces/${namespace}/configmaps/settings`;

async function paint(color: string): Promise<void> {
  const answer = await flux.client.patch(
    settings,
    { data: { color } },
    { type: 'merge', fieldManager: 'other-operator' },
  );
  assert.equal(answer.type, 'ok');
}

async function untilColor(color: string): Promise<void> {
  await flux.sandbox.waitFor(path, (object) => (object['data'] as { color?: string }).color === color);
}

test('drift is reverted at once where it was asked for, in local mode only', async () => {
  const engine = await fleet.engine({ schedule: 'continuous' });
  await assert.rejects(engine.revertAtOnce(apps), (error) => isPlumbError(error, 'ModeForbids'));
  await engine.setMode('local');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  await engine.revertAtOnce(apps);
  await paint('red');
  await untilColor('blue');
  await engine.setMode('observe');
});

test('a Kustomization that asks for it keeps its drift, shown, until a run is asked for', async () => {
  await flux.client.patch(
    apps,
    { metadata: { annotations: { 'plumb.dev/drift': 'detect' } }, spec: { interval: '1s' } },
    { type: 'merge', fieldManager: 'test' },
  );
  const engine = await fleet.engine({ schedule: 'continuous' });
  await engine.setMode('local');
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  await untilColor('blue');
  const looked = (): Promise<true> =>
    nextEvent(engine, (event) =>
      event.type === 'runFinished' && /detected only/.test(event.run.message) ? true : undefined,
    );
  await looked();
  await paint('red');
  for (let looks = 0; looks < 3; looks++) await looked();
  await untilColor('red');
  const plan = await engine.plan(apps, 'source');
  assert.deepEqual(
    plan.changes.map(({ action, fields }) => [action, fields[0]?.live, fields[0]?.cause]),
    [['configured', 'red', 'drifted']],
  );
  assert.equal((await engine.reconcile(apps, false)).ready, true);
  await untilColor('blue');
  await engine.setMode('observe');
});
