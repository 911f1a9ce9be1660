import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import type { PlanView } from '../../src/protocol/views.ts';
import { runGit } from '../servers/gitRepository.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'preview');
const { namespace } = fleet;
const folder = await mkdtemp(join(tmpdir(), 'plumb-preview-'));
const clone = join(folder, 'fleet');

const childOf = (name: string, spec: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: ${namespace}}
spec: {interval: 10m, path: ./of-${name}, sourceRef: {kind: GitRepository, name: fleet}, ${spec}}
`;
const map = (name: string): string => inNamespace(namespace, configMap(name, { key: 'value' }));

const children = { pruned: 'prune: true', held: 'prune: true', left: 'prune: false' };
const kept = {
  orphans: 'prune: true, deletionPolicy: Orphan',
  forced: 'prune: false, deletionPolicy: Delete',
};
const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: ${namespace}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
await fleet.commit({
  ...Object.fromEntries(
    Object.entries({ ...children, ...kept }).flatMap(([name, spec]) => [
      [`parent/${name}.yaml`, childOf(name, spec)],
      [`of-${name}/a.yaml`, map(`${name}-a`)],
      [`of-${name}/b.yaml`, map(`${name}-b`)],
    ]),
  ),
  'parent/stays.yaml': map('stays'),
  'emptied/a.yaml': map('emptied-a'),
  'emptied/b.yaml': map('emptied-b'),
  'data/claim.yaml': claim,
  'data/stays.yaml': map('data-stays'),
});
const parent = await fleet.kustomization('parent');
const emptied = await fleet.kustomization('emptied');
const data = await fleet.kustomization('data');
for (const ref of [parent, emptied, data]) assert.equal((await fleet.run(ref)).result, 'succeeded');
const childRef = (name: string): ObjectRef => fleet.ref('Kustomization', name, 'kustomize.toolkit.fluxcd.io');
for (const name of Object.keys({ ...children, ...kept })) await fleet.run(childRef(name));
const suspended = { spec: { suspend: true } };
await flux.client.patch(childRef('held'), suspended, { type: 'merge', fieldManager: 'kubectl' });

await runGit(folder, ['clone', '--quiet', fleet.repository.url, clone]);
const engine = await createEngine(
  { folders: [clone], kubeconfig: [flux.sandbox.kubeconfig], schedule: 'onRequest' },
  { log: silentLogger },
);
after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** The plan of the folder after these files changed; null removes one. */
async function planWith(ref: ObjectRef, files: Readonly<Record<string, string | null>>): Promise<PlanView> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(clone, path);
    await mkdir(dirname(file), { recursive: true });
    if (text === null) await rm(file);
    else await writeFile(file, text);
    engine.workspaceChanged([file]);
  }
  return engine.plan(ref, 'workingTree');
}

const consequencesOf = ({ stale }: PlanView): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(stale.map(({ ref, consequences }) => [ref.name, consequences]));

test('removing a Kustomization shows what goes with it, or what it orphans and why', async () => {
  const removed = Object.keys({ ...children, ...kept }).map((name) => [`parent/${name}.yaml`, null]);
  const plan = await planWith(parent, Object.fromEntries(removed) as Record<string, null>);
  assert.deepEqual(
    plan.stale.map(({ action }) => action),
    removed.map(() => 'deleted'),
  );
  const finalizer = 'it stays until finalizers.fluxcd.io is removed by its controller';
  const orphans = 'nothing of its own, but it orphans 2 objects';
  assert.deepEqual(consequencesOf(plan), {
    pruned: [finalizer, 'the 2 objects it applied'],
    forced: [finalizer, 'the 2 objects it applied'],
    held: [finalizer, `${orphans}: it is suspended`],
    left: [finalizer, `${orphans}: spec.prune is off`],
    orphans: [finalizer, `${orphans}: spec.deletionPolicy is Orphan`],
  });
});

test('an empty build is told as what it does: it prunes everything, or without prune leaves everything behind', async () => {
  const files = { 'emptied/a.yaml': null, 'emptied/b.yaml': null, 'emptied/README.md': 'nothing\n' };
  const plan = await planWith(emptied, files);
  assert.deepEqual(plan.changes, []);
  assert.match(plan.warnings.join('\n'), /^the build is empty: a reconcile prunes everything, 2 objects$/m);
  assert.deepEqual(
    plan.stale.map(({ action }) => action),
    ['deleted', 'deleted'],
  );
  await fleet.kustomization('emptied', { prune: false });
  const left = await planWith(emptied, {});
  assert.match(
    left.warnings.join('\n'),
    /^the build is empty: a reconcile leaves everything behind, 2 objects$/m,
  );
  assert.deepEqual(
    left.stale.map(({ action, reason }) => `${action} ${reason}`),
    Array<string>(2).fill('skipped spec.prune is off: it only leaves the inventory'),
  );
});

test('a volume claim is data loss, and the preview is there although a dry-run of the plan fails', async () => {
  const broken = `apiVersion: v1\nkind: Service\nmetadata: {name: Not_A_Name, namespace: ${namespace}}\nspec: {ports: [{port: 80}]}\n`;
  const plan = await planWith(data, { 'data/claim.yaml': null, 'data/broken.yaml': broken });
  const refused = plan.changes.find(({ ref }) => ref.kind === 'Service');
  assert.match(refused?.message ?? '', /Not_A_Name/);
  assert.deepEqual(consequencesOf(plan), {
    data: ['data loss: the data of the volume, unless its reclaim policy is Retain'],
  });
});
