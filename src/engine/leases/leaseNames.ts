import { sha256Hex } from '../../base/digest.ts';
import { isJsonObject, type JsonValue } from '../../base/json.ts';
import { flagsOfDeployment, flagValue, parseGoBoolean } from '../../flux/controllerFlags.ts';
import { controllerNames } from '../../flux/controllerNames.ts';
import type { KubeObject } from '../../kube/object.ts';

export const defaultInstallNamespace = 'flux-system';

/** A Lease to hold or to judge, and the Deployment it belongs to when there is one. */
export interface LeaseTarget {
  readonly controller: string;
  readonly namespace: string;
  readonly leaseName: string;
  readonly deployment?: {
    readonly name: string;
    readonly replicas: number;
    readonly ready: boolean;
    readonly electsLeader: boolean;
  };
}

/**
 * Every Lease of the installation: one per controller Deployment, also at zero replicas, under the name upstream computes;
 * for controllers without a Deployment the plain name, in their namespace or that of a local-mode installation. Contract 0.11.
 */
export function leaseTargets(
  deployments: readonly KubeObject[],
  localNamespace: string,
): readonly LeaseTarget[] {
  const installed = deployments.flatMap((deployment) => targetOf(deployment) ?? []);
  const namespace = installed[0]?.namespace ?? localNamespace;
  const missing = controllerNames
    .filter((controller) => !installed.some((target) => target.controller === controller))
    .map((controller) => ({ controller, namespace, leaseName: leaseNameOf(controller, '') }));
  return [...installed, ...missing];
}

/** `<controller>-leader-election`, with 8 hex digits of the selector's sha256 when there is one; notification-controller never has them. */
export function leaseNameOf(controller: string, watchLabelSelector: string): string {
  const plain = `${controller}-leader-election`;
  if (watchLabelSelector === '' || controller === 'notification-controller') return plain;
  return `${plain}-${sha256Hex(watchLabelSelector).slice(0, 8)}`;
}

/** The controller whose Lease has that name, with or without a shard's suffix; undefined for Leases of anything else. */
export function controllerOfLease(leaseName: string): string | undefined {
  const [, name] = /^(.+)-leader-election(?:-[0-9a-f]{8})?$/.exec(leaseName) ?? [];
  return controllerNames.find((controller) => controller === name);
}

function targetOf(deployment: KubeObject): LeaseTarget | undefined {
  const labels = deployment.metadata.labels ?? {};
  const name = deployment.metadata.name;
  const component = labels['app.kubernetes.io/component'] ?? name;
  // A shard's Deployment has a name of its own; the component label or the name's ending tells the controller.
  const controller = controllerNames.find(
    (known) => component === known || name === known || name.startsWith(`${known}-`),
  );
  if (controller === undefined) return undefined;
  const flags = flagsOfDeployment(deployment);
  return {
    controller,
    namespace: deployment.metadata.namespace ?? defaultInstallNamespace,
    leaseName: leaseNameOf(controller, flagValue(flags, 'watch-label-selector') ?? ''),
    deployment: {
      name,
      replicas: numberAt(deployment['spec'], 'replicas') ?? 1,
      ready: (numberAt(deployment['status'], 'readyReplicas') ?? 0) > 0,
      electsLeader: parseGoBoolean(flagValue(flags, 'enable-leader-election')) ?? false,
    },
  };
}

function numberAt(value: JsonValue | undefined, key: string): number | undefined {
  const found = isJsonObject(value) ? value[key] : undefined;
  return typeof found === 'number' ? found : undefined;
}
