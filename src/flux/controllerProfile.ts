import { parseDuration, type DurationMs } from '../base/duration.ts';
import type { KubeObject } from '../kube/object.ts';
import {
  flagsOfDeployment,
  flagValue,
  managerContainer,
  parseGoBoolean,
  podSpecOf,
} from './controllerFlags.ts';

/** What the installed kustomize-controller was told: policy and behaviour that a run in its place must keep. */
export interface ControllerProfile {
  /** Version of the kustomize-controller image, e.g. `v1.9.4`; absent without an install. */
  readonly version?: string;
  /** The namespace the controllers run in. */
  readonly runtimeNamespace: string;
  /** The service account it runs as. */
  readonly serviceAccount: string;
  readonly noCrossNamespaceRefs: boolean;
  readonly noRemoteBases: boolean;
  readonly defaultServiceAccount?: string;
  readonly defaultDecryptionServiceAccount?: string;
  readonly defaultKubeConfigServiceAccount?: string;
  readonly insecureKubeConfigExec: boolean;
  readonly insecureKubeConfigTls: boolean;
  /** Managers whose fields are taken over, besides the ones always taken over. */
  readonly overrideManagers: readonly string[];
  /** `group/Kind`, applied after classes and before the rest. */
  readonly customApplyStageKinds: readonly string[];
  readonly requeueDependency: DurationMs;
  /** Name of a Secret in the runtime namespace with fallback age keys. */
  readonly sopsAgeSecret?: string;
  readonly sopsVaultConfigMap?: string;
  readonly watchLabelSelector?: string;
  /** Labels of the ConfigMaps and Secrets whose change makes their readers run; all when empty. */
  readonly watchConfigsLabelSelector: string;
  /** False: only the runtime namespace is reconciled. */
  readonly watchAllNamespaces: boolean;
  readonly featureGates: Readonly<Record<string, boolean>>;
  /** Namespaces whose Flux Deployments this engine stands in for: their replicas stay as they are. None in observe mode. */
  readonly handedOverIn?: readonly string[];
  /** Kustomizations that this engine keeps suspended: whatever Git says of that, they stay so meanwhile. */
  readonly keptSuspended?: readonly { readonly namespace?: string; readonly name: string }[];
}

/** Flux 2.9 as its install manifests start it. */
export const defaultProfile: ControllerProfile = {
  runtimeNamespace: 'flux-system',
  serviceAccount: 'kustomize-controller',
  noCrossNamespaceRefs: false,
  noRemoteBases: false,
  insecureKubeConfigExec: false,
  insecureKubeConfigTls: false,
  overrideManagers: [],
  customApplyStageKinds: [],
  requeueDependency: 30_000,
  watchConfigsLabelSelector: 'reconcile.fluxcd.io/watch=Enabled',
  watchAllNamespaces: true,
  featureGates: { StrictPostBuildSubstitutions: true, DisableStatusPollerCache: true },
};

/** Tells whether a feature gate is on. */
export function isGateOn(profile: ControllerProfile, gate: string): boolean {
  return profile.featureGates[gate] ?? false;
}

/** The profile that a kustomize-controller Deployment says, whatever its number of replicas. */
export function profileOfDeployment(deployment: KubeObject): ControllerProfile {
  const container = managerContainer(deployment);
  const flags = flagsOfDeployment(deployment);
  const flag = (name: string): string | undefined => flagValue(flags, name);
  const isOn = (name: string, otherwise: boolean): boolean => parseGoBoolean(flag(name)) ?? otherwise;
  const optional = <K extends string>(key: K, name: string): Partial<Record<K, string>> => {
    const value = flag(name);
    return value === undefined || value === '' ? {} : ({ [key]: value } as Record<K, string>);
  };
  const version = /:(v?\d[^@]*)/.exec(String(container?.['image'] ?? ''))?.[1];
  return {
    ...(version !== undefined && { version }),
    runtimeNamespace: deployment.metadata.namespace ?? defaultProfile.runtimeNamespace,
    serviceAccount: serviceAccountOf(deployment),
    noCrossNamespaceRefs: isOn('no-cross-namespace-refs', false),
    noRemoteBases: isOn('no-remote-bases', false),
    ...optional('defaultServiceAccount', 'default-service-account'),
    ...optional('defaultDecryptionServiceAccount', 'default-decryption-service-account'),
    ...optional('defaultKubeConfigServiceAccount', 'default-kubeconfig-service-account'),
    insecureKubeConfigExec: isOn('insecure-kubeconfig-exec', false),
    insecureKubeConfigTls: isOn('insecure-kubeconfig-tls', false),
    overrideManagers: list(flags.get('override-manager')),
    customApplyStageKinds: list(flags.get('custom-apply-stage-kinds')),
    requeueDependency: parseDuration(flag('requeue-dependency') ?? '') ?? defaultProfile.requeueDependency,
    ...optional('sopsAgeSecret', 'sops-age-secret'),
    ...optional('sopsVaultConfigMap', 'sops-vault-configmap'),
    ...optional('watchLabelSelector', 'watch-label-selector'),
    watchConfigsLabelSelector:
      flag('watch-configs-label-selector') ?? defaultProfile.watchConfigsLabelSelector,
    watchAllNamespaces: isOn('watch-all-namespaces', true),
    featureGates: { ...defaultProfile.featureGates, ...readGates(list(flags.get('feature-gates'))) },
  };
}

/** Pods that name no account run as `default`. */
function serviceAccountOf(deployment: KubeObject): string {
  const podSpec = podSpecOf(deployment);
  if (podSpec === undefined) return defaultProfile.serviceAccount;
  const name = podSpec['serviceAccountName'];
  return typeof name === 'string' && name !== '' ? name : 'default';
}

function readGates(entries: readonly string[]): Readonly<Record<string, boolean>> {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const [name = '', value = ''] = entry.split('=');
      const isOn = parseGoBoolean(value);
      return isOn === undefined ? [] : [[name.trim(), isOn]];
    }),
  ) as Readonly<Record<string, boolean>>;
}

function list(values: readonly string[] | undefined): readonly string[] {
  return (values ?? [])
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}
