import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.ts';
import type { ClusterClient } from '../../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../../src/clients/cluster/createClusterClient.ts';
import { ensureWholeSandbox } from '../../../src/clients/sandbox/sandboxPrograms.ts';
import { startSandbox } from '../../../src/clients/sandbox/startSandbox.ts';
import { fluxCrds } from '../../../src/flux/crds.gen.ts';
import type { KubeObject, ObjectRef } from '../../../src/kube/object.ts';
import { startGitHttpServer } from '../../servers/gitHttpServer.ts';
import { commitFiles, runGit } from '../../servers/gitRepository.ts';

/** A sandbox of its own with the Flux kinds, and a repository beside it. */
export interface BenchCluster {
  readonly kubeconfig: string;
  readonly client: ClusterClient;
  /** A folder for caches and clones. */
  readonly folder: string;
  readonly repository: { readonly folder: string; readonly url: string };
  apply(object: KubeObject): Promise<void>;
  /** Applies all of them with many requests under way. */
  applyAll(objects: readonly KubeObject[]): Promise<void>;
  /** Resolves when every object of the kind is as asked for; at least `count` of them. */
  untilAll(
    kind: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
    namespace: string,
    count: number,
    condition: (object: KubeObject) => boolean,
  ): Promise<void>;
}

export const fleetNamespace = 'fleet';
export const gitRepositoryKind = { group: 'source.toolkit.fluxcd.io', version: 'v1', kind: 'GitRepository' };
export const kustomizationKind = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
};

/** Runs the work on a cluster of its own, so that no measurement pays for the one before. */
export async function withBenchCluster<T>(work: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-bench-'));
  const sandbox = await startSandbox({ programs: await ensureWholeSandbox() });
  const git = await startGitHttpServer();
  const client = await createClusterClient({
    kubeconfig: { paths: [sandbox.kubeconfig] },
    log: silentLogger,
    maxConnections: 64,
  });
  const apply = async (object: KubeObject): Promise<void> => {
    const answer = await client.apply(object, { fieldManager: 'bench', force: true, dryRun: false });
    if (answer.type === 'refused') throw new Error(answer.refusal.message);
  };
  try {
    for (const crd of fluxCrds) await apply(crd);
    const crdKind = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' };
    await untilAll(client, crdKind, '', fluxCrds.length, (crd) =>
      JSON.stringify(crd['status'] ?? {}).includes('"type":"Established"'),
    );
    for (const name of ['flux-system', fleetNamespace])
      await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    return await work({
      kubeconfig: sandbox.kubeconfig,
      client,
      folder,
      repository: await git.createRepository('fleet'),
      apply,
      applyAll: async (objects) => void (await Promise.all(objects.map(apply))),
      untilAll: (kind, namespace, count, condition) => untilAll(client, kind, namespace, count, condition),
    });
  } finally {
    client.close();
    await git.close();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilAll(
  client: ClusterClient,
  kind: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
  namespace: string,
  count: number,
  condition: (object: KubeObject) => boolean,
): Promise<void> {
  const good = new Set<string>();
  const done = new AbortController();
  const look = (object: KubeObject): void => {
    if (condition(object)) good.add(object.metadata.name);
    else good.delete(object.metadata.name);
  };
  await client.watch(
    kind,
    namespace === '' ? {} : { namespace },
    (event) => {
      if (event.type === 'synced') event.objects.forEach(look);
      if (event.type === 'changed') look(event.object);
      if (good.size >= count) done.abort();
    },
    done.signal,
  );
}

/** Three ConfigMaps and a Deployment. */
export function appObjects(app: string): readonly KubeObject[] {
  const settings = ['a', 'b', 'c'].map((letter): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${app}-${letter}`, namespace: fleetNamespace },
    data: { app, letter, text: 'one of the settings of this application\n' },
  }));
  return [...settings, deployment(app)];
}

export function deployment(app: string): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app, namespace: fleetNamespace, labels: { app } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'registry.example/app:1',
              ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
              resources: { requests: { cpu: '1m', memory: '1Mi' } },
            },
          ],
        },
      },
    },
  };
}

export function appNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `app-${String(index).padStart(4, '0')}`);
}

export function isAvailable(object: KubeObject): boolean {
  const { spec, status } = object as unknown as {
    readonly spec: { readonly replicas: number };
    readonly status?: { readonly availableReplicas?: number; readonly observedGeneration?: number };
  };
  return (
    status?.observedGeneration === object.metadata.generation && status?.availableReplicas === spec.replicas
  );
}

export function isReady(object: KubeObject): boolean {
  const { status } = object as unknown as {
    readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
  };
  return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
}

/** A file per object of each app, JSON being YAML. */
export function fleetFiles(apps: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    apps.flatMap((app) =>
      appObjects(app).map((object) => [
        `apps/${app}/${object.kind.toLowerCase()}-${object.metadata.name}.yaml`,
        JSON.stringify(object),
      ]),
    ),
  );
}

/** Commits the files and makes the source that reads them. */
export async function publishFleet(
  { repository, apply }: BenchCluster,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await commitFiles(repository.folder, { files });
  await apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace: 'flux-system' },
    spec: { interval: '1h', url: repository.url, ref: { branch: 'main' } },
  });
}

/** A clone of the repository, as a user has it open. */
export async function cloneFleet({ folder, repository }: BenchCluster): Promise<string> {
  const clone = join(folder, 'clone');
  await runGit(folder, ['clone', '--quiet', repository.url, clone]);
  return clone;
}

/** The Kustomization of one folder of the repository. */
export function kustomization(name: string, path: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system' },
    spec: {
      interval: '1h',
      timeout: '10m',
      prune: true,
      wait: true,
      path,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
      ...spec,
    },
  };
}
