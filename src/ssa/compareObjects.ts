import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { Origin } from '../base/position.ts';
import { diffFields, pointerOf, valueAt, type FieldDifference } from '../kube/diffFields.ts';
import {
  coversPath,
  emptyFieldSet,
  fieldsBelow,
  listElements,
  managedFieldsOf,
  type FieldPath,
  type FieldSet,
} from '../kube/managedFields.ts';
import type { BuiltObject } from '../kube/builtObject.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Owner } from './owner.ts';
import type { Cause, FieldChange, FieldOwner } from './plan.ts';

/** Tells whether the dry-run's result differs from the live object in what upstream compares (contract 1.6). */
export function hasDrifted(live: KubeObject, dryRun: KubeObject): boolean {
  return !equalJson(comparable(live), comparable(dryRun));
}

/** What is compared: labels, annotations, and everything but metadata and status. */
function comparable({
  apiVersion: _apiVersion,
  kind: _kind,
  metadata,
  status: _status,
  ...rest
}: KubeObject): JsonObject {
  const { labels = {}, annotations = {} } = metadata;
  return { ...rest, metadata: { labels, annotations } };
}

/** What `fieldChanges` needs beside the two versions. */
export interface Comparison {
  readonly built: BuiltObject;
  readonly live: KubeObject;
  readonly merged: KubeObject;
  /** The object whose managedFields name the items of lists, beside the live one: the dry-run's result. */
  readonly dryRun: KubeObject;
  readonly lastApplied?: KubeObject | undefined;
  readonly owner: Owner;
}

/** Every leaf in which the live object differs from what the apply will leave behind. */
export function fieldChanges(comparison: Comparison): readonly FieldChange[] {
  const { built, live, merged, dryRun } = comparison;
  const sets = [...fieldSetsOf(live), ...fieldSetsOf(dryRun)];
  return diffFields(comparable(live), comparable(merged), sets).map((difference) => {
    const { before, after, path } = difference;
    const origin = originOf(built, path, sets);
    return {
      pointer: pointerOf(built.object, path, sets) ?? difference.pointer,
      ...(after !== undefined && { desired: after }),
      ...(before !== undefined && { live: before }),
      cause: causeOf(difference, comparison, sets),
      owners: ownersOf(live, path),
      ...(origin !== undefined && { origin }),
    };
  });
}

function fieldSetsOf(object: KubeObject): readonly FieldSet[] {
  return managedFieldsOf(object).map((entry) => entry.fieldsV1 ?? emptyFieldSet);
}

/** The place that set the field or, for one that goes, the nearest field around it that Git has. */
function originOf(built: BuiltObject, path: FieldPath, sets: readonly FieldSet[]): Origin | undefined {
  for (let length = path.length; length >= 0; length--) {
    const pointer = pointerOf(built.object, path.slice(0, length), sets);
    if (pointer !== undefined) return built.origins.at(pointer);
  }
  return undefined;
}

/** Who owns the live value, as the server recorded it; newest entries last, as they stand. */
function ownersOf(live: KubeObject, path: FieldPath): readonly FieldOwner[] {
  return managedFieldsOf(live)
    .filter((entry) => coversPath(entry.fieldsV1 ?? emptyFieldSet, path))
    .map(({ manager = '', operation = 'Update', subresource, time }) => ({
      manager,
      operation,
      ...(subresource !== undefined && subresource !== '' && { subresource }),
      ...(time !== undefined && { time }),
    }));
}

function causeOf(
  { before, after, path }: FieldDifference,
  { live, lastApplied, owner, merged }: Comparison,
  sets: readonly FieldSet[],
): Cause {
  if (lastApplied !== undefined) {
    const applied = valueAt(comparable(lastApplied), path, sets);
    // Git never set it, so nobody can have edited it there: the value came from the cluster.
    if (applied === undefined && after !== undefined && !isSetBy(merged, owner, path)) return 'drifted';
    const drifted = !equalJson(applied, before);
    const edited = !equalJson(applied, after);
    return drifted && edited ? 'both' : drifted ? 'drifted' : edited ? 'edited' : 'unknown';
  }
  if (before === undefined) return 'unknown';
  const owners = ownersOf(live, path);
  if (owners.length === 0) return 'unknown';
  return owners.some((by) => by.manager === owner.fieldManager && by.operation === 'Apply')
    ? 'edited'
    : 'drifted';
}

function isSetBy(object: KubeObject, owner: Owner, path: FieldPath): boolean {
  return ownersOf(object, path).some(
    ({ manager, operation }) => manager === owner.fieldManager && operation === 'Apply',
  );
}

/**
 * What an apply would leave behind, computed without the server: the desired fields over the live ones, without those that our
 * manager owns and Git no longer sets. Knows no defaults and no admission: an approximation, to be called one.
 */
export function approximateMerge(desired: KubeObject, live: KubeObject, owner: Owner): KubeObject {
  const sets = fieldSetsOf(live);
  const own = managedFieldsOf(live).find(
    (entry) => entry.manager === owner.fieldManager && entry.operation === 'Apply',
  );
  const merged = mergeInto(live, desired, own?.fieldsV1 ?? emptyFieldSet, sets) as KubeObject;
  return { ...merged, metadata: { ...live.metadata, ...mergedMaps(merged) } };
}

function mergedMaps({ metadata }: KubeObject): JsonObject {
  const { labels, annotations } = metadata;
  return { ...(labels !== undefined && { labels }), ...(annotations !== undefined && { annotations }) };
}

function mergeInto(
  live: JsonValue | undefined,
  desired: JsonValue,
  own: FieldSet,
  sets: readonly FieldSet[],
): JsonValue {
  if (!isJsonObject(desired) || !isJsonObject(live)) return mergeItems(live, desired, own, sets);
  const result: Record<string, JsonValue | undefined> = {};
  for (const [name, value] of Object.entries(live)) {
    const isGone = desired[name] === undefined && own[`f:${name}`] !== undefined;
    if (!isGone) result[name] = value;
  }
  for (const [name, value] of Object.entries(desired))
    if (value !== undefined && value !== null)
      result[name] = mergeInto(
        live[name],
        value,
        own[`f:${name}`] ?? emptyFieldSet,
        belowOf(sets, `f:${name}`),
      );
  return result;
}

function mergeItems(
  live: JsonValue | undefined,
  desired: JsonValue,
  own: FieldSet,
  sets: readonly FieldSet[],
): JsonValue {
  const isKeyed = sets.some((set) => Object.keys(set).some((element) => element.startsWith('k:')));
  if (!Array.isArray(desired) || !Array.isArray(live) || !isKeyed) return desired;
  const [liveItems, desiredItems] = [live as readonly JsonValue[], desired as readonly JsonValue[]];
  const liveNames = listElements(liveItems, sets);
  const desiredNames = listElements(desiredItems, sets);
  const merged = desiredItems.map((item, index) => {
    const element = desiredNames[index] as string;
    return mergeInto(
      liveItems[liveNames.indexOf(element)],
      item,
      own[element] ?? emptyFieldSet,
      belowOf(sets, element),
    );
  });
  const others = liveItems.filter((_, index) => {
    const element = liveNames[index] as string;
    return !desiredNames.includes(element) && own[element] === undefined;
  });
  return [...merged, ...others];
}

function belowOf(sets: readonly FieldSet[], element: string): readonly FieldSet[] {
  return sets.flatMap((set) => fieldsBelow(set, element));
}
