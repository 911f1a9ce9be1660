import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { loggerTo, type LogEntry } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createGitClient } from '../../src/clients/git/gitClient.ts';
import { ArtifactStore } from '../../src/controllers/source/artifactStore.ts';
import { reconcileGitRepository } from '../../src/controllers/source/gitRepository.ts';
import type { KustomizeContext } from '../../src/controllers/kustomize/kustomizeContext.ts';
import { reconcileKustomization } from '../../src/controllers/kustomize/reconcileKustomization.ts';
import type { SourceContext } from '../../src/controllers/source/sourceContext.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import { remoteFetcher } from '../../src/engine/remoteBases.ts';
import type { Kustomization, KustomizationSpec } from '../../src/flux/api/kustomize.gen.ts';
import { defaultProfile } from '../../src/flux/controllerProfile.ts';
import { fluxCrds } from '../../src/flux/crds.gen.ts';
import type { FluxEvent } from '../../src/flux/events.ts';
import { refOf, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { startGitHttpServer, type GitHttpServer } from '../servers/gitHttpServer.ts';
import type { RunOutcome } from '../../src/ssa/runOutcome.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { sandboxCluster, type SandboxCluster } from './sandboxCluster.ts';

/** A sandbox with the Flux kinds installed, a git server, and what the controllers need. Nobody else reconciles there. */
export interface FluxCluster {
  readonly sandbox: SandboxCluster;
  readonly client: ClusterClient;
  readonly git: GitHttpServer;
  readonly sources: SourceContext;
  readonly kustomize: KustomizeContext;
  /** Events recorded so far, oldest first. */
  readonly events: readonly FluxEvent[];
  readonly log: readonly LogEntry[];
  /** Creates the object or applies it anew as its user would; gives what the server holds. */
  apply(object: KubeObject): Promise<KubeObject>;
  /** What the server holds; fails when it is not there. */
  get<T = KubeObject>(ref: ObjectRef): Promise<T>;
  /** Tells whether the server holds the object. */
  exists(ref: ObjectRef): Promise<boolean>;
}

/** Call it at the top of a test file (an `after` inside a hook would run with the hook); all is given back after its tests. */
export async function fluxCluster(given?: SandboxCluster): Promise<FluxCluster> {
  const sandbox = given ?? (await sandboxCluster());
  const log: LogEntry[] = [];
  const events: FluxEvent[] = [];
  const logger = loggerTo((entry) => log.push(entry));
  const client = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: logger });
  const cacheFolder = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  const gitClient = createGitClient({ cacheFolder });
  const git = await startGitHttpServer();
  after(async () => {
    await gitClient.close();
    await git.close();
    client.close();
    await rm(cacheFolder, { recursive: true, force: true });
  });
  const apply = async (object: KubeObject): Promise<KubeObject> => {
    const answer = await client.apply(object, { fieldManager: 'test', force: true, dryRun: false });
    if (answer.type === 'refused')
      throw new Error(`${object.kind}/${object.metadata.name}: ${answer.refusal.message}`);
    return answer.value;
  };
  await Promise.all(fluxCrds.map(apply));
  for (const crd of fluxCrds) {
    await sandbox.waitFor(
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`,
      (object) => JSON.stringify(object['status'] ?? {}).includes('"type":"Established"'),
    );
  }
  const sources: SourceContext = {
    cluster: client,
    clock: systemClock,
    log: logger,
    signal: new AbortController().signal,
    git: gitClient,
    artifacts: new ArtifactStore(),
    runtimeNamespace: 'flux-system',
    recordEvent: (event) => events.push(event),
  };
  const { cluster, clock, signal, recordEvent, artifacts } = sources;
  const kustomize: KustomizeContext = {
    cluster,
    clock,
    log: logger,
    signal,
    profile: defaultProfile,
    fetchArtifact: (source) => Promise.resolve(artifacts.get(refOf(source))),
    fetchRemotes: remoteFetcher(sources),
    recordEvent,
  };
  return {
    sandbox,
    client,
    git,
    events,
    log,
    sources,
    kustomize,
    apply,
    async get<T>(ref: ObjectRef) {
      const answer = await client.get(ref);
      if (answer.type === 'refused') throw new Error(answer.refusal.message);
      return answer.value as T;
    },
    async exists(ref) {
      const answer = await client.get(ref);
      if (answer.type === 'refused' && answer.refusal.httpStatus !== 404)
        throw new Error(answer.refusal.message);
      return answer.type === 'ok';
    },
  };
}

/** One namespace with a repository and Kustomizations over it, driven by hand: nothing runs on its own. */
export interface Fleet {
  readonly namespace: string;
  readonly repository: { readonly folder: string; readonly url: string };
  readonly source: ObjectRef;
  /** Commits the files (null removes one) and fetches them; gives the revision. */
  commit(files: Readonly<Record<string, string | null>>): Promise<string>;
  /** Creates or changes a Kustomization of the repository. */
  kustomization(name: string, spec?: Partial<KustomizationSpec>): Promise<ObjectRef>;
  run(ref: ObjectRef, ctx?: Partial<KustomizeContext>): Promise<RunOutcome>;
  read(ref: ObjectRef): Promise<Kustomization>;
  /** `ConfigMap` and its like in the fleet's namespace. */
  ref(kind: string, name: string, group?: string): ObjectRef;
}

export async function fleetOn(flux: FluxCluster, prefix: string): Promise<Fleet> {
  const namespace = await flux.sandbox.freshNamespace(prefix);
  const repository = await flux.git.createRepository(namespace);
  const source: ObjectRef = {
    group: 'source.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'GitRepository',
    namespace,
    name: 'fleet',
  };
  await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace },
    spec: { interval: '1m', url: repository.url, ref: { branch: 'main' } },
  } as KubeObject);
  return {
    namespace,
    repository,
    source,
    async commit(files) {
      await commitFiles(repository.folder, { files });
      const outcome = await reconcileGitRepository(flux.sources, source);
      if (outcome.revision === undefined) throw new Error(outcome.message);
      return outcome.revision;
    },
    async kustomization(name, spec = {}) {
      await flux.apply({
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name, namespace },
        spec: {
          interval: '10m',
          path: `./${name}`,
          prune: true,
          sourceRef: { kind: 'GitRepository', name: 'fleet' },
          ...spec,
        },
      } as KubeObject);
      return { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', namespace, name };
    },
    run: (ref, ctx = {}) => reconcileKustomization({ ...flux.kustomize, ...ctx }, ref),
    read: (ref) => flux.get<Kustomization>(ref),
    ref: (kind, name, group = '') => ({ group, version: 'v1', kind, namespace, name }),
  };
}

/** `Type=Status Reason: message` of every condition, in the order of the status. */
export function conditionTexts(object: {
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}): readonly string[] {
  return (object.status?.conditions ?? []).map(
    ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
  );
}

/** A ConfigMap as a file. */
export function configMap(name: string, data: Readonly<Record<string, string>>, extra = ''): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${extra}data:\n${lines.join('\n')}\n`;
}

/** A file with the namespace in every object, for builds that set none. */
export function inNamespace(namespace: string, yaml: string): string {
  return yaml.replaceAll(/^metadata:\n/gm, `metadata:\n  namespace: ${namespace}\n`);
}
