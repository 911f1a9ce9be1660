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
    const spec = leaseSpecOf(reading.lease);
    const { holder } = spec;
    if (isHeld(spec, serverTimeMs)) {
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

function isHeld({ holder, durationSeconds, renewTimeMs }: LeaseSpec, serverTimeMs: number): boolean {
  return holder !== '' && renewTimeMs + durationSeconds * 1000 > serverTimeMs;
}
