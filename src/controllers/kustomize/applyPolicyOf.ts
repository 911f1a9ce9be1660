import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { type ControllerProfile, isGateOn } from '../../flux/controllerProfile.ts';
import { kustomizeGroup, ownershipLabels } from '../../flux/ownership.ts';
import { rightsOf, serviceAccountUser } from '../../flux/rights.ts';
import type { ApplyPolicy } from '../../ssa/applyPolicy.ts';
import type { TokenIdentity } from '../../ssa/configMapKubeconfig.ts';
import type { IgnoreRule } from '../../ssa/ignoreRules.ts';
import type { PruneRules } from '../../ssa/pruneStale.ts';
import { targetCluster, type TargetCluster } from '../../ssa/targetCluster.ts';
import type { KustomizeContext } from './kustomizeContext.ts';

/** How the Kustomization's objects are applied: by its own fields and the flags of its controller. */
export function applyPolicyOf(kustomization: Kustomization, profile: ControllerProfile): ApplyPolicy {
  const { metadata, spec } = kustomization;
  return {
    owner: {
      fieldManager: 'kustomize-controller',
      group: kustomizeGroup,
      object: { namespace: metadata.namespace ?? '', name: metadata.name },
    },
    force: spec.force === true,
    ignore: [...(spec.ignore ?? []), ...handedOver(profile), ...keptSuspended(profile)],
    overrideManagers: profile.overrideManagers,
    customStageKinds: profile.customApplyStageKinds.map((text) => {
      const slash = text.lastIndexOf('/');
      return { group: text.slice(0, Math.max(slash, 0)), kind: text.slice(slash + 1) };
    }),
  };
}

/** Git says one replica of each controller; while Plumb reconciles in their place that would start them again. */
function handedOver({ handedOverIn = [] }: ControllerProfile): readonly IgnoreRule[] {
  return handedOverIn.map((namespace) => ({
    paths: ['/spec/replicas'],
    target: { kind: 'Deployment', namespace, labelSelector: 'app.kubernetes.io/part-of=flux' },
  }));
}

/** A parent that runs here must not resume what is overridden below it. */
function keptSuspended({ keptSuspended: refs = [] }: ControllerProfile): readonly IgnoreRule[] {
  return refs.map(({ namespace = '', name }) => ({
    paths: ['/spec/suspend'],
    target: {
      group: literally(kustomizeGroup),
      kind: 'Kustomization',
      namespace: literally(namespace),
      name: literally(name),
    },
  }));
}

/** Names consist of letters, digits, dashes and dots. */
function literally(name: string): string {
  return name.replaceAll('.', '\\.');
}

/** Which of its former objects a Kustomization deletes: its own, unless they ask to be left alone. */
export function pruneRulesOf({ metadata }: Kustomization): PruneRules {
  const { name, namespace = '' } = metadata;
  return {
    ownerLabels: ownershipLabels({ name, namespace }),
    keepWhen: {
      [`${kustomizeGroup}/prune`]: 'disabled',
      [`${kustomizeGroup}/reconcile`]: 'disabled',
      [`${kustomizeGroup}/ssa`]: 'Ignore',
    },
  };
}

/** The cluster the Kustomization's objects are written to, with the rights the controller would use. */
export function openTarget(ctx: KustomizeContext, kustomization: Kustomization): Promise<TargetCluster> {
  const { profile } = ctx;
  const { serviceAccount, kubeConfig } = rightsOf(kustomization, profile);
  const user =
    serviceAccount === undefined
      ? ctx.controllerUser
      : { userName: serviceAccountUser(serviceAccount), groups: [] };
  return targetCluster(ctx, {
    ...(user !== undefined && { user }),
    ...(kubeConfig?.type === 'secret' && { kubeConfigSecret: kubeConfig }),
    ...(kubeConfig?.type === 'configMap' && {
      kubeConfigMap: { ...kubeConfig, identity: tokenIdentityOf(profile) },
    }),
    policy: {
      allowExec: profile.insecureKubeConfigExec,
      allowInsecureTls: profile.insecureKubeConfigTls,
    },
  });
}

function tokenIdentityOf(profile: ControllerProfile): TokenIdentity {
  const { runtimeNamespace, serviceAccount, defaultKubeConfigServiceAccount } = profile;
  return {
    controller: { namespace: runtimeNamespace, name: serviceAccount },
    ...(defaultKubeConfigServiceAccount !== undefined && { defaultAccount: defaultKubeConfigServiceAccount }),
    mayNameAccount: isGateOn(profile, 'ObjectLevelWorkloadIdentity'),
  };
}
