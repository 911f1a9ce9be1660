import type { ControllerProfile } from './controllerProfile.ts';
import type { Kustomization } from './api/kustomize.gen.ts';

/** Whose rights a run writes with, and where. Nothing named means the controller's own, on the local cluster. */
export interface Rights {
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly kubeConfig?:
    | { readonly type: 'secret'; readonly namespace: string; readonly name: string; readonly key?: string }
    | { readonly type: 'configMap'; readonly namespace: string; readonly name: string };
}

type WithRights = Pick<Kustomization, 'metadata'> & {
  readonly spec: Pick<Kustomization['spec'], 'serviceAccountName' | 'kubeConfig'>;
};

/** The rights the controller would use for a Kustomization or HelmRelease: its own service account, else the default one. */
export function rightsOf(object: WithRights, profile: ControllerProfile): Rights {
  const namespace = object.metadata.namespace ?? '';
  const { serviceAccountName, kubeConfig } = object.spec;
  const name = [serviceAccountName, profile.defaultServiceAccount].find(
    (candidate) => candidate !== undefined && candidate !== '',
  );
  return {
    ...(name !== undefined && { serviceAccount: { namespace, name } }),
    ...(kubeConfig?.secretRef !== undefined && {
      kubeConfig: { type: 'secret', namespace, ...kubeConfig.secretRef },
    }),
    ...(kubeConfig?.secretRef === undefined &&
      kubeConfig?.configMapRef !== undefined && {
        kubeConfig: { type: 'configMap', namespace, name: kubeConfig.configMapRef.name },
      }),
  };
}

/** The user name that the API server knows a service account by. */
export function serviceAccountUser({
  namespace,
  name,
}: {
  readonly namespace: string;
  readonly name: string;
}): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** How the rights are shown before something is written with them. */
export function describeRights(rights: Rights): string {
  const who =
    rights.serviceAccount === undefined
      ? 'the controller'
      : `service account ${rights.serviceAccount.namespace}/${rights.serviceAccount.name}`;
  if (rights.kubeConfig === undefined) return who;
  const { type, namespace, name } = rights.kubeConfig;
  return `${who} on the cluster of ${type === 'secret' ? 'Secret' : 'ConfigMap'} ${namespace}/${name}`;
}
