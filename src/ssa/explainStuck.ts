import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { computeStatus } from '../kube/kstatus.ts';
import { formatRef, refOf, type KubeObject } from '../kube/object.ts';
import type { RunContext } from './runContext.ts';

/** What the pods behind a workload say: whether one of them will never start, and why they are not ready. */
export interface PodReport {
  readonly failed: boolean;
  /** `Pod/web/app-1: ImagePullBackOff: …`, each reason once. */
  readonly reasons: readonly string[];
  /** Pods that have not become ready, the first few: their events may tell more. */
  readonly waiting: readonly KubeObject[];
}

const workloads = ['apps/Deployment', 'apps/StatefulSet', 'apps/ReplicaSet', 'apps/DaemonSet', 'batch/Job'];
/** Upstream looks at the pods of these, and calls them failed when one is (contract 0.10). */
const judgedByPods = ['apps/Deployment', 'apps/StatefulSet', 'apps/ReplicaSet'];
const mostReasons = 3;

/** Reads the pods that the workload selects, and its ReplicaSets when it has none. Undefined for other kinds. */
export async function explainStuck(ctx: RunContext, object: KubeObject): Promise<PodReport | undefined> {
  const { group, kind, namespace } = refOf(object);
  const labelSelector = selectorOf(object);
  if (!workloads.includes(`${group}/${kind}`) || labelSelector === undefined || namespace === undefined)
    return undefined;
  const list = async (listed: { group: string; version: string; kind: string }) => {
    const answer = await ctx.cluster.list(listed, { namespace, labelSelector }, ctx.signal);
    return answer.type === 'ok' ? answer.value : [];
  };
  const pods = await list({ group: '', version: 'v1', kind: 'Pod' });
  const now = ctx.clock.now();
  const failing = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      computeStatus(pod, now).status === 'Failed' &&
      conditionOf(pod, 'PodScheduled', 'False') === undefined,
  );
  const reasons =
    pods.length > 0
      ? pods.flatMap(podReasons)
      : [
          ...conditionReasons(object),
          ...(await list({ group: 'apps', version: 'v1', kind: 'ReplicaSet' })).flatMap(conditionReasons),
        ];
  return {
    failed: failing.length > 0 && judgedByPods.includes(`${group}/${kind}`),
    reasons: [...new Set(reasons)].slice(0, mostReasons),
    waiting: pods.filter((pod) => conditionOf(pod, 'Ready', 'True') === undefined).slice(0, mostReasons),
  };
}

function podReasons(pod: KubeObject): readonly string[] {
  const subject = formatRef(refOf(pod));
  const unscheduled = conditionOf(pod, 'PodScheduled', 'False');
  if (unscheduled !== undefined)
    return [`${subject}: ${textOf(unscheduled['reason'])}: ${textOf(unscheduled['message'])}`];
  const status = isJsonObject(pod['status']) ? pod['status'] : {};
  const containers = [...objects(status['initContainerStatuses']), ...objects(status['containerStatuses'])];
  return containers.flatMap((container) => {
    const state = isJsonObject(container['state']) ? container['state'] : {};
    const waiting = isJsonObject(state['waiting']) ? state['waiting'] : undefined;
    const reason = textOf(waiting?.['reason']);
    if (waiting === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing') return [];
    const message = textOf(waiting['message']);
    return [`${subject}: ${reason}${message === '' ? '' : `: ${message}`}`];
  });
}

/** `ReplicaFailure` of a ReplicaSet or Deployment: a quota, a missing service account, a refused admission. */
function conditionReasons(object: KubeObject): readonly string[] {
  const failure = conditionOf(object, 'ReplicaFailure', 'True');
  return failure === undefined
    ? []
    : [`${formatRef(refOf(object))}: ${textOf(failure['reason'])}: ${textOf(failure['message'])}`];
}

function conditionOf(object: KubeObject, type: string, status: string): JsonObject | undefined {
  const conditions = isJsonObject(object['status']) ? object['status']['conditions'] : undefined;
  return objects(conditions).find(
    (condition) => condition['type'] === type && condition['status'] === status,
  );
}

/** The label selector of a workload as text; undefined when it has none that can be written so. */
function selectorOf(object: KubeObject): string | undefined {
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  const selector = isJsonObject(spec['selector']) ? spec['selector'] : {};
  const labels = isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {};
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return pairs.length === 0 ? undefined : pairs.join(',');
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
