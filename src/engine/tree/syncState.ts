import { conditionsOf } from '../../flux/statusPatch.ts';
import { conditionStatus, getCondition, isReconciling, isStalled } from '../../flux/conditions.ts';
import { isJsonObject } from '../../base/json.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { SyncState } from '../../protocol/views.ts';

/** Worst first: what a parent shows when its children differ. */
const severity: readonly SyncState[] = [
  'failed',
  'drifted',
  'waiting',
  'progressing',
  'suspended',
  'unknown',
  'ready',
];

/** The worst of the states, or `unknown` for none. */
export function worstState(states: readonly SyncState[]): SyncState {
  return severity.find((state) => states.includes(state)) ?? 'unknown';
}

/** Kinds without a Ready condition count as ready once they exist. */
const withoutStatus = new Set(['Provider', 'Alert']);

/** What one live Flux object's spec and conditions say, without knowledge of drift. */
export function stateOfFluxObject(object: KubeObject): SyncState {
  if (isSuspended(object)) return 'suspended';
  const conditions = conditionsOf(object);
  const ready = getCondition(conditions, 'Ready');
  if (ready === undefined)
    return withoutStatus.has(object.kind) || isStaticKind(object) ? 'ready' : 'progressing';
  if (isStalled(conditions)) return 'failed';
  if (ready.reason === 'DependencyNotReady') return 'waiting';
  if (ready.status === 'False') return 'failed';
  if (hasUnseenGeneration(object)) return 'progressing';
  if (isReconciling(conditions) || conditionStatus(conditions, 'Ready') === 'Unknown') return 'progressing';
  return 'ready';
}

/** `spec.suspend` is true. */
export function isSuspended(object: KubeObject): boolean {
  const spec = object['spec'];
  return isJsonObject(spec) && spec['suspend'] === true;
}

function isStaticKind(object: KubeObject): boolean {
  const spec = object['spec'];
  // A HelmRepository of type oci is data for other objects and never gets a status.
  return object.kind === 'HelmRepository' && isJsonObject(spec) && spec['type'] === 'oci';
}

function hasUnseenGeneration(object: KubeObject): boolean {
  const status = object['status'];
  const observed = isJsonObject(status) ? status['observedGeneration'] : undefined;
  const { generation } = object.metadata;
  return typeof observed === 'number' && generation !== undefined && observed !== generation;
}
