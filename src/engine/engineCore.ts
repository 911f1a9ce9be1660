import { randomBytes } from 'node:crypto';
import type { Logger } from '../base/logger.ts';
import { asPlumbError, plumbError, type PlumbError } from '../base/plumbError.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { createClusterClient } from '../clients/cluster/createClusterClient.ts';
import { defaultKubeconfigPaths, listContexts } from '../clients/cluster/kubeconfig.ts';
import { createGitClient, type GitClient } from '../clients/git/gitClient.ts';
import { UnwrappedKeys } from '../clients/kms/unwrappedKeys.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import type { Credentials } from '../protocol/credentials.ts';
import { BuildCache } from '../lib/kustomize/buildCache.ts';
import type { EngineConfig } from '../protocol/engine.ts';
import type { EngineEvent } from '../protocol/events.ts';
import type { ContextView } from '../protocol/views.ts';
import type { Clock } from '../ssa/runContext.ts';
import { defaultCacheFolder } from './cacheFolder.ts';
import { ClusterSession } from './clusterSession.ts';
import { systemClock } from './systemClock.ts';
import { WatchStore } from './watchStore.ts';
import { Workspace } from './workspace/workspace.ts';

/** What the engine works with; everything has a real default. Tests replace clock and log only. */
export interface EngineDependencies {
  readonly log: Logger;
  readonly clock: Clock;
  readonly git: GitClient;
  /** Answers what stands in no kubeconfig and no Secret; nobody has any by default. */
  readonly credentials: Credentials;
  /** Opens a client for the context; the kubeconfig's current-context when undefined. */
  readonly connect: (
    context: string | undefined,
  ) => Promise<{ readonly cluster: ClusterClient; readonly context: string }>;
}

/** The connection to the cluster, or why there is none. */
export type Connection =
  | { readonly type: 'connected'; readonly session: ClusterSession; readonly store: WatchStore }
  | { readonly type: 'none'; readonly error: PlumbError };

/** What the engine's parts share. Only createEngine makes one. */
export class EngineCore {
  readonly config: EngineConfig;
  readonly deps: EngineDependencies;
  readonly workspace: Workspace;
  /** What builds leave for later ones to reuse, whoever asks for them. */
  readonly builds = new BuildCache();
  readonly unwrappedKeys: UnwrappedKeys;
  readonly closing = new AbortController();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #connection: Promise<Connection> | undefined;

  constructor(config: EngineConfig, deps: EngineDependencies) {
    this.config = config;
    this.deps = deps;
    this.unwrappedKeys = new UnwrappedKeys({ now: () => deps.clock.now() });
    this.workspace = new Workspace(deps.git, config.folders, this.closing.signal);
  }

  emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  listen(listener: (event: EngineEvent) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /** The cluster, connected at the first call; a kubeconfig that cannot be used is an answer, not an exception. */
  async connection(): Promise<Connection> {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  /** The cluster for something that needs one. Throws what stands in the way. */
  async connected(): Promise<Connection & { readonly type: 'connected' }> {
    const connection = await this.connection();
    if (connection.type === 'connected') return connection;
    throw connection.error;
  }

  /** The contexts to choose from; none without a kubeconfig. Throws KubeconfigInvalid. */
  async contexts(): Promise<readonly ContextView[]> {
    const contexts = await listContexts(kubeconfigPaths(this.config));
    return contexts.map(({ name, server, user }) => ({ name, server, user }));
  }

  /** Watches every Flux kind; resolves when the first lists are in. */
  async watchFlux(store: WatchStore): Promise<void> {
    const { namespace } = this.config;
    await Promise.all(
      fluxKinds.map((kind) => store.ensure(kind, namespace === undefined ? {} : { namespace })),
    );
  }

  async close(): Promise<void> {
    this.closing.abort();
    const connection = await this.#connection;
    if (connection?.type === 'connected') {
      connection.store.stop();
      await connection.session.leaveLocal();
      connection.session.cluster.close();
    }
    await this.deps.git.close();
    this.#listeners.clear();
  }

  async #connect(): Promise<Connection> {
    const { clock, log, connect } = this.deps;
    try {
      const { cluster, context } = await connect(this.config.context);
      const session = new ClusterSession({
        cluster,
        context,
        clock,
        log,
        monotonicMs: () => performance.now(),
        processId: randomBytes(4).toString('hex'),
        ...(this.config.clusterUid !== undefined && { boundUid: this.config.clusterUid }),
        onModeChanged: (view, why) => this.emit({ type: 'modeChanged', cluster: view, why }),
      });
      const onChange: ConstructorParameters<typeof WatchStore>[0]['onChange'] = (refs) => {
        this.emit({ type: 'objectsChanged', refs });
        this.emit({ type: 'treeChanged' });
      };
      const store = new WatchStore({
        cluster,
        clock,
        log,
        onChange,
        onObject: (object) => session.saw(object),
      });
      return { type: 'connected', session, store };
    } catch (error) {
      return { type: 'none', error: asPlumbError(error) };
    }
  }
}

/** The real clients, for what the caller does not bring. */
export function completeDependencies(
  config: EngineConfig,
  given: Partial<EngineDependencies> & { readonly log: Logger },
): EngineDependencies {
  const { log } = given;
  const cacheFolder = config.cacheFolder ?? defaultCacheFolder();
  return {
    log,
    clock: given.clock ?? systemClock,
    credentials: given.credentials ?? { get: () => Promise.resolve(undefined) },
    git:
      given.git ??
      createGitClient({ cacheFolder, ...(config.gitPath !== undefined && { program: config.gitPath }) }),
    connect: given.connect ?? ((context) => connectByKubeconfig(config, context, log)),
  };
}

function kubeconfigPaths(config: EngineConfig): readonly string[] {
  return config.kubeconfig ?? defaultKubeconfigPaths(process.env);
}

async function connectByKubeconfig(config: EngineConfig, context: string | undefined, log: Logger) {
  const paths = kubeconfigPaths(config);
  const contexts = await listContexts(paths);
  const chosen = context ?? contexts.find(({ current }) => current)?.name;
  if (chosen === undefined) {
    throw plumbError('KubeconfigInvalid', {
      message:
        contexts.length === 0
          ? `no cluster is configured in ${paths.join(', ')}`
          : `${paths.join(', ')} has no current-context`,
      hint:
        contexts.length === 0
          ? 'set KUBECONFIG or --kubeconfig'
          : `choose one with --context: ${contexts.map(({ name }) => name).join(', ')}`,
    });
  }
  return {
    cluster: await createClusterClient({ kubeconfig: { paths }, context: chosen, log }),
    context: chosen,
  };
}
