import { equalJson, isJsonObject, type JsonObject } from '../base/json.ts';
import { createMergePatch } from '../kube/mergePatch.ts';
import type { KubeObject } from '../kube/object.ts';
import { getCondition, removeCondition, sortConditions, type Conditions } from './conditions.ts';

/** What turns the object read at the start into the one of now, as the two merge patches the server takes. */
export interface StatusPatches {
  /** metadata and spec: finalizers and annotations. */
  readonly object?: JsonObject;
  /** status without its conditions, for the status subresource. */
  readonly status?: JsonObject;
  /** True when a condition was set or removed: they are merged into the latest object under its resourceVersion. */
  readonly conditionsChanged: boolean;
}

/** Follows fluxcd/pkg runtime/patch: what changed in the object, apart from what the server writes itself. */
export function statusPatches(before: KubeObject, after: KubeObject): StatusPatches {
  const object = createMergePatch(specPart(before), specPart(after));
  const status = createMergePatch(statusPart(before), statusPart(after));
  return {
    ...(object !== undefined && { object }),
    ...(status !== undefined && { status }),
    conditionsChanged: !equalJson(conditionsOf(before), conditionsOf(after)),
  };
}

/** The latest conditions with the changes between `before` and `after` made in them; ours win, those of others stay. */
export function rebaseConditions(before: KubeObject, after: KubeObject, latest: KubeObject): Conditions {
  const old = conditionsOf(before);
  const wanted = conditionsOf(after);
  let result = conditionsOf(latest);
  for (const { type } of old) {
    if (getCondition(wanted, type) === undefined) result = removeCondition(result, type);
  }
  for (const condition of wanted) {
    if (equalJson(getCondition(old, condition.type), condition)) continue;
    result = sortConditions([...removeCondition(result, condition.type), condition]);
  }
  return result;
}

/** `status.conditions`; empty when there are none. */
export function conditionsOf(object: KubeObject): Conditions {
  const status = object['status'];
  const conditions = isJsonObject(status) ? status['conditions'] : undefined;
  return Array.isArray(conditions) ? (conditions as unknown as Conditions) : [];
}

function specPart({ metadata, status: _status, ...rest }: KubeObject): JsonObject {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

function statusPart(object: KubeObject): JsonObject {
  if (!isJsonObject(object['status'])) return {};
  const { conditions: _conditions, ...status } = object['status'];
  return status;
}
