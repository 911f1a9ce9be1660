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
  readonly end: (outcome?: Partial<RunOutcome>) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

const done: RunOutcome = {
  result: 'succeeded',
  reason: '',
  message: '',
  changeSet: [],
  next: { type: 'done' },
};

/** A reconciler over these objects whose runs end when the test says so. */
function reconcilerOf(initial: readonly KubeObject[], random = (): number => 0.5) {
  const clock = manualClock();
  const objects = new Map(initial.map((object) => [refKey(refOf(object)), object]));
  const runs: Run[] = [];
  const superseded: string[] = [];
  const reconciler = new LocalReconciler({
    store: { get: (ref) => objects.get(refKey(ref)) },
    clock,
    log: silentLogger,
    isReconciled,
    isWatchedConfig: ({ metadata }) => metadata.labels?.['watch'] === 'yes',
    random,
    run: (ref, running) =>
      new Promise((resolve, reject) => {
        const settle = async (decide: () => void): Promise<void> => {
          decide();
          await clock.advance(0);
        };
        const end = (outcome: Partial<RunOutcome> = {}): Promise<void> =>
          settle(() => resolve({ ...done, ...outcome }));
        runs.push({ name: ref.name, running, end, fail: (error) => settle(() => reject(error)) });
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
  const remove = async (object: KubeObject): Promise<void> => {
    objects.delete(refKey(refOf(object)));
    reconciler.changed([refOf(object)]);
    await clock.advance(0);
  };
  return { reconciler, clock, runs, superseded, change, remove, names: () => runs.map(({ name }) => name) };
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

test('the next outcome is that of a run that something else starts, and asks for none', async () => {
  const { reconciler, runs, names, change } = reconcilerOf([source('a'), kustomization('apps')]);
  await runs[1]?.end();
  const next = reconciler.nextOutcome(refOf(kustomization('apps')), 'b');
  assert.deepEqual(names(), ['fleet', 'apps']);
  await change(source('b'));
  await runs[2]?.end({ reason: 'ReconciliationSucceeded' });
  assert.equal((await next).reason, 'ReconciliationSucceeded');
});

/** The Kustomization as its status says: version counts its writes. */
function withStatus(object: KubeObject, version: string, status: object): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: version }, status } as KubeObject;
}

const waiting = { conditions: [{ ...ready, status: 'False', reason: 'DependencyNotReady' }] };

/** Everything ran once; `apps`, which needs `infra`, waits for it. */
async function waitingFor(infra: KubeObject, dependsOn: object = {}) {
  const apps = kustomization('apps', { dependsOn: [{ name: 'infra', ...dependsOn }] });
  const play = reconcilerOf([source('b'), infra, withStatus(apps, '1', waiting)]);
  for (let index = 0; index < play.runs.length; index++) await play.runs[index]?.end();
  return { ...play, woken: () => play.names().slice(3) };
}

test('a dependent that waits is woken when its dependency becomes ready, not after a pause', async () => {
  const infra = kustomization('infra');
  const { change, woken } = await waitingFor(withStatus(infra, '1', { conditions: [] }));
  await change(withStatus(infra, '2', { conditions: [{ ...ready, status: 'Unknown' }] }));
  assert.deepEqual(woken(), []);
  await change(withStatus(infra, '3', { conditions: [ready] }));
  assert.deepEqual(woken(), ['apps']);
});

test('a dependency that goes from ready to ready at another revision wakes those that wait for that', async () => {
  const infra = kustomization('infra');
  const at = (version: string, lastAppliedRevision: string): KubeObject =>
    withStatus(infra, version, { conditions: [ready], lastAppliedRevision });
  const { change, woken } = await waitingFor(at('1', 'a'));
  await change(at('2', 'a'));
  assert.deepEqual(woken(), []);
  await change(at('3', 'b'));
  assert.deepEqual(woken(), ['apps']);
});

test('an expression may look at anything of the dependency: each change of it wakes', async () => {
  const infra = kustomization('infra');
  const { change, woken } = await waitingFor(withStatus(infra, '1', { conditions: [ready] }), {
    readyExpr: 'dep.metadata.labels.go == "yes"',
  });
  await change(withStatus(infra, '1', { conditions: [ready] }));
  assert.deepEqual(woken(), []);
  await change(withStatus(infra, '2', { conditions: [ready] }));
  assert.deepEqual(woken(), ['apps']);
});

function config(kind: string, version: string, label = 'yes'): KubeObject {
  const labels = { watch: label };
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'settings', namespace: 'flux-system', resourceVersion: version, labels },
  };
}

test('a ConfigMap or Secret that asks for it makes its readers run when it changes or goes', async () => {
  const from = (kind: string): object => ({ postBuild: { substituteFrom: [{ kind, name: 'settings' }] } });
  const { reconciler, runs, change, remove, names } = reconcilerOf([
    kustomization('maps', from('ConfigMap')),
    kustomization('keys', { decryption: { provider: 'sops', secretRef: { name: 'settings' } } }),
    kustomization('remote', { kubeConfig: { secretRef: { name: 'settings' } } }),
    kustomization('other'),
  ]);
  for (const run of runs) await run.end();
  assert.equal(runs.length, 4);
  const since = async (count: number): Promise<readonly string[]> => {
    for (const run of runs.slice(count)) await run.end();
    return names().slice(count);
  };
  await change(config('ConfigMap', '1'));
  assert.deepEqual(await since(4), ['maps']);
  await change(config('ConfigMap', '1'));
  await change(config('ConfigMap', '2', 'no'));
  assert.deepEqual(await since(5), ['maps'], 'it counts no more: that is a change, the last one');
  await change(config('ConfigMap', '3', 'no'));
  assert.deepEqual(await since(6), []);
  await change(config('Secret', '1'));
  assert.deepEqual(await since(6), ['keys', 'remote']);
  await remove(config('Secret', '1'));
  assert.deepEqual(await since(8), ['keys', 'remote']);
  await reconciler.stop();
});

test('what was there when it started is no change', async () => {
  const maps = kustomization('maps', { kubeConfig: { configMapRef: { name: 'settings' } } });
  const { reconciler, change, names } = reconcilerOf([]);
  reconciler.start([maps], [config('ConfigMap', '1')]);
  await change(config('ConfigMap', '1'));
  assert.deepEqual(names(), ['maps']);
});

for (const [random, delay] of [
  [0, 57_000],
  [0.5, 60_000],
  [1, 63_000],
] as const)
  test(`an interval of a minute is spread: drawn ${random}, the next run comes after ${delay} ms`, async () => {
    const { clock, runs, names } = reconcilerOf([kustomization('apps')], () => random);
    await runs[0]?.end({ next: { type: 'after', delay: 60_000 } });
    await clock.advance(delay - 1);
    assert.deepEqual(names(), ['apps']);
    await clock.advance(1);
    assert.deepEqual(names(), ['apps', 'apps']);
  });

test('what throws is tried again with growing pauses, what only the user can mend is not', async () => {
  const { clock, runs, names } = reconcilerOf([kustomization('apps')]);
  for (const pause of [750, 1500, 3000]) {
    const before = runs.length;
    await runs.at(-1)?.fail(new Error('connection reset'));
    await clock.advance(pause - 1);
    assert.equal(runs.length, before);
    await clock.advance(1);
    assert.equal(runs.length, before + 1);
  }
  await runs.at(-1)?.end({ result: 'failed', errorKind: 'stalled', next: { type: 'done' } });
  await clock.advance(3_600_000);
  assert.equal(names().length, 4);
});
