import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { joinPointer } from '../kube/jsonPointer.ts';
import {
  emptyFieldSet,
  fieldsBelow,
  listElements,
  managedFieldsOf,
  unionFields,
  type FieldSet,
  type ManagedFieldsEntry,
} from '../kube/managedFields.ts';
import type { KubeObject } from '../kube/object.ts';
import { asksFor, type Owner } from './owner.ts';

/** What upstream does to a live object before it applies: drop old marks, and take fields over from kubectl and the like. */
export interface TakeOver {
  /** JSON patch operations, without the one that names the resourceVersion. */
  readonly operations: readonly JsonObject[];
  /** The field sets that pass to the owner. */
  readonly taken: FieldSet;
  readonly takenEntries: readonly ManagedFieldsEntry[];
}

const staleAnnotations = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
];
const staleLabels = ['fluxcd.io/sync-gc-mark'];

/**
 * The patch that precedes the apply, or undefined when none is needed. Follows fluxcd/pkg ssa cleanupMetadata and
 * PatchReplaceFieldsManagers: manager names match by prefix, entries of subresources stay.
 */
export function takeOverOf(
  desired: KubeObject,
  live: KubeObject,
  owner: Owner,
  overrideManagers: readonly string[],
): TakeOver | undefined {
  if (asksFor(desired, 'merge', owner) || asksFor(live, 'merge', owner)) return undefined;
  const { annotations = {}, labels = {} } = live.metadata;
  const entries = managedFieldsOf(live);
  const takenEntries = entries.filter((entry) => isTakenOver(entry, owner, overrideManagers));
  const operations: JsonObject[] = [
    ...staleAnnotations.flatMap((key) =>
      annotations[key] === undefined ? [] : [remove(joinPointer('/metadata/annotations', key))],
    ),
    ...staleLabels.flatMap((key) =>
      labels[key] === undefined ? [] : [remove(joinPointer('/metadata/labels', key))],
    ),
  ];
  if (takenEntries.length > 0)
    operations.push({
      op: 'replace',
      path: '/metadata/managedFields',
      value: handedOver(entries, takenEntries, owner),
    });
  if (operations.length === 0) return undefined;
  return { operations, taken: unionOf(takenEntries), takenEntries };
}

function remove(path: string): JsonObject {
  return { op: 'remove', path };
}

function isTakenOver(entry: ManagedFieldsEntry, owner: Owner, overrideManagers: readonly string[]): boolean {
  if (entry.subresource !== undefined && entry.subresource !== '') return false;
  const { manager = '', operation } = entry;
  const both = ['kubectl', ...overrideManagers];
  const updates = [...both, 'before-first-apply', owner.fieldManager];
  return (operation === 'Update' ? updates : both).some((name) => manager.startsWith(name));
}

/** The entries with those taken over merged into the owner's Apply entry, which comes last. */
function handedOver(
  entries: readonly ManagedFieldsEntry[],
  takenEntries: readonly ManagedFieldsEntry[],
  owner: Owner,
): readonly ManagedFieldsEntry[] {
  const own = entries.findLast(
    (entry) => entry.manager === owner.fieldManager && entry.operation === 'Apply',
  );
  const others = entries.filter((entry) => entry !== own && !takenEntries.includes(entry));
  const [first, ...rest] = own === undefined ? takenEntries : [own, ...takenEntries];
  if (first === undefined) return entries;
  const merged: ManagedFieldsEntry = {
    ...first,
    manager: owner.fieldManager,
    operation: 'Apply',
    fieldsV1: unionOf([first, ...rest]),
  };
  return [...others, merged];
}

function unionOf(entries: readonly ManagedFieldsEntry[]): FieldSet {
  return entries.map((entry) => entry.fieldsV1 ?? emptyFieldSet).reduce(unionFields, emptyFieldSet);
}

/**
 * What the apply leaves behind when the take-over comes first: the dry-run's result without the fields that pass to the owner,
 * that the desired object does not set, and that nobody else owns. No dry-run shows this (contract 1.6).
 */
export function afterTakeOver(dryRun: KubeObject, takeOver: TakeOver): KubeObject {
  const entries = managedFieldsOf(dryRun);
  const keepers = entries.filter(
    (entry) => !takeOver.takenEntries.some((taken) => isSameManager(taken, entry)),
  );
  const keepingSets = keepers.map((entry) => entry.fieldsV1 ?? emptyFieldSet);
  const pruned = withoutFields(dryRun, takeOver.taken, keepingSets) as KubeObject;
  const { annotations, labels, ...metadata } = pruned.metadata;
  return {
    ...pruned,
    metadata: {
      ...metadata,
      name: dryRun.metadata.name,
      ...withoutKeys('annotations', annotations, staleAnnotations),
      ...withoutKeys('labels', labels, staleLabels),
    },
  };
}

function isSameManager(left: ManagedFieldsEntry, right: ManagedFieldsEntry): boolean {
  return (
    left.manager === right.manager &&
    left.operation === right.operation &&
    (left.subresource ?? '') === (right.subresource ?? '') &&
    left.apiVersion === right.apiVersion
  );
}

function withoutKeys(
  member: 'annotations' | 'labels',
  map: Readonly<Record<string, string>> | undefined,
  keys: readonly string[],
): { readonly [member: string]: Readonly<Record<string, string>> } {
  if (map === undefined) return {};
  return { [member]: Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key))) };
}

/** Removes the members of `taken` that are in none of `kept`, and what stood only to hold them. */
function withoutFields(value: JsonValue, taken: FieldSet, kept: readonly FieldSet[]): JsonValue {
  if (Array.isArray(value)) return withoutItems(value as readonly JsonValue[], taken, kept);
  if (!isJsonObject(value)) return value;
  const result: Record<string, JsonValue | undefined> = { ...value };
  for (const [element, below] of Object.entries(taken)) {
    if (!element.startsWith('f:')) continue;
    const name = element.slice(2);
    const member = value[name];
    if (member === undefined || below === undefined) continue;
    const remaining = withoutMember(member, element, below, kept);
    if (remaining === undefined) delete result[name];
    else result[name] = remaining;
  }
  return result;
}

function withoutItems(
  items: readonly JsonValue[],
  taken: FieldSet,
  kept: readonly FieldSet[],
): readonly JsonValue[] {
  const elements = listElements(items, [taken, ...kept]);
  return items.flatMap((item, index) => {
    const element = elements[index] as string;
    const below = taken[element];
    if (below === undefined) return [item];
    const remaining = withoutMember(item, element, below, kept);
    return remaining === undefined ? [] : [remaining];
  });
}

function withoutMember(
  member: JsonValue,
  element: string,
  taken: FieldSet,
  kept: readonly FieldSet[],
): JsonValue | undefined {
  const keptBelow = kept.flatMap((set) => fieldsBelow(set, element));
  const isMember = element.startsWith('f:') || taken['.'] !== undefined || isLeaf(taken);
  if (isMember && keptBelow.length === 0) return undefined;
  // Somebody else owns it as a whole.
  if (keptBelow.some(isLeaf)) return member;
  return withoutFields(member, taken, keptBelow);
}

function isLeaf(set: FieldSet): boolean {
  return Object.keys(set).length === 0;
}
