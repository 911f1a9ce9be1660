import { parseDuration, type DurationMs } from '../base/duration.ts';
import { plumbError } from '../base/plumbError.ts';
import { formatRef, refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { Kustomization } from './api/kustomize.gen.ts';
import { refOfInventoryEntry } from '../kube/inventoryId.ts';
import { sourceRefOf } from './references.ts';

const shortestTimeoutMs = 30_000;

/** The value of a duration field. Throws InvalidConfiguration: the CRD's pattern lets nothing else through. */
export function durationOf(object: KubeObject, field: string, text: string): DurationMs {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  throw plumbError('InvalidConfiguration', {
    subject: formatRef(refOf(object)),
    message: `${field}: ${JSON.stringify(text)} is not a duration`,
    hint: 'write it as Go does, e.g. 10m or 1h30m',
  });
}

/** Time between two successful runs. */
export function intervalOf(kustomization: Kustomization): DurationMs {
  return durationOf(kustomization, 'spec.interval', kustomization.spec.interval);
}

/** Time until a failed run is tried again. */
export function retryIntervalOf(kustomization: Kustomization): DurationMs {
  const { retryInterval } = kustomization.spec;
  return retryInterval === undefined
    ? intervalOf(kustomization)
    : durationOf(kustomization, 'spec.retryInterval', retryInterval);
}

/** Time a run may wait for health: spec.timeout, else 30 s less than the interval; never under 30 s. */
export function timeoutOf(kustomization: Kustomization): DurationMs {
  const { timeout } = kustomization.spec;
  const duration =
    timeout === undefined
      ? intervalOf(kustomization) - shortestTimeoutMs
      : durationOf(kustomization, 'spec.timeout', timeout);
  return Math.max(duration, shortestTimeoutMs);
}

/** The source the Kustomization reads, in its own namespace unless it names another. Throws InvalidConfiguration for none. */
export function sourceOf(kustomization: Kustomization): ObjectRef {
  const ref = sourceRefOf(kustomization);
  if (ref !== undefined) return ref;
  throw plumbError('InvalidConfiguration', {
    subject: formatRef(refOf(kustomization as unknown as KubeObject)),
    message: 'spec.sourceRef names no source that Flux knows',
    hint: 'set kind and name of a GitRepository, OCIRepository, Bucket or ExternalArtifact',
  });
}

/** The objects recorded as applied. Entries that name nothing are left out. */
export function inventoryOf(kustomization: Kustomization): readonly ObjectRef[] {
  const entries = kustomization.status?.inventory?.entries ?? [];
  return entries.flatMap((entry) => refOfInventoryEntry(entry) ?? []);
}
