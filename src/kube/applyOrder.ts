import type { ObjectRef } from './object.ts';

/** Upstream's stages: what others need comes first. After `definitions` and `classes` an apply waits. */
export type ApplyStage = 'definitions' | 'classes' | 'custom' | 'rest';

export const applyStages: readonly ApplyStage[] = ['definitions', 'classes', 'custom', 'rest'];

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

const first = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const last = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const rank: ReadonlyMap<string, number> = new Map([
  ...first.map((kind, index) => [kind, index - first.length] as const),
  ...last.map((kind, index) => [kind, index + 1] as const),
]);

/** The stage an object is applied in; `customKinds` are those of `--custom-apply-stage-kinds`. */
export function stageOf(ref: ObjectRef, customKinds: readonly GroupKind[] = []): ApplyStage {
  const kind = ref.kind.toLowerCase();
  if (kind === 'customresourcedefinition' && ref.group === 'apiextensions.k8s.io') return 'definitions';
  if (kind === 'clusterrole' && ref.group === 'rbac.authorization.k8s.io') return 'definitions';
  if (kind === 'namespace' && ref.group === '' && ref.version === 'v1') return 'definitions';
  if (ref.kind.endsWith('Class')) return 'classes';
  return customKinds.some((custom) => custom.group === ref.group && custom.kind === ref.kind)
    ? 'custom'
    : 'rest';
}

/** Order within a stage: by kind as upstream ranks them, then group, kind, namespace, name. Prune goes the other way. */
export function compareApplyOrder(left: ObjectRef, right: ObjectRef): number {
  if (left.group !== right.group || left.kind !== right.kind)
    return (
      (rank.get(left.kind) ?? 0) - (rank.get(right.kind) ?? 0) ||
      compareText(left.group, right.group) ||
      compareText(left.kind, right.kind)
    );
  return compareText(left.namespace ?? '', right.namespace ?? '') || compareText(left.name, right.name);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
