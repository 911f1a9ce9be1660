import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mapLimit } from '../../src/base/mapLimit.ts';
import { installManifests } from '../../src/bootstrap/install.ts';
import {
  ensureFluxController,
  startFluxController,
  type FluxController,
} from '../../src/clients/sandbox/fluxControllers.ts';
import { startArtifactServer } from '../servers/artifactServer.ts';
import { agreementCases, knownDifferences, ownWords } from './agreementCases.ts';
import {
  controllerReconciler,
  create,
  eventsOf,
  eventsWhen,
  makeStep,
  plumbReconciler,
  prepare,
  snapshots,
  type Reconcile,
  type Side,
  type Snapshot,
} from './agreementSides.ts';
import { fluxCluster } from './fluxCluster.ts';
import { openDefinition } from './openDefinition.ts';
import { ownSandboxCluster, sandboxCluster, type SandboxCluster } from './sandboxCluster.ts';

const program = await ensureFluxController('kustomize-controller');
let controller: FluxController | undefined;
const artifacts = await startArtifactServer();
// Before the sandboxes register theirs: hooks run in that order.
after(async () => {
  await controller?.stop();
  await artifacts.close();
});
const shared = await sandboxCluster();
const namespace = await shared.freshNamespace('agreement');
const own = await ownSandboxCluster();
const plumb = await sideOn(shared);
const real = await sideOn(own);

const left = new Map<Side, ReadonlyMap<string, readonly Snapshot[]>>();
const told = new Map<Side, ReadonlyMap<string, readonly string[]>>();

before(async () => {
  const made = await own.request('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  assert.equal(made.status, 201);
  for (const object of installManifests('flux-system')) await real.flux.apply(object);
  for (const side of [plumb, real]) {
    await side.flux.apply(openDefinition(`${namespace}.example`, 'Widget'));
    await side.flux.sandbox.waitFor(`/apis/${namespace}.example/v1/widgets`, () => true);
    await prepare(side, agreementCases);
    await mapLimit(agreementCases, 8, (agreement) => create(side, agreement, 'step-0'));
  }
  controller = await startFluxController({
    name: 'kustomize-controller',
    program,
    kubeconfig: own.kubeconfig,
    flags: ['--concurrent=20', '--kube-api-qps=500', '--kube-api-burst=1000'],
  });
  left.set(real, await goThrough(real, controllerReconciler(real)));
  left.set(plumb, await goThrough(plumb, plumbReconciler(plumb)));
  const events = await eventsOf(plumb);
  told.set(plumb, events);
  told.set(real, await eventsWhen(real, countOf(events)));
});

for (const { name, then = [] } of agreementCases) {
  const difference = knownDifferences[name];
  test(`${name}: Plumb ${difference === undefined ? 'leaves what' : 'differs on purpose from what'} the kustomize-controller leaves`, () => {
    const [ours, theirs] = [plumb, real].map((side) => ({
      steps: left.get(side)?.get(name),
      events: told.get(side)?.get(name) ?? [],
    }));
    assert.ok(ours !== undefined && theirs !== undefined);
    assert.equal(theirs.steps?.length, 1 + then.length);
    if (difference !== undefined) return assert.notDeepEqual(ours, theirs, `no longer true: ${difference}`);
    if (!ownWords.has(name)) return assert.deepEqual(ours, theirs);
    assert.deepEqual(withoutWords(ours), withoutWords(theirs));
    assert.notDeepEqual(ours, theirs, 'the words are the same by now');
  });
}

async function sideOn(sandbox: SandboxCluster): Promise<Side> {
  return { flux: await fluxCluster(sandbox), namespace, artifacts };
}

/** How many events there are by the name of their object. */
function countOf(events: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  return new Map([...events].map(([name, texts]) => [name, texts.length]));
}

/** The same without the messages of conditions and warnings. */
function withoutWords(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, member: unknown) =>
      key === 'message'
        ? ''
        : typeof member === 'string' && member.startsWith('Warning ')
          ? member.slice(0, member.indexOf('} '))
          : member,
    ),
  );
}

/** Every case's first step, then the second of those that have one, and so on: each with what it left behind. */
async function goThrough(
  side: Side,
  reconcile: Reconcile,
): Promise<ReadonlyMap<string, readonly Snapshot[]>> {
  const found = new Map<string, readonly Snapshot[]>();
  for (let index = 0; ; index++) {
    const token = `step-${index}`;
    const turns = agreementCases.flatMap((agreement) => {
      const step = [agreement, ...(agreement.then ?? [])][index];
      return step === undefined ? [] : [{ agreement, step, token }];
    });
    if (turns.length === 0) return found;
    if (index > 0) await mapLimit(turns, 8, ({ agreement, step }) => makeStep(side, agreement, step, token));
    await reconcile(turns);
    const now = await snapshots(
      side,
      turns.map(({ agreement }) => agreement),
    );
    for (const [name, snapshot] of now) found.set(name, [...(found.get(name) ?? []), snapshot]);
  }
}
