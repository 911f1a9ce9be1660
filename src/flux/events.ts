import type { JsonObject } from '../base/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { formatTime } from './conditions.ts';

/** What a controller has to say about one of its objects: for the cluster's events and for notification. */
export interface FluxEvent {
  readonly object: KubeObject;
  /** `trace` is recorded in the cluster only. */
  readonly severity: 'trace' | 'info' | 'error';
  readonly reason: string;
  readonly message: string;
  /** Keys carry the API group of the emitter, e.g. `kustomize.toolkit.fluxcd.io/revision`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The controller's name, e.g. `kustomize-controller`. */
  readonly component: string;
}

const maxMessageLength = 39_000;

/** The core/v1 Event for the first occurrence, as client-go's recorder writes it. `nanoseconds` makes its name unique. */
export function coreEvent(event: FluxEvent, now: number, nanoseconds: bigint): KubeObject {
  const { object } = event;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const time = formatTime(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name}.${nanoseconds.toString(16)}`,
      namespace: namespace ?? 'default',
      annotations: eventMetadata(event),
    },
    involvedObject: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    type: event.severity === 'error' ? 'Warning' : 'Normal',
    reason: event.reason,
    message: event.message.slice(0, maxMessageLength),
    source: { component: event.component },
    reportingComponent: event.component,
    reportingInstance: '',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** The JSON that notification-controller takes at its event address (contract 0.6). */
export function notificationEvent(event: FluxEvent, now: number, reportingInstance: string): JsonObject {
  const { object } = event;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    involvedObject: {
      kind: object.kind,
      ...(namespace !== undefined && { namespace }),
      name,
      ...(uid !== undefined && { uid }),
      apiVersion: object.apiVersion,
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    severity: event.severity,
    timestamp: formatTime(now),
    message: event.message.slice(0, maxMessageLength),
    reason: event.reason,
    metadata: eventMetadata(event),
    reportingController: event.component,
    reportingInstance,
  };
}

/** The event's own metadata with the object's `event.toolkit.fluxcd.io/<key>` annotations over it. */
function eventMetadata(event: FluxEvent): Readonly<Record<string, string>> {
  const annotations = Object.entries(event.object.metadata.annotations ?? {});
  const own = annotations.filter(([key]) => key.startsWith('event.toolkit.fluxcd.io/'));
  return { ...event.metadata, ...Object.fromEntries(own) };
}
