import { isJsonObject } from '../../base/json.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { LeaseTarget } from './leaseNames.ts';

/** Holder identities of Plumb start with this, so that two Plumbs know each other. */
export const plumbHolderPrefix = 'plumb_';

/** A controller, or another Plumb, that must be taken as reconciling now. */
export interface LiveReconciler {
  readonly target: LeaseTarget;
  readonly holder: string;
  readonly why: string;
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
    };
  if (reading.type === 'found') {
    const { holder, durationSeconds, renewTimeMs } = leaseSpecOf(reading.lease);
    if (holder !== '' && renewTimeMs + durationSeconds * 1000 > serverTimeMs) {
      return { target, holder, why: `${target.leaseName} is held by ${holder}` };
    }
  }
  const { deployment } = target;
  if (deployment?.ready === true && !deployment.electsLeader) {
    return {
      target,
      holder: deployment.name,
      why: `Deployment ${target.namespace}/${deployment.name} is ready and elects no leader`,
    };
  }
  return undefined;
}
