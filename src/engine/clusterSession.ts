import { sha256Hex } from '../base/digest.ts';
import type { Logger } from '../base/logger.ts';
import { asPlumbError, isPlumbError, plumbError } from '../base/plumbError.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { defaultProfile, type ControllerProfile, profileOfDeployment } from '../flux/controllerProfile.ts';
import type { ObjectRef } from '../kube/object.ts';
import type { ClusterMode, ClusterView } from '../protocol/views.ts';
import type { Clock } from '../ssa/runContext.ts';
import { type Installation, readInstallation, readLocalNamespace } from './leases/installation.ts';
import { LeaseHolder, newHolderIdentity } from './leases/leaseHolder.ts';

export interface ClusterSessionOptions {
  readonly cluster: ClusterClient;
  readonly context: string;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly log: Logger;
  /** Eight random characters that tell this process from others. */
  readonly processId: string;
  readonly onModeChanged: (view: ClusterView, why: string) => void;
}

const kubeSystem: ObjectRef = { group: '', version: 'v1', kind: 'Namespace', name: 'kube-system' };

/** One cluster: who it is, who reconciles it, and in which mode this engine is there. */
export class ClusterSession {
  readonly cluster: ClusterClient;
  readonly context: string;
  readonly #options: ClusterSessionOptions;
  readonly #identity: string;
  #holder: LeaseHolder | undefined;
  #identified: { readonly uid: string; readonly version: string } | undefined;

  constructor(options: ClusterSessionOptions) {
    this.#options = options;
    this.cluster = options.cluster;
    this.context = options.context;
    this.#identity = newHolderIdentity(options.processId);
  }

  get mode(): ClusterMode {
    return this.#holder === undefined ? 'observe' : 'local';
  }

  /** Throws ModeForbids outside local mode and LeaseLost when the Leases ran out: called before every write of a run. */
  requireLocal(): void {
    if (this.#holder === undefined) {
      throw plumbError('ModeForbids', {
        message: `${this.context} is in observe mode: Plumb does not reconcile there`,
        hint: 'switch to local mode first (plumb … --local, or "Plumb: Choose Who Reconciles…"), where no controller runs',
      });
    }
    this.#holder.requireHeld();
  }

  /** UID of kube-system, or a digest of the server where that cannot be read; and the server's version. Asked once. */
  async identify(signal?: AbortSignal): Promise<{ readonly uid: string; readonly version: string }> {
    if (this.#identified !== undefined) return this.#identified;
    const [version, namespace] = await Promise.all([
      this.cluster.raw('/version', signal),
      this.cluster.get(kubeSystem, signal),
    ]);
    const uid = namespace.type === 'ok' ? namespace.value.metadata.uid : undefined;
    const gitVersion = version.type === 'ok' ? version.value['gitVersion'] : undefined;
    this.#identified = {
      uid: uid ?? `server-${sha256Hex(this.cluster.server).slice(0, 16)}`,
      version: typeof gitVersion === 'string' ? gitVersion : '',
    };
    return this.#identified;
  }

  /** Never throws: an unreachable cluster is a view that says so. */
  async view(signal?: AbortSignal): Promise<ClusterView> {
    const base = { context: this.context, server: this.cluster.server, mode: this.mode };
    try {
      const { uid, version } = await this.identify(signal);
      const { reconciler } = await this.installation(signal);
      return {
        ...base,
        uid,
        version,
        reachable: true,
        reconciler: this.mode === 'local' ? 'plumb' : reconciler,
      };
    } catch (error) {
      if (isPlumbError(error, 'Cancelled')) throw error;
      return { ...base, reachable: false, message: asPlumbError(error).message, reconciler: 'unknown' };
    }
  }

  installation(signal?: AbortSignal): Promise<Installation> {
    return readInstallation(this.cluster, this.#identity, signal);
  }

  /** What the installed kustomize-controller was told; Flux 2.9's defaults without an install. */
  async profile(signal?: AbortSignal): Promise<ControllerProfile> {
    const listed = await this.cluster.list(
      { group: 'apps', version: 'v1', kind: 'Deployment' },
      { labelSelector: 'app.kubernetes.io/part-of=flux,app.kubernetes.io/component=kustomize-controller' },
      signal,
    );
    if (listed.type === 'refused') {
      throw plumbError('AccessDenied', {
        message: `the policy of the installed controllers cannot be read: ${listed.refusal.message}`,
        hint: 'reading Deployments labelled app.kubernetes.io/part-of=flux is needed before anything is written',
      });
    }
    const [deployment] = listed.value;
    if (deployment !== undefined) return profileOfDeployment(deployment);
    return { ...defaultProfile, runtimeNamespace: await readLocalNamespace(this.cluster, signal) };
  }

  /** Takes every Lease of the installation. Throws ModeForbids when anybody else may be reconciling. */
  async enterLocal(signal: AbortSignal): Promise<void> {
    if (this.#holder !== undefined) return;
    const { targets, live } = await this.installation(signal);
    if (live.length > 0) {
      throw plumbError('ModeForbids', {
        message: `${this.context} is being reconciled already: ${live.map(({ why }) => why).join('; ')}`,
        hint: 'only one reconciler may run: scale the Flux controllers to zero, or stop the other Plumb, and try again',
      });
    }
    const { cluster, clock, monotonicMs } = this.#options;
    this.#holder = await LeaseHolder.acquire(
      { cluster, clock, monotonicMs, identity: this.#identity, onLost: (why) => this.#lost(why) },
      targets,
      signal,
    );
    this.#options.log.info('local mode', { context: this.context, leases: targets.length });
  }

  /** Gives the Leases back; observe mode from then on. */
  async leaveLocal(): Promise<void> {
    const holder = this.#holder;
    this.#holder = undefined;
    await holder?.release();
  }

  #lost(why: string): void {
    this.#holder = undefined;
    this.#options.log.warn('local mode ended', { context: this.context, why });
    void this.view().then((view) => this.#options.onModeChanged(view, why));
  }
}
