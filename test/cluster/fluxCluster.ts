import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { loggerTo, type LogEntry } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createGitClient } from '../../src/clients/git/gitClient.ts';
import { ArtifactStore } from '../../src/controllers/source/artifactStore.ts';
import type { SourceContext } from '../../src/controllers/source/sourceContext.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import { fluxCrds } from '../../src/flux/crds.gen.ts';
import type { FluxEvent } from '../../src/flux/events.ts';
import type { KubeObject, ObjectRef } from '../../src/kube/object.ts';
import { startGitHttpServer, type GitHttpServer } from '../servers/gitHttpServer.ts';
import { sandboxCluster, type SandboxCluster } from './sandboxCluster.ts';

/** A sandbox with the Flux kinds installed, a git server, and what the controllers need. Nobody else reconciles there. */
export interface FluxCluster {
  readonly sandbox: SandboxCluster;
  readonly client: ClusterClient;
  readonly git: GitHttpServer;
  readonly sources: SourceContext;
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
export async function fluxCluster(): Promise<FluxCluster> {
  const sandbox = await sandboxCluster();
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
  return {
    sandbox,
    client,
    git,
    events,
    log,
    sources: {
      cluster: client,
      clock: systemClock,
      log: logger,
      signal: new AbortController().signal,
      git: gitClient,
      artifacts: new ArtifactStore(),
      runtimeNamespace: 'flux-system',
      recordEvent: (event) => events.push(event),
    },
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
