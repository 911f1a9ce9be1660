import { isJsonObject } from '../../base/json.ts';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { LeaseTarget } from './leaseNames.ts';

/** Holder identities of Plumb start with this, so that two Plumbs know each other. */
export const plumbHolderPrefix = 'plumb_';

/** A controller, or another Plumb, that must be taken as reconciling now. */
export interface LiveReconciler {
  readonly target: LeaseTarget;
  readonly holder: string;
  readonly why: string;
  /** False for a Lease that may not be read, and counts as held for that. */
  readonly isReadable: boolean;
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

/** Why local mode cannot start in a context: who reconciles there, or that it may not be known. */
export function occupied(context: string, live: readonly LiveReconciler[]): PlumbError {
  const unreadable = live.filter(({ isReadable }) => !isReadable);
  const [first] = unreadable;
  if (first !== undefined && unreadable.length === live.length) {
    const { leaseName, namespace } = first.target;
    const more = live.length === 1 ? '' : ` and ${live.length - 1} more`;
    return plumbError('AccessDenied', {
      message: `it cannot be told who reconciles ${context}: Lease ${namespace}/${leaseName}${more} cannot be read`,
      hint: `what cannot be read counts as held: ask for the right to read Leases in ${namespace}`,
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
      target,
      holder: '',
      why: `Lease ${target.leaseName} cannot be read (${reading.why}), so it counts as held`,
      isReadable: false,
    };
  if (reading.type === 'found') {
    const { holder, durationSeconds, renewTimeMs } = leaseSpecOf(reading.lease);
    if (holder !== '' && renewTimeMs + durationSeconds * 1000 > serverTimeMs) {
      return { target, holder, why: `${target.leaseName} is held by ${holder}`, isReadable: true };
    }
  }
  const { deployment } = target;
  if (deployment?.ready === true && !deployment.electsLeader) {
    return {
      target,
      holder: deployment.name,
      why: `Deployment ${target.namespace}/${deployment.name} is ready and elects no leader`,
      isReadable: true,
    };
  }
  return undefined;
}
