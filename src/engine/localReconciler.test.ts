import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../test/tools/manualClock.ts';
import { silentLogger } from '../base/logger.ts';
import { formatRef, refKey, refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { RunOutcome } from '../ssa/runOutcome.ts';
import { isReconciled } from './controllers.ts';
import { LocalReconciler, type LocalRun } from './localReconciler.ts';

interface Run {
  readonly name: string;
  readonly running: LocalRun;
  readonly end: () => Promise<void>;
}

const done: RunOutcome = {
  result: 'succeeded',
  reason: '',
  message: '',
  changeSet: [],
  next: { type: 'done' },
};

/** A reconciler over these objects whose runs end when the test says so. */
function reconcilerOf(initial: readonly KubeObject[]) {
  const clock = manualClock();
  const objects = new Map(initial.map((object) => [refKey(refOf(object)), object]));
  const runs: Run[] = [];
  const superseded: string[] = [];
  const reconciler = new LocalReconciler({
    store: { get: (ref) => objects.get(refKey(ref)) },
    clock,
    log: silentLogger,
    isReconciled,
    random: () => 0.5,
    run: (ref, running) =>
      new Promise((resolve) => {
        const end = async (): Promise<void> => {
          resolve(done);
          await clock.advance(0);
        };
        runs.push({ name: ref.name, running, end });
      }),
    onFinished: () => undefined,
    onSuperseded: (ref, by) => superseded.push(`${formatRef(ref)} by ${by}`),
  });
  const change = async (object: KubeObject): Promise<void> => {
    const ref: ObjectRef = refOf(object);
    objects.set(refKey(ref), object);
    reconciler.changed([ref]);
    await clock.advance(0);
  };
  reconciler.start(initial);
  return { reconciler, runs, superseded, change, names: () => runs.map(({ name }) => name) };
}

function source(revision?: string): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: 'flux-system' },
    ...(revision !== undefined && { status: { artifact: { revision }, conditions: [ready] } }),
  };
}

const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: '' };

function kustomization(name: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system', generation: 1 },
    spec: { sourceRef: { kind: 'GitRepository', name: 'fleet' }, ...spec },
  } as KubeObject;
}

test('first runs wait for those of the sources and dependencies that are not ready', async () => {
  const apps = kustomization('apps', { dependsOn: [{ name: 'infra' }] });
  const { runs, names } = reconcilerOf([apps, kustomization('infra'), source()]);
  assert.deepEqual(names(), ['fleet']);
  await runs[0]?.end();
  assert.deepEqual(names(), ['fleet', 'infra']);
  await runs[1]?.end();
  assert.deepEqual(names(), ['fleet', 'infra', 'apps']);
});

test('objects that depend on each other are not held for ever', async () => {
  const { runs, names } = reconcilerOf([
    source('a'),
    kustomization('one', { dependsOn: [{ name: 'two' }] }),
    kustomization('two', { dependsOn: [{ name: 'one' }] }),
  ]);
  for (let index = 0; index < 3; index++) await runs[index]?.end();
  assert.deepEqual([...names()].sort(), ['fleet', 'one', 'two']);
});

test('a new revision ends the wait of the run in progress and is reconciled after it', async () => {
  const { runs, superseded, change, names } = reconcilerOf([source('a'), kustomization('apps')]);
  await runs[0]?.end();
  runs[1]?.running.worksOn('a');
  await change(source('b'));
  assert.deepEqual(superseded, ['Kustomization/flux-system/apps by GitRepository/flux-system/fleet']);
  await runs[1]?.end();
  assert.deepEqual(names(), ['fleet', 'apps', 'apps']);
});

test('a revision that the run in progress reads by itself costs no second run', async () => {
  const { runs, superseded, change, names } = reconcilerOf([source('a'), kustomization('apps')]);
  await change(source('b'));
  runs[1]?.running.worksOn('b');
  await runs[1]?.end();
  assert.deepEqual([names(), superseded], [['fleet', 'apps'], []]);
});

test('a revision that the run in progress just missed is reconciled after it', async () => {
  const { runs, superseded, change, names } = reconcilerOf([source('a'), kustomization('apps')]);
  await change(source('b'));
  runs[1]?.running.worksOn('a');
  assert.equal(superseded.length, 1);
  await runs[1]?.end();
  assert.deepEqual(names(), ['fleet', 'apps', 'apps']);
});

test('a run that ends before it has read its source is repeated for the revision that came meanwhile', async () => {
  const { runs, change, names } = reconcilerOf([source('a'), kustomization('apps')]);
  await change(source('b'));
  await runs[1]?.end();
  assert.deepEqual(names(), ['fleet', 'apps', 'apps']);
});

test('a request for a revision is answered by the run in progress that works on it', async () => {
  const { reconciler, runs, names } = reconcilerOf([source('a'), kustomization('apps')]);
  const asked = reconciler.reconcileNow(refOf(kustomization('apps')), 'a');
  runs[1]?.running.worksOn('a');
  await runs[1]?.end();
  assert.equal((await asked).result, 'succeeded');
  assert.deepEqual(names(), ['fleet', 'apps']);
});

test('a request for a revision that the run in progress does not work on is answered by the next one', async () => {
  const { reconciler, runs, names } = reconcilerOf([source('a'), kustomization('apps')]);
  const asked = reconciler.reconcileNow(refOf(kustomization('apps')), 'b');
  runs[1]?.running.worksOn('a');
  await runs[1]?.end();
  assert.deepEqual(names(), ['fleet', 'apps', 'apps']);
  await runs[2]?.end();
  assert.equal((await asked).result, 'succeeded');
});
