import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import { configMap } from './fluxCluster.ts';
import { sharedFleet } from './sharedFleet.ts';

const fleet = await sharedFleet();
const { flux, namespace } = fleet;

function variables(kind: 'ConfigMap' | 'Secret', color: string): KubeObject {
  const values = kind === 'ConfigMap' ? { data: { color } } : { stringData: { color } };
  const labels = { 'reconcile.fluxcd.io/watch': 'Enabled' };
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: `${kind.toLowerCase()}-vars`, namespace, labels },
    ...values,
  };
}

function pathOf(name: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}

test('a labelled ConfigMap or Secret that changes is substituted at once, and what does not read it stays', async () => {
  const kinds = ['ConfigMap', 'Secret'] as const;
  for (const kind of kinds) {
    const name = kind.toLowerCase();
    await flux.apply(variables(kind, 'blue'));
    await fleet.write({ [`${name}/painted.yaml`]: configMap(`${name}-painted`, { color: '${color}' }) });
  }
  await fleet.write({ 'plain/plain.yaml': configMap('plain', { color: 'none' }) });
  await fleet.publish();
  for (const kind of kinds)
    await fleet.kustomization(kind.toLowerCase(), {
      postBuild: { substituteFrom: [{ kind, name: `${kind.toLowerCase()}-vars` }] },
    });
  const plain: ObjectRef = await fleet.kustomization('plain');
  const engine = await fleet.engine({ schedule: 'continuous' });
  const ran: string[] = [];
  engine.onEvent((event) => event.type === 'runFinished' && event.run.ready && ran.push(event.run.ref.name));
  await engine.setMode('local');
  const painted = (kind: string, color: string): Promise<unknown> =>
    flux.sandbox.waitFor(pathOf(`${kind.toLowerCase()}-painted`), (object) => {
      return (object['data'] as { readonly color?: string } | undefined)?.color === color;
    });
  for (const kind of kinds) await painted(kind, 'blue');
  // What a run applies is there before it has ended.
  while (!ran.includes(plain.name)) await delay(50);
  ran.length = 0;
  for (const kind of kinds) {
    await flux.apply(variables(kind, 'red'));
    await painted(kind, 'red');
  }
  assert.deepEqual(
    ran.filter((name) => name === plain.name),
    [],
  );
});
