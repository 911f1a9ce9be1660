import { setTimeout as delay } from 'node:timers/promises';
import { FileTree } from '../../../src/base/fileTree.ts';
import { installManifests } from '../../../src/bootstrap/install.ts';
import { ensureFluxController, startFluxController } from '../../../src/clients/sandbox/fluxControllers.ts';
import { readySourceStatus, startArtifactServer } from '../../servers/artifactServer.ts';
import { buildBundles, type EngineChild, startEngineChild } from './engineChild.ts';
import {
  appNames,
  appObjects,
  fleetFiles,
  fleetNamespace,
  gitRepositoryKind,
  isAvailable,
  isReady,
  kustomization,
  kustomizationKind,
  publishFleet,
  withBenchCluster,
  type BenchCluster,
} from './fleet.ts';

const deploymentKind = { group: 'apps', version: 'v1', kind: 'Deployment' };

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Milliseconds until the objects are Available when all are applied at once by nobody in particular. */
export function applyDirectly(count: number): Promise<number> {
  return withBenchCluster((cluster) =>
    timed(async () => {
      await Promise.all([
        cluster.applyAll(appNames(count).flatMap(appObjects)),
        cluster.untilAll(deploymentKind, fleetNamespace, count, isAvailable),
      ]);
    }),
  );
}

/** What reconciling a fleet took, and what the engine is like when it has nothing more to do. */
export interface PlumbRun {
  readonly elapsedMs: number;
  /** Resident, in MB. */
  readonly memory: number;
  readonly idleMsPerSecond: number;
}

const idleSeconds = 10;
/** The tree looks for drift in the background: it idles when it has used next to no processor time for this long. */
const settleMs = 2000;
const settledMs = 40;
const longestSettleMs = 120_000;

/** Milliseconds until Plumb, asked to take over, has every Kustomization Ready; then the tree is shown and it idles. */
export async function reconcileByPlumb(count: number): Promise<PlumbRun> {
  buildBundles();
  return withBenchCluster(async (cluster) => {
    await publishFleet(cluster, fleetFiles(appNames(count)));
    await cluster.applyAll(appNames(count).map((app) => kustomization(app, `./apps/${app}`)));
    const child = await startEngineChild({
      folders: [],
      kubeconfig: [cluster.kubeconfig],
      cacheFolder: cluster.folder,
      schedule: 'continuous',
    });
    try {
      const elapsedMs = await timed(async () => {
        await Promise.all([
          child.engine.setMode('local'),
          cluster.untilAll(kustomizationKind, 'flux-system', count, isReady),
        ]);
      });
      await child.engine.tree();
      await settled(child);
      const before = await child.processorTime();
      await delay(idleSeconds * 1000);
      const idleMsPerSecond = ((await child.processorTime()) - before) / idleSeconds;
      return { elapsedMs, memory: await child.memory(), idleMsPerSecond };
    } finally {
      await child.stop();
    }
  });
}

async function settled(child: EngineChild): Promise<void> {
  const deadline = performance.now() + longestSettleMs;
  for (let before = await child.processorTime(); ;) {
    await delay(settleMs);
    const now = await child.processorTime();
    if (now - before <= settledMs || performance.now() > deadline) return;
    before = now;
  }
}

/** Milliseconds until the real kustomize-controller, once it leads, has every Kustomization Ready. */
export async function reconcileByController(count: number): Promise<number> {
  const program = await ensureFluxController('kustomize-controller');
  return withBenchCluster(async (cluster) => {
    const artifacts = await startArtifactServer();
    try {
      await cluster.applyAll(installManifests('flux-system'));
      const files = fleetFiles(appNames(count));
      await publishFleet(cluster, files);
      await publishArtifact(cluster, artifacts, FileTree.from(Object.entries(files)));
      await cluster.applyAll(appNames(count).map((app) => kustomization(app, `./apps/${app}`)));
      const controller = await startFluxController({
        name: 'kustomize-controller',
        program,
        kubeconfig: cluster.kubeconfig,
      });
      try {
        await controller.untilLeading();
        return await timed(() => cluster.untilAll(kustomizationKind, 'flux-system', count, isReady));
      } finally {
        await controller.stop();
      }
    } finally {
      await artifacts.close();
    }
  });
}

/** The source as source-controller would leave it. */
async function publishArtifact(
  { client }: BenchCluster,
  artifacts: Awaited<ReturnType<typeof startArtifactServer>>,
  files: FileTree,
): Promise<void> {
  const revision = 'main@sha1:3333333333333333333333333333333333333333';
  const ref = { ...gitRepositoryKind, namespace: 'flux-system', name: 'fleet' };
  const source = await client.get(ref);
  if (source.type === 'refused') throw new Error(source.refusal.message);
  const artifact = await artifacts.publish('gitrepository/flux-system/fleet/3.tar.gz', revision, files);
  const status = readySourceStatus(source.value, artifact);
  const options = { type: 'merge', fieldManager: 'bench', subresource: 'status' } as const;
  const answer = await client.patch(ref, { status }, options);
  if (answer.type === 'refused') throw new Error(answer.refusal.message);
}
