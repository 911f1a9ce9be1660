import { loggerTo } from '../../../src/base/logger.ts';
import { createEngine } from '../../../src/engine/createEngine.ts';
import type { ObjectRef } from '../../../src/kube/object.ts';
import type { PlanView } from '../../../src/protocol/views.ts';
import { median, timings, type Figure } from '../figure.ts';
import {
  appNames,
  cloneFleet,
  deployment,
  fleetNamespace,
  kustomization,
  kustomizationKind,
  publishFleet,
  withBenchCluster,
  type BenchCluster,
} from './fleet.ts';

const ref: ObjectRef = { ...kustomizationKind, namespace: 'flux-system', name: 'many' };

/** Diffs of one Kustomization of Deployments: everything anew, and with nothing changed, beside raw dry-runs of its objects. */
export function measureDiffs(count: number, runs: number): Promise<readonly Figure[]> {
  return withBenchCluster(async (cluster) => {
    const objects = appNames(count).map(deployment);
    await publishFleet(
      cluster,
      Object.fromEntries(
        objects.map((object) => [`many/${object.metadata.name}.yaml`, JSON.stringify(object)]),
      ),
    );
    await cluster.apply(kustomization('many', './many', { wait: false }));
    let dryRuns = 0;
    const log = loggerTo(({ message, fields }) => {
      if (message === 'request' && String(fields['path']).includes('dryRun=All')) dryRuns++;
    });
    const engine = await createEngine(
      {
        folders: [await cloneFleet(cluster)],
        kubeconfig: [cluster.kubeconfig],
        cacheFolder: cluster.folder,
        schedule: 'continuous',
      },
      { log },
    );
    try {
      await engine.setMode('local');
      const run = await engine.reconcile(ref, true);
      if (!run.ready) throw new Error(run.message);
      const plan = async (): Promise<void> => requireNoChanges(await engine.plan(ref, 'workingTree'), count);
      await plan();
      const raw: number[] = [];
      const full: number[] = [];
      for (let turn = 0; turn < runs; turn++) {
        raw.push(...(await timings(1, () => dryRunAll(cluster, count))));
        await changeEpoch(cluster, turn);
        full.push(...(await timings(1, plan)));
      }
      const before = dryRuns;
      const repeated = await timings(runs * 3, plan);
      const [rawMs, fullMs] = [raw, full].map((times) => median(times.toSorted((a, b) => a - b))) as [
        number,
        number,
      ];
      const name = `diff of ${count} Deployments`;
      return [
        { name: `${name}: raw parallel dry-runs`, value: rawMs, unit: 'ms' },
        { name: `${name}: everything anew`, value: fullMs, unit: 'ms' },
        { name: `${name}: everything anew / raw`, value: fullMs / rawMs, unit: '×', limit: 1.2 },
        { name: `${name}: nothing changed`, value: median(repeated), unit: 'ms', limit: 50 },
        { name: `${name}: dry-runs with nothing changed`, value: dryRuns - before, unit: 'runs', limit: 0 },
      ];
    } finally {
      await engine.dispose();
    }
  });
}

/** What the diff sends, and nothing around it. */
async function dryRunAll({ client }: BenchCluster, count: number): Promise<void> {
  const labels = {
    'kustomize.toolkit.fluxcd.io/name': ref.name,
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  };
  await Promise.all(
    appNames(count).map(async (app) => {
      const object = deployment(app);
      const own = {
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } },
      };
      const options = { fieldManager: 'kustomize-controller', force: true, dryRun: true };
      const answer = await client.apply(own, options);
      if (answer.type === 'refused') throw new Error(answer.refusal.message);
    }),
  );
}

/** Changes what dry-runs depend on besides the objects, so that no kept answer holds. */
async function changeEpoch({ client }: BenchCluster, turn: number): Promise<void> {
  const namespace = { group: '', version: 'v1', kind: 'Namespace', name: fleetNamespace };
  const body = { metadata: { annotations: { turn: String(turn) } } };
  const answer = await client.patch(namespace, body, { type: 'merge', fieldManager: 'bench' });
  if (answer.type === 'refused') throw new Error(answer.refusal.message);
}

function requireNoChanges({ changes }: PlanView, count: number): void {
  const unchanged = changes.filter(({ action }) => action === 'unchanged').length;
  if (unchanged !== count) throw new Error(`${unchanged} of ${count} objects are unchanged`);
}
