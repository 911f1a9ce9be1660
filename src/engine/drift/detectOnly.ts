import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { isReady } from '../../flux/conditions.ts';

/** On a Kustomization: `detect` leaves drift as it is, shown but not reverted, until there is something new to apply. */
export const driftAnnotation = 'plumb.dev/drift';

/**
 * Tells whether a scheduled run would do nothing but revert drift, on a Kustomization that asks to leave it. A new revision, a
 * changed spec, a request and a failed last run are all something to do.
 */
export function leavesDrift(kustomization: Kustomization, sourceRevision: string | undefined): boolean {
  const { metadata, status } = kustomization;
  if (metadata.annotations?.[driftAnnotation] !== 'detect' || metadata.deletionTimestamp !== undefined)
    return false;
  const request = metadata.annotations['reconcile.fluxcd.io/requestedAt'];
  return (
    sourceRevision !== undefined &&
    status?.lastAppliedRevision === sourceRevision &&
    status.observedGeneration === metadata.generation &&
    (request === undefined || request === status.lastHandledReconcileAt) &&
    isReady(status.conditions ?? [])
  );
}
