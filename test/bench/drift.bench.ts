import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { silentLogger } from '../../src/base/logger.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import type { Bench, Figure } from './figure.ts';
import { median } from './figure.ts';
import {
  appNames,
  cloneFleet,
  deployment,
  fleetFiles,
  kustomization,
  kustomizationKind,
  publishFleet,
  withBenchCluster,
} from './reconcile/fleet.ts';

/** What the editor waits after the last keystroke before it asks (src/ui/drift/driftStore.ts); 400 ms are promised in all. */
const pauseMs = 200;

/** How long marks take in a workload of 100 objects, one of which somebody scaled by hand, while its file is being edited. */
export const bench: Bench = ({ smoke }) =>
  withBenchCluster(async (cluster) => {
    const apps = appNames(smoke ? 5 : 25);
    const app = apps[0] as string;
    await publishFleet(cluster, fleetFiles(apps));
    await cluster.apply(kustomization('apps', './apps', { wait: false }));
    const clone = await cloneFleet(cluster);
    const engine = await createEngine(
      {
        folders: [clone],
        kubeconfig: [cluster.kubeconfig],
        cacheFolder: cluster.folder,
        schedule: 'onRequest',
      },
      { log: silentLogger },
    );
    try {
      await engine.setMode('local');
      const run = await engine.reconcile(
        { ...kustomizationKind, namespace: 'flux-system', name: 'apps' },
        true,
      );
      if (!run.ready) throw new Error(run.message);
      const scaled = await cluster.client.patch(
        { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'fleet', name: app },
        { spec: { replicas: 7 } },
        { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' },
      );
      if (scaled.type === 'refused') throw new Error(scaled.refusal.message);
      const uri = pathToFileURL(join(clone, `apps/${app}/deployment-${app}.yaml`)).href;
      return await measure(engine, uri, app, smoke ? 2 : 15, apps.length * 4);
    } finally {
      await engine.dispose();
    }
  });

async function measure(
  engine: Engine,
  uri: string,
  app: string,
  runs: number,
  objects: number,
): Promise<readonly Figure[]> {
  const times: number[] = [];
  for (let version = 1; version <= runs + 1; version++) {
    const object = deployment(app);
    const text = JSON.stringify({
      ...object,
      spec: { ...(object['spec'] as object), replicas: 10 + version },
    });
    const started = performance.now();
    engine.documents.change({ uri, version, text });
    const view = await engine.drift(uri);
    times.push(performance.now() - started);
    const causes = view.marks.map(({ field }) => field.cause);
    if (!causes.includes('both'))
      throw new Error(`expected a mark for both sides, got ${JSON.stringify(view)}`);
  }
  const [first = 0, ...later] = times;
  const name = `drift marks among ${objects} objects`;
  return [
    { name: `${name}: first`, value: first, unit: 'ms' },
    {
      name: `${name}: after an edit, median`,
      value: median(later.sort((a, b) => a - b)),
      unit: 'ms',
      limit: 400 - pauseMs,
    },
  ];
}
