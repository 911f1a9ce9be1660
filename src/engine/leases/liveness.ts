import { isJsonObject } from '../../base/json.ts';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { KubeObject } from '../../kube/object.ts';
import { controllerOfLease, type LeaseTarget } from './leaseNames.ts';

/** Holder identities of Plumb start with this, so that two Plumbs know each other. */
export const plumbHolderPrefix = 'plumb_';

/** A controller, or another Plumb, that must be taken as reconciling now. */
export interface LiveReconciler {
  readonly holder: string;
  readonly why: string;
  /** What may not be read, and counts as held for that. */
  readonly unread?: string;
}

/** What the server knows about one Lease: the object, its absence, or that it may not be read. */
export type LeaseReading =
  | { readonly type: 'found'; readonly lease: KubeObject }
  | { readonly type: 'absent' }
  | { readonly type: 'unreadable'; readonly why: string };

/** The members of a Lease's spec that count. */
export interface LeaseSpec {
  readonly holder: string;
  readonly durationSeconds: number;
  readonly renewTimeMs: number;
}

/** The Lease's spec; a missing holder is '', a missing time long ago. */
export function leaseSpecOf(lease: KubeObject): LeaseSpec {
  const spec = isJsonObject(lease['spec']) ? lease['spec'] : {};
  const { holderIdentity, leaseDurationSeconds, renewTime } = spec;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    durationSeconds: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds : 0,
    renewTimeMs: typeof renewTime === 'string' ? Date.parse(renewTime) : 0,
  };
}

/** Tells whether the Lease names another Plumb that did not give it back and no longer renews it. */
export function isAbandoned(
  reading: LeaseReading,
  serverTimeMs: number,
  ownIdentity: string | undefined,
): boolean {
  if (reading.type !== 'found') return false;
  const spec = leaseSpecOf(reading.lease);
  return (
    spec.holder.startsWith(plumbHolderPrefix) && spec.holder !== ownIdentity && !isHeld(spec, serverTimeMs)
  );
}

/** Why local mode cannot start in a context: who reconciles there, or that it may not be known. */
export function occupied(context: string, live: readonly LiveReconciler[]): PlumbError {
  const [first] = live;
  if (first?.unread !== undefined && live.every(({ unread }) => unread !== undefined)) {
    const more = live.length === 1 ? '' : ` and ${live.length - 1} more`;
    return plumbError('AccessDenied', {
      message: `it cannot be told who reconciles ${context}: ${first.unread}${more} cannot be read`,
      hint: 'what cannot be read counts as held: ask for the right to list Leases in all namespaces',
    });
  }
  return plumbError('ModeForbids', {
    message: `${context} is being reconciled already: ${live.map(({ why }) => why).join('; ')}`,
    hint: 'only one reconciler may run: scale the Flux controllers to zero, or stop the other Plumb, and try again',
  });
}

/**
 * Tells who reconciles through this target now, or undefined for nobody: a Lease that has not run out at the server's time,
 * a ready Deployment that elects no leader, and whatever cannot be read (architecture, section 6).
 */
export function liveReconciler(
  target: LeaseTarget,
  reading: LeaseReading,
  serverTimeMs: number,
): LiveReconciler | undefined {
  if (reading.type === 'unreadable')
    return {
      holder: '',
      why: `Lease ${target.namespace}/${target.leaseName} cannot be read (${reading.why})`,
      unread: `Lease ${target.namespace}/${target.leaseName}`,
    };
  if (reading.type === 'found') {
    const spec = leaseSpecOf(reading.lease);
    const { holder } = spec;
    if (isHeld(spec, serverTimeMs)) {
      const why = `Lease ${target.namespace}/${target.leaseName} is held by ${holder}`;
      return { holder, why };
    }
  }
  const { deployment } = target;
  if (deployment?.ready === true && !deployment.electsLeader) {
    return {
      holder: deployment.name,
      why: `Deployment ${target.namespace}/${deployment.name} is ready and elects no leader`,
    };
  }
  return undefined;
}

function isHeld({ holder, durationSeconds, renewTimeMs }: LeaseSpec, serverTimeMs: number): boolean {
  return holder !== '' && renewTimeMs + durationSeconds * 1000 > serverTimeMs;
}

/**
 * Who reconciles through Leases that are no targets: those of controllers in other namespaces or with shards nobody installed,
 * and any that a Plumb holds. They belong to a second installation in the cluster, which shares definitions and objects with this one.
 */
export function liveElsewhere(
  leases: readonly KubeObject[],
  targets: readonly LeaseTarget[],
  serverTimeMs: number,
): readonly LiveReconciler[] {
  return leases.flatMap((lease) => {
    const { namespace = '', name: leaseName } = lease.metadata;
    if (targets.some((target) => target.namespace === namespace && target.leaseName === leaseName)) return [];
    const isPlumbs = leaseSpecOf(lease).holder.startsWith(plumbHolderPrefix);
    const controller = controllerOfLease(leaseName) ?? (isPlumbs ? leaseName : undefined);
    if (controller === undefined) return [];
    const live = liveReconciler({ controller, namespace, leaseName }, { type: 'found', lease }, serverTimeMs);
    if (live === undefined) return [];
    const ours = [...new Set(targets.map((target) => target.namespace))].join(' and ');
    return [{ ...live, why: `${live.why}, which is another installation than the one in ${ours}` }];
  });
}
