/** The controllers of Flux, by the names of their Deployments and ServiceAccounts; their Leases make up an installation. */
export const controllerNames = [
  'source-controller',
  'kustomize-controller',
  'helm-controller',
  'notification-controller',
  'image-reflector-controller',
  'image-automation-controller',
  'source-watcher',
] as const;

export type ControllerName = (typeof controllerNames)[number];

const controllerByGroup: Readonly<Record<string, ControllerName>> = {
  'source.toolkit.fluxcd.io': 'source-controller',
  'kustomize.toolkit.fluxcd.io': 'kustomize-controller',
  'helm.toolkit.fluxcd.io': 'helm-controller',
  'notification.toolkit.fluxcd.io': 'notification-controller',
  'source.extensions.fluxcd.io': 'source-watcher',
  'image.toolkit.fluxcd.io': 'image-reflector-controller',
};

/** The controller that reconciles a kind of the Flux API; undefined for any other kind. */
export function controllerOfKind(group: string, kind: string): ControllerName | undefined {
  return kind === 'ImageUpdateAutomation' ? 'image-automation-controller' : controllerByGroup[group];
}
