import type { Logger } from '../base/logger.ts';
import { asPlumbError, isPlumbError, plumbError, type PlumbError } from '../base/plumbError.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { defaultProfile, type ControllerProfile, profileOfDeployment } from '../flux/controllerProfile.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ClusterMode, ClusterView } from '../protocol/views.ts';
import type { Clock } from '../ssa/runContext.ts';
import { type ClusterIdentity, readClusterIdentity } from './clusterIdentity.ts';
import { type Installation, readInstallation, readLocalNamespace } from './leases/installation.ts';
import { requireNoActiveInstance } from './leases/fluxInstance.ts';
import { LeaseHolder, newHolderIdentity } from './leases/leaseHolder.ts';
import { occupied } from './leases/liveness.ts';
import type { LeaseTarget } from './leases/leaseNames.ts';
import type { WritePermit } from './guardedClient.ts';
import { isOverridden } from './override/overrideRecord.ts';
import { Tripwire } from './tripwire.ts';

export interface ClusterSessionOptions {
  readonly cluster: ClusterClient;
  readonly context: string;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly log: Logger;
  /** Eight random characters that tell this process from others. */
  readonly processId: string;
  /** The cluster the context must lead to for anything to be written. */
  readonly boundUid?: string;
  readonly onModeChanged: (view: ClusterView, why: string) => void;
}

/** One cluster: who it is, who reconciles it, and in which mode this engine is there. */
export class ClusterSession {
  readonly cluster: ClusterClient;
  readonly context: string;
  readonly #options: ClusterSessionOptions;
  /** Names this process in Leases and overrides. */
  readonly identity: string;
  #term: LocalTerm | undefined;
  /** Why local mode ended by itself, until it is entered again. */
  #ended: PlumbError | undefined;
  #identified: ClusterIdentity | undefined;

  constructor(options: ClusterSessionOptions) {
    this.#options = options;
    this.cluster = options.cluster;
    this.context = options.context;
    this.identity = newHolderIdentity(options.processId);
  }

  get mode(): ClusterMode {
    return this.#term === undefined ? 'observe' : 'local';
  }

  /** Tells what a watch delivered: a status that somebody else wrote under a controller's name ends local mode. */
  saw(object: KubeObject): void {
    this.#term?.tripwire.saw(object);
  }

  /** Tells whether no write of the controllers or of this engine is newer than the object; true in local mode only. */
  isCurrent(object: KubeObject): boolean {
    return this.#term?.tripwire.isCurrent(object) === true;
  }

  /**
   * The right to write in local mode. Without it `require` throws ModeForbids, or PlanOutdated for what was under way when local
   * mode ended by itself.
   */
  readonly localPermit: WritePermit = {
    require: () => {
      if (this.#term?.holder.stillHeld() === true) return;
      if (this.#ended !== undefined) throw this.#ended;
      throw plumbError('ModeForbids', {
        message: `${this.context} is in observe mode: Plumb does not reconcile there`,
        hint: 'switch to local mode first (plumb … --local, or "Plumb: Choose Who Reconciles…"), where no controller runs',
      });
    },
    own: (ref, write) => this.#term?.tripwire.own(ref, write) ?? write(),
  };

  /** Who the cluster is. Asked once. */
  async identify(signal?: AbortSignal): Promise<ClusterIdentity> {
    if (this.#identified !== undefined) return this.#identified;
    this.#identified = await readClusterIdentity(this.cluster, signal);
    return this.#identified;
  }

  /** Throws ModeForbids when the context leads to another cluster than the one it was bound to. Called before anything is written. */
  async requireBound(signal?: AbortSignal): Promise<void> {
    const { boundUid } = this.#options;
    if (boundUid === undefined || (await this.identify(signal)).uid === boundUid) return;
    throw plumbError('ModeForbids', {
      message: `${this.context} is now another cluster than the one this workspace is bound to`,
      hint: 'run "Plumb: Choose Cluster…" if this is the one you mean',
    });
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
    return readInstallation(this.cluster, this.identity, signal);
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
    const profile =
      deployment === undefined
        ? { ...defaultProfile, runtimeNamespace: await readLocalNamespace(this.cluster, signal) }
        : profileOfDeployment(deployment);
    if (this.#term === undefined) return profile;
    return { ...profile, handedOverIn: [...new Set(this.#term.targets.map(({ namespace }) => namespace))] };
  }

  /**
   * Takes every Lease of the installation. Throws ModeForbids when anybody else may be reconciling. The signal aborts, with the
   * reason, when local mode ends by itself: Leases lost, or somebody else at work.
   */
  async enterLocal(signal: AbortSignal): Promise<AbortSignal> {
    if (this.#term !== undefined) return this.#term.over.signal;
    await this.requireBound(signal);
    const { targets, live } = await this.installation(signal);
    if (live.length > 0) throw occupied(this.context, live);
    await requireNoActiveInstance(this.cluster, signal);
    const { cluster, clock, monotonicMs } = this.#options;
    const holder = await LeaseHolder.acquire(
      { cluster, clock, monotonicMs, identity: this.identity, onLost: (why) => this.#lost(why) },
      targets,
      signal,
    );
    const tripwire = new Tripwire({ isExempt: isOverridden, onTripped: (why) => this.#lost(why) });
    this.#term = { holder, tripwire, over: new AbortController(), targets };
    this.#ended = undefined;
    try {
      tripwire.arm(await this.#fluxObjects(signal));
    } catch (error) {
      await this.leaveLocal();
      throw error;
    }
    this.#options.log.info('local mode', { context: this.context, leases: targets.length });
    return this.#term.over.signal;
  }

  /** Gives the Leases back; observe mode from then on. */
  async leaveLocal(): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    term?.tripwire.disarm();
    await term?.holder.release();
  }

  /** Every Flux object as it is now; kinds that are not served or cannot be read are left out. */
  async #fluxObjects(signal: AbortSignal): Promise<readonly KubeObject[]> {
    const lists = await Promise.all(
      fluxKinds.map(async (kind) => {
        if ((await this.cluster.servedKind(kind)) === undefined) return [];
        const listed = await this.cluster.list(kind, {}, signal);
        return listed.type === 'ok' ? listed.value : [];
      }),
    );
    return lists.flat();
  }

  #lost(why: string): void {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    this.#ended = plumbError('PlanOutdated', {
      message: `local mode ended in ${this.context}: ${why}`,
      hint: 'nothing more was written; switch to local mode again when nobody else reconciles',
    });
    this.#options.log.warn('local mode ended', { context: this.context, why });
    term.tripwire.disarm();
    term.over.abort(this.#ended);
    void term.holder.release();
    void this.view().then((view) => this.#options.onModeChanged(view, why));
  }
}

/** Local mode from taking the Leases to their end. */
interface LocalTerm {
  readonly holder: LeaseHolder;
  readonly tripwire: Tripwire;
  readonly over: AbortController;
  readonly targets: readonly LeaseTarget[];
}
