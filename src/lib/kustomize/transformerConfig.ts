import { compareBytes } from './resource.ts';
import { isSelected, type Gvk } from './resId.ts';
import { fail } from './problem.ts';
import type { Place } from './node.ts';

/** A field of the objects of a kind: `spec/template/metadata/labels`; `[]` behind a name says it is a list. */
export interface FieldSpec extends Gvk {
  readonly path: string;
  readonly create: boolean;
}

/** Fields that hold names of objects of a kind. */
export interface BackReference extends Gvk {
  readonly referrers: readonly FieldSpec[];
}

/** The fields that each transformer works on: built-in ones, and those that `configurations` and `crds` add. */
export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly BackReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
}

export const emptyConfig: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

const fieldLists = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonAnnotations',
  'commonLabels',
  'labels',
  'templateLabels',
  'varReference',
  'images',
  'replicas',
] as const;

/** Both configurations in one, each list in upstream's order of kinds. Throws BuildFailure for conflicting entries. */
export function mergeConfigs(
  left: TransformerConfig,
  right: TransformerConfig,
  place: Place,
): TransformerConfig {
  if (left === right || right === emptyConfig) return left;
  let known = mergedConfigs.get(left);
  if (known === undefined) mergedConfigs.set(left, (known = new WeakMap()));
  let merged = known.get(right);
  if (merged === undefined) known.set(right, (merged = merge(left, right, place)));
  return merged;
}

/** Nearly every merge is that of the built-in configuration with itself. */
const mergedConfigs = new WeakMap<TransformerConfig, WeakMap<TransformerConfig, TransformerConfig>>();

function merge(left: TransformerConfig, right: TransformerConfig, place: Place): TransformerConfig {
  const merged: Record<string, unknown> = {};
  for (const name of fieldLists) merged[name] = sorted(mergeFieldSpecs(left[name], right[name], place));
  const references = [...left.nameReference];
  for (const reference of right.nameReference) addBackReference(references, reference, place);
  return { ...(merged as unknown as TransformerConfig), nameReference: sorted(references) };
}

export function mergeFieldSpecs(
  left: readonly FieldSpec[],
  right: readonly FieldSpec[],
  place: Place,
): readonly FieldSpec[] {
  const merged = [...left];
  for (const spec of right) {
    const existing = merged.find((other) => isSelected(other, spec) && other.path === spec.path);
    if (existing === undefined) merged.push(spec);
    else if (existing.create !== spec.create)
      fail(
        'kustomization-invalid',
        `the field ${spec.path} of ${spec.kind || 'any kind'} is listed with create and without`,
        place,
        'give both entries the same create',
      );
  }
  return merged;
}

function addBackReference(references: BackReference[], added: BackReference, place: Place): void {
  const index = references.findIndex(
    (reference) =>
      reference.group === added.group && reference.version === added.version && reference.kind === added.kind,
  );
  const existing = references[index];
  if (existing === undefined) references.push(added);
  else
    references[index] = {
      ...existing,
      referrers: mergeFieldSpecs(existing.referrers, added.referrers, place),
    };
}

const first = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const last = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** The kinds that come first and last in upstream's legacy order. */
export const legacyOrder = { first, last } as const;

export function sorted<T extends Gvk>(list: readonly T[]): readonly T[] {
  return list.length < 2 ? list : list.toSorted(compareKinds);
}

/** The place of a kind in an order given by the kinds that come first and last; 0 for those between. */
export function kindRank(
  kind: string,
  order: { readonly first: readonly string[]; readonly last: readonly string[] },
): number {
  const lastIndex = order.last.lastIndexOf(kind);
  if (lastIndex >= 0) return lastIndex + 1;
  const index = order.first.lastIndexOf(kind);
  return index < 0 ? 0 : index - order.first.length;
}

function compareKinds(left: Gvk, right: Gvk): number {
  return (
    kindRank(left.kind, legacyOrder) - kindRank(right.kind, legacyOrder) ||
    compareBytes(sortText(left), sortText(right))
  );
}

/** The text upstream compares kinds by. */
export function sortText({ group, version, kind }: Gvk): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}
