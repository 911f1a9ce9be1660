import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, fleetOn, inNamespace, type FluxCluster } from './fluxCluster.ts';

/** The test that a Kustomization is reconciled on the API server of the cluster; it needs no controllers. */
export function testReconcilingOn(flux: FluxCluster): void {
  test('a Kustomization is applied, drift is corrected, and what left Git is pruned', async () => {
    const fleet = await fleetOn(flux, 'older');
    const file = (name: string, data: Readonly<Record<string, string>>): string =>
      inNamespace(fleet.namespace, configMap(name, data));
    await fleet.commit({ 'apps/a.yaml': file('a', { x: '1' }), 'apps/b.yaml': file('b', { x: '1' }) });
    const apps = await fleet.kustomization('apps');
    const first = await fleet.run(apps);
    assert.equal(first.result, 'succeeded', first.message);

    const a = fleet.ref('ConfigMap', 'a');
    const drifted = await flux.client.apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a', namespace: fleet.namespace },
        data: { x: '2' },
      },
      { fieldManager: 'kubectl-edit', force: true, dryRun: false },
    );
    assert.equal(drifted.type, 'ok');
    await fleet.run(apps);
    assert.deepEqual((await flux.get<{ readonly data: object }>(a)).data, { x: '1' });

    await fleet.commit({ 'apps/b.yaml': null });
    const pruned = await fleet.run(apps);
    assert.equal(pruned.result, 'succeeded', pruned.message);
    assert.equal(await flux.exists(fleet.ref('ConfigMap', 'b')), false);
    assert.ok(await flux.exists(a));
  });
}
