/** A version of a kind that servers have stopped serving. */
export interface RemovedVersion {
  /** The release that stopped serving it, `Kubernetes 1.22` or `Flux 2.8`. */
  readonly since: string;
  /** The apiVersion to write instead; undefined when the kind is gone. */
  readonly replacement: string | undefined;
}

/** Group and version → release, apiVersion instead, and the kinds it holds for (all when empty). */
type Row = readonly [groupVersion: string, since: string, replacement: string, ...kinds: readonly string[]];

const rows: readonly Row[] = [
  ['extensions/v1beta1', 'Kubernetes 1.16', 'apps/v1', 'DaemonSet', 'Deployment', 'ReplicaSet'],
  ['extensions/v1beta1', 'Kubernetes 1.16', 'networking.k8s.io/v1', 'NetworkPolicy'],
  ['extensions/v1beta1', 'Kubernetes 1.22', 'networking.k8s.io/v1', 'Ingress'],
  ['extensions/v1beta1', 'Kubernetes 1.16', '', 'PodSecurityPolicy'],
  ['apps/v1beta1', 'Kubernetes 1.16', 'apps/v1'],
  ['apps/v1beta2', 'Kubernetes 1.16', 'apps/v1'],
  ['admissionregistration.k8s.io/v1beta1', 'Kubernetes 1.22', 'admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
  ['apiextensions.k8s.io/v1beta1', 'Kubernetes 1.22', 'apiextensions.k8s.io/v1'],
  ['apiregistration.k8s.io/v1beta1', 'Kubernetes 1.22', 'apiregistration.k8s.io/v1'],
  ['autoscaling/v2beta1', 'Kubernetes 1.25', 'autoscaling/v2'],
  ['autoscaling/v2beta2', 'Kubernetes 1.26', 'autoscaling/v2'],
  ['batch/v1beta1', 'Kubernetes 1.25', 'batch/v1', 'CronJob'],
  ['batch/v2alpha1', 'Kubernetes 1.21', 'batch/v1', 'CronJob'],
  ['certificates.k8s.io/v1beta1', 'Kubernetes 1.22', 'certificates.k8s.io/v1', 'CertificateSigningRequest'],
  ['coordination.k8s.io/v1beta1', 'Kubernetes 1.22', 'coordination.k8s.io/v1', 'Lease'],
  ['discovery.k8s.io/v1beta1', 'Kubernetes 1.25', 'discovery.k8s.io/v1'],
  ['events.k8s.io/v1beta1', 'Kubernetes 1.25', 'events.k8s.io/v1'],
  ['flowcontrol.apiserver.k8s.io/v1beta1', 'Kubernetes 1.26', 'flowcontrol.apiserver.k8s.io/v1'],
  ['flowcontrol.apiserver.k8s.io/v1beta2', 'Kubernetes 1.29', 'flowcontrol.apiserver.k8s.io/v1'],
  ['flowcontrol.apiserver.k8s.io/v1beta3', 'Kubernetes 1.32', 'flowcontrol.apiserver.k8s.io/v1'],
  ['networking.k8s.io/v1beta1', 'Kubernetes 1.22', 'networking.k8s.io/v1', 'Ingress', 'IngressClass'],
  ['node.k8s.io/v1beta1', 'Kubernetes 1.25', 'node.k8s.io/v1', 'RuntimeClass'],
  ['policy/v1beta1', 'Kubernetes 1.25', 'policy/v1', 'PodDisruptionBudget'],
  ['policy/v1beta1', 'Kubernetes 1.25', '', 'PodSecurityPolicy'],
  ['rbac.authorization.k8s.io/v1alpha1', 'Kubernetes 1.22', 'rbac.authorization.k8s.io/v1'],
  ['rbac.authorization.k8s.io/v1beta1', 'Kubernetes 1.22', 'rbac.authorization.k8s.io/v1'],
  ['scheduling.k8s.io/v1beta1', 'Kubernetes 1.22', 'scheduling.k8s.io/v1', 'PriorityClass'],
  ['storage.k8s.io/v1beta1', 'Kubernetes 1.22', 'storage.k8s.io/v1', 'CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment'],
  ['storage.k8s.io/v1beta1', 'Kubernetes 1.27', 'storage.k8s.io/v1', 'CSIStorageCapacity'],
  ['helm.toolkit.fluxcd.io/v2beta1', 'Flux 2.8', 'helm.toolkit.fluxcd.io/v2'],
  ['helm.toolkit.fluxcd.io/v2beta2', 'Flux 2.8', 'helm.toolkit.fluxcd.io/v2'],
  ['image.toolkit.fluxcd.io/v1alpha1', 'Flux 2.0', 'image.toolkit.fluxcd.io/v1'],
  ['image.toolkit.fluxcd.io/v1alpha2', 'Flux 2.0', 'image.toolkit.fluxcd.io/v1'],
  ['image.toolkit.fluxcd.io/v1beta1', 'Flux 2.7', 'image.toolkit.fluxcd.io/v1'],
  ['image.toolkit.fluxcd.io/v1beta2', 'Flux 2.9', 'image.toolkit.fluxcd.io/v1'],
  ['kustomize.toolkit.fluxcd.io/v1beta1', 'Flux 2.7', 'kustomize.toolkit.fluxcd.io/v1'],
  ['kustomize.toolkit.fluxcd.io/v1beta2', 'Flux 2.8', 'kustomize.toolkit.fluxcd.io/v1'],
  ['notification.toolkit.fluxcd.io/v1beta1', 'Flux 2.7', 'notification.toolkit.fluxcd.io/v1', 'Receiver'],
  ['notification.toolkit.fluxcd.io/v1beta2', 'Flux 2.9', 'notification.toolkit.fluxcd.io/v1', 'Receiver'],
  ['notification.toolkit.fluxcd.io/v1beta1', 'Flux 2.7', 'notification.toolkit.fluxcd.io/v1beta3', 'Alert', 'Provider'],
  ['notification.toolkit.fluxcd.io/v1beta2', 'Flux 2.9', 'notification.toolkit.fluxcd.io/v1beta3', 'Alert', 'Provider'],
  ['source.toolkit.fluxcd.io/v1beta1', 'Flux 2.7', 'source.toolkit.fluxcd.io/v1'],
  ['source.toolkit.fluxcd.io/v1beta2', 'Flux 2.8', 'source.toolkit.fluxcd.io/v1'],
];

/** Tells when and for what a version of a kind was removed; undefined when it was not. */
export function removedVersion(group: string, version: string, kind: string): RemovedVersion | undefined {
  const row = rows.find(
    ([groupVersion, , , ...kinds]) =>
      groupVersion === `${group}/${version}` && (kinds.length === 0 || kinds.includes(kind)),
  );
  if (row === undefined) return undefined;
  return { since: row[1], replacement: row[2] === '' ? undefined : row[2] };
}
