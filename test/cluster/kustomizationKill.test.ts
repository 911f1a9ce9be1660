import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import { formatRef, type KubeObject, refKey, refOf, type ObjectRef } from '../../src/kube/object.ts';
import type { RunOutcome } from '../../src/ssa/runOutcome.ts';
import { cutClient, type Cut } from './cutClient.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { openDefinition } from './openDefinition.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'kill');
const group = `${fleet.namespace}.example`;

const definition = openDefinition(group, 'Widget');

const widget = inNamespace(
  fleet.namespace,
  `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: w\nspec:\n  size: 1\n`,
);

function manifest(name: string, value: string): string {
  return inNamespace(fleet.namespace, configMap(name, { value }));
}

/** Kinds the fleet may hold, for the search for orphans. */
const kinds: readonly Omit<ObjectRef, 'name'>[] = [
  { group: '', version: 'v1', kind: 'ConfigMap', namespace: fleet.namespace },
  { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
  { group, version: 'v1', kind: 'Widget', namespace: fleet.namespace },
];

/** Every live object that carries the ownership labels of the Kustomization. */
async function owned(name: string): Promise<readonly string[]> {
  const labelSelector = `kustomize.toolkit.fluxcd.io/name=${name},kustomize.toolkit.fluxcd.io/namespace=${fleet.namespace}`;
  const found = await Promise.all(
    kinds.map(async ({ namespace, ...kind }) => {
      const answer = await flux.client.list(kind, {
        labelSelector,
        ...(namespace !== undefined && { namespace }),
      });
      return answer.type === 'ok' ? answer.value : [];
    }),
  );
  return found
    .flat()
    .map((object) => formatRef(refOf(object)))
    .sort();
}

/** Runs until the cut; undefined when the run ended before it. */
async function runUntil(ref: ObjectRef, cut: Cut): Promise<RunOutcome | undefined> {
  const dead = cutClient(flux.client, cut);
  const ended = fleet.run(ref, { cluster: dead.client });
  return Promise.race([ended, dead.cut.then(() => undefined)]);
}

/** No orphan, and no entry that would break the real controller. */
async function checkInventory(ref: ObjectRef, point: string): Promise<void> {
  const recorded = inventoryOf(await fleet.read(ref));
  const keys = new Set(recorded.map((entry) => formatRef(entry)));
  for (const object of await owned(ref.name)) assert.ok(keys.has(object), `${point}: ${object} is an orphan`);
  for (const entry of recorded) {
    const served = await flux.client.servedInGroup(entry.group, { refresh: true });
    assert.ok(
      served.some(({ kind }) => kind === entry.kind),
      `${point}: ${refKey(entry)} is of no served kind`,
    );
  }
}

const moments = ['before', 'after'] as const;

/** Cuts a run at every write it makes, and gives how many points there were. */
async function atEveryWrite(visit: (cut: Cut) => Promise<boolean>): Promise<number> {
  let points = 0;
  for (const when of moments) {
    for (let write = 1; await visit({ write, when }); write++) points++;
  }
  return points;
}

test('a first apply that is killed at any write leaves no orphan, and the next run completes it', async () => {
  await fleet.commit({
    'first/crd.yaml': JSON.stringify(definition),
    'first/widget.yaml': widget,
    'first/a.yaml': manifest('kill-a', '1'),
    'first/b.yaml': manifest('kill-b', '1'),
  });
  const expected = [
    `ConfigMap/${fleet.namespace}/kill-a`,
    `ConfigMap/${fleet.namespace}/kill-b`,
    `CustomResourceDefinition/widgets.${group}`,
    `Widget/${fleet.namespace}/w`,
  ];
  const points = await atEveryWrite(async (cut) => {
    const ref = await fleet.kustomization('first');
    const outcome = await runUntil(ref, cut);
    await checkInventory(ref, `${cut.when} write ${cut.write}`);
    const next = await fleet.run(ref);
    assert.equal(next.result, 'succeeded', `${cut.when} ${cut.write}: ${next.message}`);
    assert.deepEqual(await owned('first'), expected);
    assert.deepEqual(
      inventoryOf(await fleet.read(ref))
        .map(formatRef)
        .sort(),
      expected,
    );
    await flux.client.delete(ref);
    assert.equal((await fleet.run(ref)).result, 'deleted');
    await flux.sandbox.waitFor('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', (list) => {
      return !JSON.stringify(list).includes(`"widgets.${group}"`);
    });
    assert.deepEqual(await owned('first'), []);
    return outcome === undefined;
  });
  // Finalizer, two inventories, four objects and the last status, each before and after.
  assert.ok(points >= 14, `only ${points} points were cut`);
});

test('a change with prune that is killed at any write prunes nothing it should not, and converges', async () => {
  const ref = await fleet.kustomization('change');
  let round = 0;
  const points = await atEveryWrite(async (cut) => {
    round++;
    const [old, kept, fresh] = ['old', 'kept', 'fresh'].map((name) => `change-${name}-${round}`) as [
      string,
      string,
      string,
    ];
    const files = (names: Readonly<Record<string, string>>): Record<string, string> =>
      Object.fromEntries(
        Object.entries(names).map(([name, value]) => [`change/${name}.yaml`, manifest(name, value)]),
      );
    await fleet.commit(files({ [old]: '1', [kept]: '1' }));
    assert.equal((await fleet.run(ref)).result, 'succeeded');
    await fleet.commit({ ...files({ [kept]: '2', [fresh]: '1' }), [`change/${old}.yaml`]: null });
    const outcome = await runUntil(ref, cut);
    const point = `${cut.when} write ${cut.write}`;
    await checkInventory(ref, point);
    assert.ok(await flux.exists(fleet.ref('ConfigMap', kept)), `${point}: ${kept} was pruned`);
    const next = await fleet.run(ref);
    assert.equal(next.result, 'succeeded', `${point}: ${next.message}`);
    const expected = [fresh, kept].map((name) => `ConfigMap/${fleet.namespace}/${name}`);
    assert.deepEqual(await owned('change'), expected, point);
    assert.deepEqual(
      inventoryOf(await fleet.read(ref))
        .map(formatRef)
        .sort(),
      expected,
      point,
    );
    await fleet.commit({
      [`change/${kept}.yaml`]: null,
      [`change/${fresh}.yaml`]: null,
      'change/x.yaml': '# empty\n',
    });
    assert.equal((await fleet.run(ref)).result, 'succeeded');
    return outcome === undefined;
  });
  // One inventory, two objects, one delete and the last status, each before and after.
  assert.ok(points >= 8, `only ${points} points were cut`);
});

test('a deletion that is killed at any write is finished by the next run', async () => {
  await fleet.commit({ 'gone/a.yaml': manifest('gone-a', '1'), 'gone/b.yaml': manifest('gone-b', '1') });
  const points = await atEveryWrite(async (cut) => {
    const ref = await fleet.kustomization('gone');
    assert.equal((await fleet.run(ref)).result, 'succeeded');
    await flux.client.delete(ref);
    const outcome = await runUntil(ref, cut);
    if (await flux.exists(ref)) await fleet.run(ref);
    assert.equal(await flux.exists(ref), false);
    assert.deepEqual(await owned('gone'), []);
    return outcome === undefined;
  });
  assert.ok(points >= 5, `only ${points} points were cut`);
});

/** A definition that is on its way out is gone a moment later. */
async function definitionSettled(): Promise<void> {
  await flux.sandbox.waitFor('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', (list) =>
    (list['items'] as readonly KubeObject[]).every(
      ({ metadata }) => metadata.name !== `widgets.${group}` || metadata.deletionTimestamp === undefined,
    ),
  );
}

for (const end of ['pruned', 'deleted with its Kustomization'] as const)
  test(`a definition that is ${end} leaves no entry of its kind, whatever write it is killed at`, async () => {
    const files = {
      'defined/a.yaml': manifest('defined', '1'),
      'defined/definition.json': JSON.stringify(definition),
      'defined/widget.yaml': widget,
      'defined/kustomization.yaml': 'resources: [a.yaml, definition.json, widget.yaml]\n',
    };
    const points = await atEveryWrite(async (cut) => {
      await fleet.commit(files);
      const ref = await fleet.kustomization('defined');
      const before = await fleet.run(ref);
      assert.equal(before.result, 'succeeded', before.message);
      if (end === 'pruned') await fleet.commit({ 'defined/kustomization.yaml': 'resources: [a.yaml]\n' });
      else await flux.client.delete(ref);
      const outcome = await runUntil(ref, cut);
      const point = `${cut.when} write ${cut.write}`;
      await definitionSettled();
      if (await flux.exists(ref)) {
        await checkInventory(ref, point);
        const next = await fleet.run(ref);
        assert.equal(next.result, end === 'pruned' ? 'succeeded' : 'deleted', `${point}: ${next.message}`);
      }
      await definitionSettled();
      const left = end === 'pruned' ? [`ConfigMap/${fleet.namespace}/defined`] : [];
      assert.deepEqual(await owned('defined'), left, point);
      return outcome === undefined;
    });
    // Two deletions, the inventory between them and the last write, each before and after.
    assert.ok(points >= 8, `only ${points} points were cut`);
  });
