import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.ts';
import { createEngine } from '../../../src/engine/createEngine.ts';
import type { ObjectRef } from '../../../src/kube/object.ts';
import { commitFiles } from '../../servers/gitRepository.ts';
import { median, type Figure } from '../figure.ts';
import {
  appNames,
  cloneFleet,
  fleetFiles,
  fleetNamespace,
  kustomization,
  kustomizationKind,
  publishFleet,
  withBenchCluster,
  type BenchCluster,
} from './fleet.ts';

const app = appNames(1)[0] as string;
const ref: ObjectRef = { ...kustomizationKind, namespace: 'flux-system', name: app };
const file = `apps/${app}/configmap-${app}-a.yaml`;

/** How long a changed file takes to be a changed object: saved in an open folder, and committed to the source. */
export function measureSave(runs: number): Promise<readonly Figure[]> {
  return withBenchCluster(async (cluster) => {
    await publishFleet(cluster, fleetFiles(appNames(20)));
    await cluster.apply(kustomization(app, `./apps/${app}`, { wait: false }));
    const clone = await cloneFleet(cluster);
    const engine = await createEngine(
      {
        folders: [clone],
        kubeconfig: [cluster.kubeconfig],
        cacheFolder: cluster.folder,
        schedule: 'continuous',
      },
      { log: silentLogger },
    );
    try {
      await engine.setMode('local');
      const run = await engine.reconcile(ref, true);
      if (!run.ready) throw new Error(run.message);
      const saved: number[] = [];
      const committed: number[] = [];
      for (let turn = 0; turn < runs; turn++) {
        saved.push(
          await untilChanged(cluster, `saved ${turn}`, async (text) => {
            await writeFile(join(clone, file), text);
            engine.workspaceChanged([join(clone, file)]);
            await engine.apply((await engine.plan(ref, 'workingTree')).id);
          }),
        );
        committed.push(
          await untilChanged(cluster, `committed ${turn}`, async (text) => {
            await commitFiles(cluster.repository.folder, { files: { [file]: text } });
            await engine.reconcile(ref, true);
          }),
        );
      }
      const middle = (times: number[]): number => median(times.sort((a, b) => a - b));
      return [
        { name: 'saved file to changed object', value: middle(saved), unit: 'ms', limit: 200 },
        { name: 'commit to changed object', value: middle(committed), unit: 'ms', limit: 300 },
      ];
    } finally {
      await engine.dispose();
    }
  });
}

/** Milliseconds from the change of the file until the object has the text. */
async function untilChanged(
  { client }: BenchCluster,
  text: string,
  change: (file: string) => Promise<void>,
): Promise<number> {
  const found = new AbortController();
  const watching = Promise.withResolvers<undefined>();
  let foundAt = 0;
  const watch = client.watch(
    { group: '', version: 'v1', kind: 'ConfigMap' },
    { namespace: fleetNamespace, fieldSelector: `metadata.name=${app}-a` },
    (event) => {
      if (event.type === 'synced') watching.resolve(undefined);
      if (event.type !== 'changed' || (event.object['data'] as { text: string }).text !== text) return;
      foundAt = performance.now();
      found.abort();
    },
    found.signal,
  );
  await watching.promise;
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${app}-a`, namespace: fleetNamespace },
    data: { app, letter: 'a', text },
  };
  const started = performance.now();
  await Promise.all([change(JSON.stringify(object)), watch]);
  return foundAt - started;
}
