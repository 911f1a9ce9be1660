import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, type TestContext } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import { fluxCrds } from '../../src/flux/crds.gen.ts';
import { isKubeObject, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { parseYaml } from '../../src/kube/yaml.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import type { RunView } from '../../src/protocol/views.ts';
import { ownSandboxCluster, type SandboxCluster } from '../cluster/sandboxCluster.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { runGit } from '../servers/gitRepository.ts';

const fixture = resolve(import.meta.dirname, '../fixtures/fleet');
const placeholderUrl = 'https://git.example.com/fleet.git';
const syncFile = 'clusters/dev/flux-system/gotk-sync.yaml';

/** A Deployment of the fleet; `apps/dev/web.yaml` sets its replicas. */
export const web: ObjectRef = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
};

/** A ResourceQuota of the fleet; `infra/dev/smaller-quota.yaml` sets its pods. */
export const quota: ObjectRef = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  namespace: 'shop',
  name: 'shop',
};

/** A Kustomization of the fleet. */
export function workload(name: string): ObjectRef {
  return {
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name,
  };
}

/** A real cluster on which the sample fleet is reconciled, from a real repository. Nobody reconciles it afterwards. */
export interface FleetCluster {
  readonly sandbox: SandboxCluster;
  readonly client: ClusterClient;
  /** Puts repository and cluster back to the sample fleet and gives a clone of it for the test. */
  freshClone(test: TestContext): Promise<string>;
  /** Commits everything in a clone and pushes it; gives the commit. */
  push(clone: string, message: string): Promise<string>;
  switchBranch(clone: string, branch: string): Promise<void>;
  /** One run of each with its source, by a Plumb beside the window; gives how the last one ended. */
  reconcile(...refs: readonly [ObjectRef, ...ObjectRef[]]): Promise<RunView>;
  /** Works while such a run goes on, then cancels it; fails when the run ended before. */
  whileReconciling(ref: ObjectRef, work: () => Promise<void>): Promise<void>;
  /** What the server holds; undefined when it holds no such object. */
  live(ref: ObjectRef): Promise<KubeObject | undefined>;
  /** Sets replicas as `kubectl scale` does. */
  scale(ref: ObjectRef, replicas: number): Promise<void>;
  /** Waits until the server says so. */
  waitForReplicas(ref: ObjectRef, replicas: number): Promise<void>;
  /** Waits until that holds for the Kustomization. */
  waitForWorkload(ref: ObjectRef, holds: (kustomization: Kustomization) => boolean): Promise<void>;
  /** Waits until the server says so of the pods that a ResourceQuota allows. */
  waitForPods(ref: ObjectRef, pods: string): Promise<void>;
}

/** Call it at the top of a test file: everything it starts ends after the file's tests. */
export async function startFleetCluster(): Promise<FleetCluster> {
  const sandbox = await ownSandboxCluster();
  const folder = await mkdtemp(join(tmpdir(), 'plumb-fleet-'));
  const git = await startGitHttpServer();
  const client = await createClusterClient({
    kubeconfig: { paths: [sandbox.kubeconfig] },
    log: silentLogger,
  });
  after(async () => {
    client.close();
    await git.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { url } = await git.createRepository('fleet');
  await installFlux(sandbox, client);

  const push = async (clone: string, message: string): Promise<string> => {
    await runGit(clone, ['add', '--all']);
    await runGit(clone, ['commit', '--quiet', '--allow-empty', '-m', message]);
    await runGit(clone, ['push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/main']);
    return runGit(clone, ['rev-parse', 'HEAD']);
  };
  const cacheFolder = join(folder, 'cache');
  const live = async (ref: ObjectRef): Promise<KubeObject | undefined> => {
    const answer = await client.get(ref);
    return answer.type === 'ok' ? answer.value : undefined;
  };
  return {
    sandbox,
    client,
    push,
    live,
    switchBranch: async (clone, branch) => void (await runGit(clone, ['switch', '--quiet', '-c', branch])),
    freshClone: async (test) => {
      const parent = await mkdtemp(join(folder, 'clone-'));
      test.after(() => rm(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
      const clone = join(parent, 'fleet');
      await runGit(parent, ['init', '--quiet', '--initial-branch=main', clone]);
      await runGit(clone, ['remote', 'add', 'origin', url]);
      await cp(fixture, clone, { recursive: true });
      await writeFile(
        join(clone, syncFile),
        (await readFile(join(clone, syncFile), 'utf8')).replace(placeholderUrl, url),
      );
      await push(clone, 'Add the sample fleet');
      for (const object of await objectsIn(join(clone, syncFile))) await apply(client, object);
      await reconcileFleet(sandbox.kubeconfig, cacheFolder);
      return clone;
    },
    reconcile: (first, ...others) =>
      inLocalMode(sandbox.kubeconfig, cacheFolder, async (engine) => {
        let run = await engine.reconcile(first, true);
        for (const ref of others) run = await engine.reconcile(ref, true);
        return run;
      }),
    whileReconciling: (ref, work) =>
      inLocalMode(sandbox.kubeconfig, cacheFolder, async (engine) => {
        const stop = new AbortController();
        const ended = engine.reconcile(ref, true, { signal: stop.signal }).then(
          ({ reason, message }) => `${reason}: ${message}`,
          (error: unknown) => error,
        );
        try {
          await work();
        } finally {
          stop.abort();
        }
        const error = await ended;
        assert.ok(isPlumbError(error, 'Cancelled') || (error as Error).name === 'AbortError', String(error));
      }),
    scale: async (ref, replicas) => {
      const answer = await client.patch(
        ref,
        { spec: { replicas } },
        { type: 'merge', fieldManager: 'kubectl', subresource: 'scale' },
      );
      assert.equal(answer.type, 'ok', JSON.stringify(answer));
    },
    waitForReplicas: async (ref, replicas) => {
      await sandbox.waitFor(
        `/apis/apps/v1/namespaces/${ref.namespace}/deployments/${ref.name}`,
        (object) => (object['spec'] as { replicas?: number } | undefined)?.replicas === replicas,
      );
    },
    waitForWorkload: async (ref, holds) => {
      await sandbox.waitFor(
        `/apis/${ref.group}/${ref.version}/namespaces/${ref.namespace}/kustomizations/${ref.name}`,
        (object) => holds(object as unknown as Kustomization),
      );
    },
    waitForPods: async (ref, pods) => {
      await sandbox.waitFor(
        `/api/v1/namespaces/${ref.namespace}/resourcequotas/${ref.name}`,
        (object) => (object['spec'] as { hard?: { pods?: string } }).hard?.pods === pods,
      );
    },
  };
}

async function installFlux(sandbox: SandboxCluster, client: ClusterClient): Promise<void> {
  await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  for (const crd of fluxCrds) await apply(client, crd);
  for (const crd of fluxCrds)
    await sandbox.waitFor(
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`,
      (object) => JSON.stringify(object['status'] ?? {}).includes('"type":"Established"'),
    );
}

async function apply(client: ClusterClient, object: KubeObject): Promise<void> {
  const answer = await client.apply(object, { fieldManager: 'test', force: true, dryRun: false });
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
}

async function objectsIn(file: string): Promise<readonly KubeObject[]> {
  return parseYaml(file, await readFile(file, 'utf8'))
    .value.map(({ value }) => value)
    .filter(isKubeObject);
}

/** One run of everything. */
function reconcileFleet(kubeconfig: string, cacheFolder: string): Promise<void> {
  return inLocalMode(kubeconfig, cacheFolder, async (engine) => {
    for (const name of ['flux-system', 'infra', 'apps']) {
      const run = await engine.reconcile(workload(name), true);
      assert.ok(run.ready, `${name}: ${run.reason}: ${run.message}`);
    }
  });
}

/** Works with an engine of the test's own, which gives its Leases back. */
async function inLocalMode<T>(
  kubeconfig: string,
  cacheFolder: string,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await createEngine(
    { folders: [], kubeconfig: [kubeconfig], cacheFolder, schedule: 'onRequest' },
    { log: silentLogger },
  );
  try {
    await engine.setMode('local');
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}
