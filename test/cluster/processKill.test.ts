import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import { managedFieldsOf } from '../../src/kube/managedFields.ts';
import { formatRef, refOf, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { ipcConnection, remoteEngine, type RemoteEngine } from '../../src/protocol/rpc.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { configMap, fleetOn, fluxCluster, inNamespace } from './fluxCluster.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';
import { openDefinition } from './openDefinition.ts';

/** `KILLS=300` for a long run; `KILLS_SEED` repeats one. */
const kills = Number(process.env['KILLS'] ?? 6);
const seed = Number(process.env['KILLS_SEED'] ?? Date.now() % 1_000_000);

const sandbox = await ownSandboxCluster();
const flux = await fluxCluster(sandbox);
const fleet = await fleetOn(flux, 'processkill');
const { folder: repository, url } = await flux.git.createRepository('killed');
const group = `${fleet.namespace}.example`;
const definitionName = `widgets.${group}`;
const children = new Set<ChildProcess>();
after(() => children.forEach((child) => child.kill('SIGKILL')));

/** Mulberry32: small, and the same numbers for the same seed. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = randomOf(seed);

/** What a revision wants: values of ConfigMaps by name, and whether there is a definition with its custom resource. */
interface Revision {
  readonly values: Readonly<Record<string, string>>;
  readonly hasWidget: boolean;
}

const names = ['a', 'b', 'c', 'd', 'e', 'f'];

function randomRevision(turn: number): Revision {
  const chosen = names.filter(() => random() < 0.6);
  return {
    values: Object.fromEntries(chosen.map((name) => [name, random() < 0.5 ? 'same' : `turn ${turn}`])),
    hasWidget: random() < 0.6,
  };
}

const definition = JSON.stringify(openDefinition(group, 'Widget'));

async function publish({ values, hasWidget }: Revision): Promise<void> {
  const widget = `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: w\nspec: {size: 1}\n`;
  const maps = names.map((name) => {
    const value = values[name];
    const text = value === undefined ? null : inNamespace(fleet.namespace, configMap(name, { value }));
    return [`apps/${name}.yaml`, text] as const;
  });
  await commitFiles(repository, {
    files: {
      ...Object.fromEntries(maps),
      'apps/definition.yaml': hasWidget ? definition : null,
      'apps/widget.yaml': hasWidget ? inNamespace(fleet.namespace, widget) : null,
      'apps/kustomization.yaml': `resources: [${[
        ...Object.keys(values).map((name) => `${name}.yaml`),
        ...(hasWidget ? ['definition.yaml', 'widget.yaml'] : []),
      ].join(', ')}]\n`,
    },
  });
}

interface Victim {
  readonly child: ChildProcess;
  readonly engine: RemoteEngine;
}

/** The engine as an editor starts it, in local mode. What a killed one held of Leases has run out by then. */
async function startEngine(): Promise<Victim> {
  const leases = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' };
  const held = await flux.client.list(leases, { namespace: 'flux-system' });
  for (const lease of held.type === 'ok' ? held.value : []) await flux.client.delete(refOf(lease));
  const child = fork(resolve(import.meta.dirname, '../../src/engineProcess.ts'));
  children.add(child);
  const engine = remoteEngine(ipcConnection(child));
  await engine.start({
    folders: [],
    kubeconfig: [sandbox.kubeconfig],
    cacheFolder: join(repository, '..', 'kill-cache'),
    schedule: 'onRequest',
  });
  await engine.setMode('local');
  return { child, engine };
}

/** Resolves when the engine begins to build for the Kustomization: what follows is plan, writes and prune. */
function untilBuild(engine: RemoteEngine): Promise<number> {
  return new Promise((done) => {
    const listener = engine.onEvent((event) => {
      if (event.type !== 'stageStarted' || event.stage !== 'BuildFailed') return;
      listener.dispose();
      done(performance.now());
    });
  });
}

async function kill({ child }: Victim): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  children.delete(child);
}

/** Live objects with the labels of the Kustomization, by name, with what it set on them. */
async function owned(name: string): Promise<ReadonlyMap<string, KubeObject>> {
  const labelSelector = `kustomize.toolkit.fluxcd.io/name=${name},kustomize.toolkit.fluxcd.io/namespace=${fleet.namespace}`;
  const kinds = [
    { group: '', version: 'v1', kind: 'ConfigMap' },
    { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
    { group, version: 'v1', kind: 'Widget' },
  ];
  const lists = await Promise.all(kinds.map((kind) => flux.client.list(kind, { labelSelector })));
  const objects = lists.flatMap((list) => (list.type === 'ok' ? list.value : []));
  return new Map(
    objects
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((object) => [formatRef(refOf(object)), object]),
  );
}

function wantedBy({ values, hasWidget }: Revision): readonly string[] {
  const maps = Object.keys(values).map((name) => `ConfigMap/${fleet.namespace}/${name}`);
  const custom = [`CustomResourceDefinition/${definitionName}`, `Widget/${fleet.namespace}/w`];
  return [...maps, ...(hasWidget ? custom : [])].sort();
}

/** After a kill: nothing is there that nobody knows of, and nothing is gone that both revisions want. */
async function checkKilled(ref: ObjectRef, before: Revision, now: Revision, point: string): Promise<void> {
  const recorded = new Set(inventoryOf(await fleet.read(ref)).map(formatRef));
  const live = await owned(ref.name);
  for (const name of live.keys()) assert.ok(recorded.has(name), `${point}: ${name} is an orphan`);
  const wanted = new Set(wantedBy(now));
  for (const name of wantedBy(before))
    if (wanted.has(name)) assert.ok(live.has(name), `${point}: ${name} was pruned`);
}

/** After a whole run: exactly what a run that nobody kills leaves behind. */
async function checkConverged(ref: ObjectRef, revision: Revision, point: string): Promise<void> {
  const live = await owned(ref.name);
  assert.deepEqual([...live.keys()].sort(), wantedBy(revision), point);
  assert.deepEqual(
    inventoryOf(await fleet.read(ref))
      .map(formatRef)
      .sort(),
    wantedBy(revision),
    point,
  );
  for (const [name, value] of Object.entries(revision.values)) {
    const object = live.get(`ConfigMap/${fleet.namespace}/${name}`) as KubeObject;
    assert.deepEqual(object['data'], { value }, point);
    const managers = managedFieldsOf(object).map(({ manager, operation }) => `${manager} ${operation}`);
    assert.deepEqual(managers, ['kustomize-controller Apply'], point);
  }
}

async function converge({ engine }: Victim, ref: ObjectRef, point: string): Promise<void> {
  const run = await engine.reconcile(ref, true);
  assert.equal(run.ready, true, `${point}: ${run.message}`);
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
  await publish(before);
  let victim = await startEngine();
  await converge(victim, ref, 'clean run');
  await checkConverged(ref, before, 'clean run');
  let longest = 100;
  let early = 0;
  for (let turn = 1; turn <= kills; turn++) {
    const now = randomRevision(turn);
    await publish(now);
    const after = random();
    const point = `kill ${turn} of seed ${seed}`;
    const begun = untilBuild(victim.engine);
    let isOver = false;
    // A killed engine answers no more; nobody waits for that.
    void victim.engine.reconcile(ref, true).then(
      () => (isOver = true),
      () => undefined,
    );
    const started = await begun;
    await delay(after * longest);
    if (isOver) early++;
    await kill(victim);
    await checkKilled(ref, before, now, point);
    victim = await startEngine();
    const restarted = performance.now();
    const building = untilBuild(victim.engine);
    await converge(victim, ref, point);
    const whole = performance.now() - (await building);
    longest = Math.min(2000, (longest + whole) / 2);
    await checkConverged(ref, now, `${point}, ${Math.round(restarted - started)} ms later`);
    before = now;
  }
  t.diagnostic(`${kills} kills with seed ${seed}, ${early} of them after the run had ended`);
  await victim.engine.dispose();
  await kill(victim);
});
