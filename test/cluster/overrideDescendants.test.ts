import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPlumbError } from '../../src/base/plumbError.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import { waitUntilGone } from '../../src/ssa/waitUntilGone.ts';
import { configMap } from './fluxCluster.ts';
import { kustomizationPath } from './reconciled.ts';
import { kustomizationOf, sharedFleet } from './sharedFleet.ts';

const fleet = await sharedFleet();
const { flux, namespace } = fleet;

/** A Kustomization as a file; what Git says of spec.suspend is up to the test. */
function child(name: string, spec: object = {}): string {
  return JSON.stringify(kustomizationOf(name, namespace, spec));
}

function painted(color: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ['root', 'web', 'jobs', 'deep'].map((name) => [
      `${name}/settings.yaml`,
      configMap(`${name}-settings`, { color }),
    ]),
  );
}

await fleet.write({
  ...painted('blue'),
  // Git resumes this one, and says nothing of the other.
  'root/web.yaml': child('web', { suspend: false }),
  'root/jobs.yaml': child('jobs', { dependsOn: [{ name: 'web' }] }),
  'web/deep.yaml': child('deep'),
});
await fleet.publish();
await fleet.startController(['--requeue-dependency=1s']);
const root = await fleet.kustomization('root', { suspend: false });
const [web, jobs, deep] = ['web', 'jobs', 'deep'].map((name) => ({ ...root, name })) as [
  ObjectRef,
  ObjectRef,
  ObjectRef,
];
const all = [root, web, jobs, deep];
await untilReady();

/** Until the real controller has reconciled every one of them as it is now. */
async function untilReady(): Promise<void> {
  for (const ref of all) await fleet.untilReady(ref);
}

async function colors(): Promise<readonly unknown[]> {
  return Promise.all(
    all.map(async ({ name }) => {
      const ref = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: `${name}-settings` };
      return (await flux.get<{ readonly data?: { readonly color?: string } }>(ref)).data?.color;
    }),
  );
}

async function suspended(): Promise<readonly string[]> {
  const read = await Promise.all(all.map((ref) => flux.get<Kustomization>(ref)));
  return read.filter(({ spec }) => spec.suspend === true).map(({ metadata }) => metadata.name);
}

async function traces(): Promise<readonly string[]> {
  const read = await Promise.all(all.map((ref) => flux.get<Kustomization>(ref)));
  return read.flatMap(({ metadata }) =>
    Object.keys(metadata.annotations ?? {}).filter((name) => name.startsWith('plumb.dev/')),
  );
}

async function run(engine: Engine, refs: readonly ObjectRef[]): Promise<void> {
  for (const ref of refs) {
    const { ready, message } = await engine.reconcile(ref, false);
    assert.equal(ready, true, `${ref.name}: ${message}`);
  }
}

test('with descendants everything below is suspended and applied from the folder, and given back as it was', async () => {
  const before = await Promise.all(all.map((ref) => flux.get<Kustomization>(ref)));
  await fleet.write(painted('red'));
  const engine = await fleet.engine();
  const plan = await engine.planOverride(root);
  assert.deepEqual(
    plan.descendants.map(({ ref }) => ref.name),
    ['web', 'jobs', 'deep'],
  );
  await engine.startOverride(plan.id, 'descendants');
  assert.deepEqual(await suspended(), ['root', 'web', 'jobs', 'deep']);
  // The run of the root applies the Kustomization that Git resumes: it stays overridden all the same.
  await run(engine, [root, ...plan.descendants.map(({ ref }) => ref)]);
  assert.deepEqual(await suspended(), ['root', 'web', 'jobs', 'deep']);
  assert.deepEqual(await colors(), ['red', 'red', 'red', 'red']);
  const during = await Promise.all(all.map((ref) => flux.get<Kustomization>(ref)));
  for (const [index, { status }] of during.entries()) {
    assert.equal(status?.lastAppliedRevision, before[index]?.status?.lastAppliedRevision);
    assert.deepEqual(status?.history, before[index]?.status?.history);
  }
  await engine.endOverride(root);
  await untilReady();
  assert.deepEqual(await colors(), ['blue', 'blue', 'blue', 'blue']);
  assert.deepEqual([await suspended(), await traces()], [[], []]);
  const after = await Promise.all(all.map((ref) => flux.get<Kustomization>(ref)));
  assert.deepEqual(after.map(inventoryOf), before.map(inventoryOf));
  assert.deepEqual(
    after.map(({ spec }) => spec),
    before.map(({ spec }) => spec),
  );
});

test('a child that only the folder has is overridden once its parent made it, and goes with the override', async () => {
  const added: ObjectRef = { ...root, name: 'added' };
  const settings = { group: '', version: 'v1', kind: 'ConfigMap', namespace, name: 'added-settings' };
  await fleet.write({
    'root/added.yaml': child('added'),
    'added/settings.yaml': configMap('added-settings', { color: 'red' }),
  });
  const engine = await fleet.engine();
  const { id, descendants } = await engine.planOverride(root);
  assert.deepEqual(
    descendants.map(({ ref }) => ref.name),
    ['web', 'jobs', 'deep'],
  );
  await engine.startOverride(id, 'descendants');
  await run(engine, [root]);
  assert.equal((await flux.get<Kustomization>(added)).spec.suspend, true);
  await run(engine, [added]);
  assert.equal((await flux.get<{ readonly data?: { color?: string } }>(settings)).data?.color, 'red');
  await engine.endOverride(root);
  // The remote knows neither: the controller prunes the child, and the child's finalizer its objects.
  await waitUntilGone(flux.kustomize, [added], 60_000);
  await untilReady();
  assert.equal(await flux.exists(settings), false);
  await rm(join(fleet.clone, 'root', 'added.yaml'));
  await rm(join(fleet.clone, 'added'), { recursive: true });
});

test('the object alone leaves what is below it to the controller and to the files of its source', async () => {
  await fleet.write(painted('green'));
  const engine = await fleet.engine();
  const { id } = await engine.planOverride(root);
  await engine.startOverride(id, 'object');
  assert.deepEqual(await suspended(), ['root']);
  await run(engine, [root]);
  assert.deepEqual(await colors(), ['green', 'blue', 'blue', 'blue']);
  await assert.rejects(engine.endOverride({ ...root, name: 'nobody' }), (error) =>
    isPlumbError(error, 'NotFound'),
  );
  await engine.endOverride(root);
  await untilReady();
});

test('when one of them changed since it was shown none is overridden, and all are as they were', async () => {
  const engine = await fleet.engine();
  const { id } = await engine.planOverride(root);
  // Not by kubectl: the next run of its parent would undo that.
  await flux.client.patch(deep, { spec: { suspend: true } }, { type: 'merge', fieldManager: 'somebody' });
  await assert.rejects(engine.startOverride(id, 'descendants'), (error) =>
    isPlumbError(error, 'PlanOutdated'),
  );
  assert.deepEqual([await suspended(), await traces()], [['deep'], []]);
  await assert.rejects(engine.reconcile(deep, false), (error) => isPlumbError(error, 'ModeForbids'));
  const plan = await engine.planOverride(root);
  const { suspendedBy } = plan.descendants.find(({ ref }) => ref.name === 'deep') ?? {};
  assert.equal(suspendedBy?.manager, 'somebody');
  await engine.startOverride(plan.id, 'descendants');
  await engine.endOverride(root);
  // What somebody else had suspended is suspended again, the others are not.
  assert.deepEqual([await suspended(), await traces()], [['deep'], []]);
  await engine.resume(deep);
  await untilReady();
});

test('another Plumb’s override below stands in the way before anything is suspended', async () => {
  const [first, second] = [await fleet.engine(), await fleet.engine()];
  const { id } = await first.planOverride(jobs);
  await first.startOverride(id, 'object');
  const plan = await second.planOverride(root);
  await assert.rejects(
    second.startOverride(plan.id, 'descendants'),
    (error) => isPlumbError(error, 'ModeForbids') && /jobs: is overridden by/.test(error.message),
  );
  assert.deepEqual(await suspended(), ['jobs']);
  await first.endOverride(jobs);
  await untilReady();
});

test('a resume of the root by somebody else ends the overrides below it too', async () => {
  const engine = await fleet.engine();
  const { id } = await engine.planOverride(root);
  await engine.startOverride(id, 'descendants');
  const ended = new Set<string>();
  const over = new Promise<void>((resolve) =>
    engine.onEvent((event) => {
      if (event.type !== 'overrideEnded') return;
      ended.add(event.ref.name);
      if (ended.size === all.length) resolve();
    }),
  );
  await flux.client.patch(
    root,
    { spec: { suspend: false } },
    { type: 'merge', fieldManager: 'kubectl-patch' },
  );
  await over;
  await untilReady();
  await flux.sandbox.waitFor(
    kustomizationPath(deep),
    (object) => !JSON.stringify(object).includes('plumb.dev/'),
  );
  assert.deepEqual(await suspended(), []);
});
