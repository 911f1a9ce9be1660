import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { asPlumbError } from '../../src/base/plumbError.ts';
import { Secret } from '../../src/base/secret.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import { resendingClient } from '../../src/ssa/resendingClient.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import { inventoryOf } from '../../src/flux/kustomization.ts';
import { computeStatus } from '../../src/kube/kstatus.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import { startFaultProxy, type Fault, type FaultProxy, type ProxiedRequest } from '../servers/faultProxy.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { configMap, fleetOn, fluxCluster, inNamespace, type Fleet } from './fluxCluster.ts';
import { randomOf, seedOf } from './killedFleet.ts';
import { ownSandboxCluster } from './sandboxCluster.ts';

const sandbox = await ownSandboxCluster();
const flux = await fluxCluster(sandbox);
const folder = await mkdtemp(join(tmpdir(), 'plumb-faults-'));
after(() => rm(folder, { recursive: true, force: true }));

/** `FAULT_ROUNDS=20` for a long run, each of another seed; `FAULT_SEED` repeats one. */
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1);
const seed = seedOf('FAULT_SEED', 'FAULT_ROUNDS');

/** Short for the sake of those that are held back; what a busy machine holds back is only sent again. */
const requestTimeoutMs = 2000;

/** How many of the requests go wrong. */
const share = 0.2;

const status = (code: number, reason: string): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason });
const isWrite = ({ method }: ProxiedRequest): boolean => method !== 'GET';
const always = (): boolean => true;

const faults: readonly (readonly [
  name: string,
  fault: Fault,
  matches: (request: ProxiedRequest) => boolean,
])[] = [
  ['connections that reset', { type: 'reset' }, always],
  ['answers that get lost', { type: 'loseAnswer' }, always],
  ['truncated answers', { type: 'truncate' }, always],
  ['slow answers', { type: 'delay', ms: 80 }, always],
  ['timeouts', { type: 'delay', ms: requestTimeoutMs + 500 }, isWrite],
  ['409', { type: 'answer', status: 409, body: status(409, 'Conflict') }, isWrite],
  [
    '429 with Retry-After',
    {
      type: 'answer',
      status: 429,
      headers: { 'retry-after': '0.05' },
      body: status(429, 'TooManyRequests'),
    },
    always,
  ],
  ['500', { type: 'answer', status: 500, body: status(500, 'InternalError') }, always],
];

/** A run sends again what broke, so that most get through; without that none would. */
const mostRuns = 30;

/** Which ConfigMaps each revision wants, with their values; the next ones say them anew. */
const revisions: readonly Readonly<Record<string, string>>[] = Array.from({ length: rounds }, (_, round) => [
  { a: `${round}.1`, b: `${round}.1`, c: `${round}.1` },
  { b: `${round}.2`, c: `${round}.1`, d: `${round}.2` },
  { a: `${round}.3`, c: `${round}.3` },
]).flat();

function filesOf(fleet: Fleet, revision: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    'apps/kustomization.yaml': `resources: [${Object.keys(revision)
      .map((name) => `${name}.yaml`)
      .join(', ')}]\n`,
    ...Object.fromEntries(
      Object.entries(revision).map(([name, value]) => [
        `apps/${name}.yaml`,
        inNamespace(fleet.namespace, configMap(name, { value })),
      ]),
    ),
  };
}

/** The fleet's ConfigMaps with their values. */
async function liveIn(fleet: Fleet, ref: ObjectRef): Promise<ReadonlyMap<string, string>> {
  const labelSelector = `kustomize.toolkit.fluxcd.io/name=${ref.name}`;
  const listed = await flux.client.list(
    { group: '', version: 'v1', kind: 'ConfigMap' },
    { namespace: fleet.namespace, labelSelector },
  );
  assert.ok(listed.type === 'ok');
  return new Map(
    listed.value.map((object) => [object.metadata.name, (object['data'] as { value: string }).value]),
  );
}

async function stateOf(fleet: Fleet, ref: ObjectRef) {
  return { live: await liveIn(fleet, ref), recorded: inventoryOf(await fleet.read(ref)) };
}

/** Whatever went wrong: everything that is there is recorded, and nothing is gone that was and is wanted. */
async function checkSafe(
  fleet: Fleet,
  ref: ObjectRef,
  kept: readonly string[],
  point: string,
): Promise<void> {
  const { live, recorded } = await stateOf(fleet, ref);
  const names = new Set(recorded.map(({ name }) => name));
  for (const name of live.keys()) assert.ok(names.has(name), `${point}: ${name} is an orphan`);
  for (const name of kept) assert.ok(live.has(name), `${point}: ${name} was pruned`);
}

async function checkConverged(
  fleet: Fleet,
  ref: ObjectRef,
  revision: Readonly<Record<string, string>>,
): Promise<void> {
  const { live, recorded } = await stateOf(fleet, ref);
  assert.deepEqual(Object.fromEntries([...live].sort()), revision);
  const names = recorded.filter(({ kind }) => kind === 'ConfigMap').map(({ name }) => name);
  assert.deepEqual(names.sort(), Object.keys(revision));
}

function keptBy(index: number): readonly string[] {
  const before = Object.keys(revisions[index - 1] ?? {});
  return before.filter((name) => revisions[index]?.[name] !== undefined);
}

for (const [name, fault, matches] of faults)
  test(`runs through ${name} are safe, and converge`, async (t) => {
    const fleet = await fleetOn(flux, 'faults');
    const random = randomOf(seed);
    let injected = 0;
    let runs = 0;
    const proxy = await startFaultProxy(sandbox.kubeconfig, (request) => {
      if (!matches(request) || random() >= share) return undefined;
      injected++;
      return fault;
    });
    const client = await createClusterClient({
      kubeconfig: { text: new Secret(proxy.kubeconfigText), subject: 'test' },
      log: silentLogger,
      requestTimeoutMs,
    });
    try {
      const ref = await fleet.kustomization('faulty', { path: './apps' });
      for (const [index, revision] of revisions.entries()) {
        await fleet.commit(filesOf(fleet, revision));
        for (let run = 1; ; run++) {
          runs++;
          const cluster = resendingClient(client, { clock: systemClock, signal: flux.kustomize.signal });
          const outcome = await fleet.run(ref, { cluster }).catch((error: unknown) => {
            const failure = asPlumbError(error);
            assert.notEqual(failure.kind, 'bug', failure.message);
            return undefined;
          });
          const point = `seed ${seed}, revision ${index}, run ${run}`;
          await checkSafe(fleet, ref, keptBy(index), point);
          if (outcome?.result === 'succeeded') break;
          assert.ok(run < mostRuns, `${point}: still ${outcome?.message}`);
        }
        await checkConverged(fleet, ref, revision);
      }
      await flux.client.delete(ref);
      for (let run = 1; await flux.exists(ref); run++) {
        runs++;
        assert.ok(run < mostRuns, `seed ${seed}: ${run} runs have not deleted it`);
        const cluster = resendingClient(client, { clock: systemClock, signal: flux.kustomize.signal });
        await fleet.run(ref, { cluster }).catch((error: unknown) => {
          assert.notEqual(asPlumbError(error).kind, 'bug', String(error));
        });
      }
      assert.deepEqual(await liveIn(fleet, ref), new Map());
      assert.ok(injected > 0, `seed ${seed}: no request went wrong`);
      t.diagnostic(
        `${revisions.length} revisions and a deletion in ${runs} runs with seed ${seed}, ${injected} requests went wrong`,
      );
    } finally {
      client.close();
      await proxy.close();
    }
  });

/** Everything at once, and watches that break or have to begin anew. Leases are left alone: to lose one ends local mode. */
function chaos(): (request: ProxiedRequest) => Fault | undefined {
  const random = randomOf(seed);
  return (request) => {
    if (request.path.includes('/leases') || random() >= share) return undefined;
    if (request.path.includes('watch=true'))
      return { type: 'answer', status: 410, body: status(410, 'Expired') };
    const [, fault, matches] = faults[Math.floor(random() * faults.length)] as (typeof faults)[number];
    return matches(request) ? fault : undefined;
  };
}

/** Something whose health has to be waited for, on watches that break. */
function rollout(namespace: string, revision: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {revision: "${revision}"}}
    spec: {containers: [{name: web, image: "registry.example/web:${revision}"}]}
`;
}

test('the whole engine converges through everything at once, with watches that break', async (t) => {
  await flux.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  const fleet = await fleetOn(flux, 'chaos');
  const ref = await fleet.kustomization('faulty', { path: './apps', wait: true, retryInterval: '1s' });
  const decide = chaos();
  let runs = 0;
  let isOn = false;
  const proxy: FaultProxy = await startFaultProxy(sandbox.kubeconfig, (request) =>
    isOn ? decide(request) : undefined,
  );
  const kubeconfig = join(folder, 'proxied.kubeconfig');
  await writeFile(kubeconfig, proxy.kubeconfigText, { mode: 0o600 });
  const engine = await createEngine(
    { folders: [], kubeconfig: [kubeconfig], cacheFolder: join(folder, 'cache'), schedule: 'continuous' },
    { log: silentLogger },
  );
  const drops = setInterval(() => isOn && proxy.dropStreams(), 300);
  try {
    await engine.setMode('local');
    isOn = true;
    for (const [index, revision] of revisions.entries()) {
      const files = filesOf(fleet, revision);
      await commitFiles(fleet.repository.folder, {
        files: {
          ...files,
          'apps/web.yaml': rollout(fleet.namespace, index),
          'apps/kustomization.yaml': (files['apps/kustomization.yaml'] ?? '').replace('[', '[web.yaml, '),
        },
      });
      for (let run = 1; ; run++) {
        runs++;
        const view = await engine.reconcile(ref, true).catch((error: unknown) => {
          const failure = asPlumbError(error);
          assert.notEqual(failure.kind, 'bug', failure.message);
          return failure;
        });
        const point = `seed ${seed}, revision ${index}, run ${run}`;
        await checkSafe(fleet, ref, keptBy(index), point);
        if ('ready' in view && view.ready) break;
        assert.ok(run < 60, `${point}: still ${view.message}`);
      }
      await checkConverged(fleet, ref, revision);
      const deployment = fleet.ref('Deployment', 'web', 'apps');
      assert.equal(computeStatus(await flux.get(deployment)).status, 'Current');
    }
    await flux.client.delete(ref);
    const all = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${fleet.namespace}/kustomizations`;
    await sandbox.waitFor(all, (list) => (list['items'] as readonly unknown[]).length === 0);
    assert.deepEqual(await liveIn(fleet, ref), new Map());
    t.diagnostic(`${revisions.length} revisions in ${runs} runs with seed ${seed}`);
  } finally {
    clearInterval(drops);
    isOn = false;
    await engine.dispose();
    await proxy.close();
  }
});
