import { isJsonObject } from '../base/json.ts';
import { parseApiVersion, type KubeObject } from './object.ts';
import {
  conditionsOf,
  fieldAt,
  integerAt,
  requireInteger,
  requireList,
  requireText,
  StatusUnreadable,
  textAt,
  type StatusCondition,
} from './statusFields.ts';

export type KStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown';

export interface StatusResult {
  readonly status: KStatus;
  readonly message: string;
  /** Milliseconds since 1970 when the result changes by time alone: an unschedulable Pod fails after 15 s. */
  readonly changesAt?: number;
}

type Rule = (object: KubeObject, now: number) => StatusResult;

const scheduleWindowMs = 15_000;
const noProgressDeadline = 2_147_483_647;

/**
 * What an object's own fields say about its readiness, with upstream's messages (contract 0.10).
 * Never NotFound: that is for callers who asked the server. Unknown when its status cannot be read.
 * Follows cli-utils kstatus status.Compute, with Flux's reader for Jobs.
 */
export function computeStatus(object: KubeObject, now = Date.now()): StatusResult {
  const rule = ruleFor(object);
  try {
    if (rule === jobStatus) return jobStatus(object);
    return (
      genericStatus(object) ?? rule?.(object, now) ?? readyStatus(object) ?? current('Resource is current')
    );
  } catch (error) {
    if (!(error instanceof StatusUnreadable)) throw error;
    const prefix = rule === jobStatus ? 'Failed to compute job status: ' : '';
    return { status: 'Unknown', message: prefix + error.message };
  }
}

const rules: Readonly<Record<string, Rule>> = {
  '/Service': serviceStatus,
  '/Pod': podStatus,
  '/Secret': alwaysReady,
  '/ConfigMap': alwaysReady,
  '/PersistentVolumeClaim': volumeClaimStatus,
  'apps/StatefulSet': statefulSetStatus,
  'apps/DaemonSet': daemonSetStatus,
  'extensions/DaemonSet': daemonSetStatus,
  'apps/Deployment': deploymentStatus,
  'extensions/Deployment': deploymentStatus,
  'apps/ReplicaSet': replicaSetStatus,
  'extensions/ReplicaSet': replicaSetStatus,
  'policy/PodDisruptionBudget': () => current('AllowedDisruptions has been computed.'),
  'batch/CronJob': alwaysReady,
  'batch/Job': jobStatus,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionStatus,
};

function ruleFor(object: KubeObject): Rule | undefined {
  const key = `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}

function current(message: string): StatusResult {
  return { status: 'Current', message };
}

function inProgress(message: string): StatusResult {
  return { status: 'InProgress', message };
}

function failed(message: string): StatusResult {
  return { status: 'Failed', message };
}

function alwaysReady(): StatusResult {
  return current('Resource is always ready');
}

/** Deletion, generation and the two standard conditions, which come before any rule of a kind. */
function genericStatus(object: KubeObject): StatusResult | undefined {
  if (requireText(object, 'metadata', 'deletionTimestamp') !== '') {
    return { status: 'Terminating', message: 'Resource scheduled for deletion' };
  }
  const generation = requireInteger(object, 'metadata', 'generation');
  const observed =
    generation === undefined ? undefined : requireInteger(object, 'status', 'observedGeneration');
  if (observed !== undefined && observed !== generation) {
    return inProgress(
      `${object.kind} generation is ${generation}, but latest observed generation is ${observed}`,
    );
  }
  for (const condition of conditionsOf(object)) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Reconciling') return inProgress(condition.message);
    if (condition.type === 'Stalled') return failed(condition.message);
  }
  return undefined;
}

/** Many custom kinds have a Ready condition; one that says neither True, False nor Unknown is passed over. */
function readyStatus(object: KubeObject): StatusResult | undefined {
  for (const { type, status, message } of conditionsOf(object)) {
    if (type !== 'Ready') continue;
    if (status === 'True') return current('Resource is Ready');
    if (status === 'False' || status === 'Unknown') return inProgress(message);
  }
  return undefined;
}

function serviceStatus(object: KubeObject): StatusResult {
  const isLoadBalancer = textAt(object, 'spec', 'type') === 'LoadBalancer';
  return isLoadBalancer && textAt(object, 'spec', 'clusterIP') === ''
    ? inProgress('ClusterIP not set. Service type: LoadBalancer')
    : current('Service is ready');
}

function volumeClaimStatus(object: KubeObject): StatusResult {
  const field = fieldAt(object, 'status', 'phase');
  const phase = typeof field === 'string' ? field : 'unknown';
  return phase === 'Bound' ? current('PVC is Bound') : inProgress(`PVC is not Bound. phase: ${phase}`);
}

function podStatus(object: KubeObject, now: number): StatusResult {
  const conditions = conditionsOf(object);
  const phase = textAt(object, 'status', 'phase');
  switch (phase) {
    case 'Succeeded':
      return current('Pod has completed successfully');
    case 'Failed':
      return current('Pod has completed, but not successfully');
    case 'Running':
      return runningPodStatus(object, conditions);
    case 'Pending':
      return pendingPodStatus(object, conditions, now);
    case '':
      return inProgress('Pod phase not available');
    default:
      throw new StatusUnreadable(`unknown phase ${phase}`);
  }
}

function runningPodStatus(object: KubeObject, conditions: readonly StatusCondition[]): StatusResult {
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) {
    return current('Pod is Ready');
  }
  const crashing = crashLoopingContainers(object);
  return crashing.length > 0
    ? failed(`Containers in CrashLoop state: ${crashing.join(',')}`)
    : inProgress('Pod is running but is not Ready');
}

function pendingPodStatus(
  object: KubeObject,
  conditions: readonly StatusCondition[],
  now: number,
): StatusResult {
  const scheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (scheduled?.reason !== 'Unschedulable') return inProgress('Pod is in the Pending phase');
  const created = Date.parse(textAt(object, 'metadata', 'creationTimestamp'));
  const changesAt = (Number.isNaN(created) ? 0 : created) + scheduleWindowMs;
  return now < changesAt
    ? { ...inProgress('Pod has not been scheduled'), changesAt }
    : failed('Pod could not be scheduled');
}

function crashLoopingContainers(object: KubeObject): string[] {
  return requireList(object, 'status', 'containerStatuses')
    .filter(isJsonObject)
    .filter((container) => fieldAt(container, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((container) => container['name'])
    .filter((name) => typeof name === 'string');
}

function statefulSetStatus(object: KubeObject): StatusResult {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return current('StatefulSet is using the ondelete update strategy');
  }
  const wanted = integerAt(object, 'spec', 'replicas') ?? 1;
  const replicas = integerAt(object, 'status', 'replicas') ?? 0;
  const ready = integerAt(object, 'status', 'readyReplicas') ?? 0;
  if (wanted > replicas) return inProgress(`Replicas: ${replicas}/${wanted}`);
  if (wanted > ready) return inProgress(`Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return inProgress(`Pending termination: ${replicas - wanted}`);
  const partition = integerAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? -1;
  if (partition !== -1) {
    const updated = integerAt(object, 'status', 'updatedReplicas') ?? 0;
    const toUpdate = wanted - partition;
    return updated < toUpdate
      ? inProgress(`updated: ${updated}/${toUpdate}`)
      : current(`Partition rollout complete. updated: ${updated}`);
  }
  const currentReplicas = integerAt(object, 'status', 'currentReplicas') ?? 0;
  if (wanted > currentReplicas) return inProgress(`current: ${currentReplicas}/${wanted}`);
  return textAt(object, 'status', 'currentRevision') === textAt(object, 'status', 'updateRevision')
    ? current(`All replicas scheduled as expected. Replicas: ${replicas}`)
    : inProgress('Waiting for updated revision to match current');
}

function daemonSetStatus(object: KubeObject): StatusResult {
  if (requireInteger(object, 'metadata', 'generation') === undefined) {
    return inProgress(`${object.kind} metadata.generation not found`);
  }
  if (requireInteger(object, 'status', 'observedGeneration') === undefined) {
    return inProgress(`${object.kind} status.observedGeneration not found`);
  }
  const desired = integerAt(object, 'status', 'desiredNumberScheduled') ?? -1;
  if (desired === -1) return inProgress('Missing .status.desiredNumberScheduled');
  const counters = [
    ['Current', 'currentNumberScheduled'],
    ['Updated', 'updatedNumberScheduled'],
    ['Available', 'numberAvailable'],
    ['Ready', 'numberReady'],
  ] as const;
  for (const [label, field] of counters) {
    const reached = integerAt(object, 'status', field) ?? 0;
    if (desired > reached) return inProgress(`${label}: ${reached}/${desired}`);
  }
  return current(`All replicas scheduled as expected. Replicas: ${desired}`);
}

function deploymentStatus(object: KubeObject): StatusResult {
  const conditions = conditionsOf(object);
  if (
    conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded')
  ) {
    return failed('Progress deadline exceeded');
  }
  const wanted = integerAt(object, 'spec', 'replicas') ?? 1;
  const replicas = integerAt(object, 'status', 'replicas') ?? 0;
  const updated = integerAt(object, 'status', 'updatedReplicas') ?? 0;
  const available = integerAt(object, 'status', 'availableReplicas') ?? 0;
  const ready = integerAt(object, 'status', 'readyReplicas') ?? 0;
  if (wanted > replicas) return inProgress(`Replicas: ${replicas}/${wanted}`);
  if (wanted > updated) return inProgress(`Updated: ${updated}/${wanted}`);
  if (replicas > wanted) return inProgress(`Pending termination: ${replicas - wanted}`);
  if (updated > available) return inProgress(`Available: ${available}/${updated}`);
  if (wanted > ready) return inProgress(`Ready: ${ready}/${wanted}`);
  const deadline = integerAt(object, 'spec', 'progressDeadlineSeconds') ?? noProgressDeadline;
  const isTrue = (wantedType: string, wantedReason?: string): boolean =>
    conditions.some(
      ({ type, status, reason }) =>
        type === wantedType && status === 'True' && (wantedReason ?? reason) === reason,
    );
  if (deadline !== noProgressDeadline && !isTrue('Progressing', 'NewReplicaSetAvailable')) {
    return inProgress('ReplicaSet not Available');
  }
  return isTrue('Available')
    ? current(`Deployment is available. Replicas: ${replicas}`)
    : inProgress('Deployment not Available');
}

function replicaSetStatus(object: KubeObject): StatusResult {
  if (conditionsOf(object).some(({ type, status }) => type === 'ReplicaFailure' && status === 'True')) {
    return inProgress('Replica Failure condition. Check Pods');
  }
  const wanted = integerAt(object, 'spec', 'replicas') ?? 1;
  const counters = [
    ['Labelled', 'fullyLabeledReplicas'],
    ['Available', 'availableReplicas'],
    ['Ready', 'readyReplicas'],
  ] as const;
  for (const [label, field] of counters) {
    const reached = integerAt(object, 'status', field) ?? 0;
    if (wanted > reached) return inProgress(`${label}: ${reached}/${wanted}`);
  }
  const replicas = integerAt(object, 'status', 'replicas') ?? 0;
  return replicas > wanted
    ? inProgress(`Pending termination: ${replicas - wanted}`)
    : current(`ReplicaSet is available. Replicas: ${replicas}`);
}

/** Flux waits for a Job to complete, where plain kstatus takes a started one for Current; no generic rule comes first. */
function jobStatus(object: KubeObject): StatusResult {
  if (fieldAt(object, 'spec', 'suspend') === true) return current('Job is suspended');
  const parallelism = integerAt(object, 'spec', 'parallelism') ?? 1;
  const completions = integerAt(object, 'spec', 'completions') ?? parallelism;
  const active = integerAt(object, 'status', 'active') ?? 0;
  const succeeded = integerAt(object, 'status', 'succeeded') ?? 0;
  const failures = integerAt(object, 'status', 'failed') ?? 0;
  for (const { type, status } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Complete') return current(`Job Completed. succeeded: ${succeeded}/${completions}`);
    if (type === 'Failed') return failed(`Job Failed. failed: ${failures}/${completions}`);
  }
  return textAt(object, 'status', 'startTime') === ''
    ? inProgress(`Job not started. active: 0/${parallelism}`)
    : inProgress(`Job in progress. success:${succeeded}, active: ${active}, failed: ${failures}`);
}

function definitionStatus(object: KubeObject): StatusResult {
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(message);
    if (type !== 'Established') continue;
    if (status === 'False' && reason !== 'Installing') return failed(message);
    if (status === 'True') return current('CRD is established');
  }
  return inProgress('Install in progress');
}
