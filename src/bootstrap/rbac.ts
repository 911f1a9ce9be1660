import type { JsonObject } from '../base/json.ts';
import { controllerNames } from '../flux/controllerNames.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import type { KubeObject } from '../kube/object.ts';

const rbacApiVersion = 'rbac.authorization.k8s.io/v1';
const readVerbs = ['get', 'list', 'watch'];
const writeVerbs = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const clusterAdmins = ['kustomize-controller', 'helm-controller'] as const;

/**
 * What upstream's installation grants, under upstream's names: the controllers read and write Flux objects, two of them are
 * cluster-admin, and users with view, edit or admin see or change Flux objects. Contract 7.1.
 */
export function controllerRbac(namespace: string): readonly KubeObject[] {
  const fluxGroups = [...new Set<string>(fluxKinds.map(({ group }) => group))];
  const accounts = (names: readonly string[]): readonly JsonObject[] =>
    names.map((name) => ({ kind: 'ServiceAccount', name, namespace }));
  return [
    clusterRole(`crd-controller-${namespace}`, controllerRules(fluxGroups)),
    clusterRole(
      `flux-edit-${namespace}`,
      [{ apiGroups: fluxGroups, resources: ['*'], verbs: writeVerbs }],
      ['edit', 'admin'],
    ),
    clusterRole(
      `flux-view-${namespace}`,
      [{ apiGroups: fluxGroups, resources: ['*'], verbs: readVerbs }],
      ['view', 'edit', 'admin'],
    ),
    clusterRoleBinding(`cluster-reconciler-${namespace}`, 'cluster-admin', accounts(clusterAdmins)),
    clusterRoleBinding(
      `crd-controller-${namespace}`,
      `crd-controller-${namespace}`,
      accounts(controllerNames),
    ),
  ];
}

function controllerRules(fluxGroups: readonly string[]): readonly JsonObject[] {
  return [
    ...fluxGroups.map((group) => ({ apiGroups: [group], resources: ['*'], verbs: ['*'] })),
    {
      apiGroups: [''],
      resources: ['namespaces', 'secrets', 'configmaps', 'serviceaccounts'],
      verbs: readVerbs,
    },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: [...readVerbs, 'create', 'update', 'patch', 'delete'],
    },
    { apiGroups: [''], resources: ['configmaps/status'], verbs: ['get', 'update', 'patch'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: [...readVerbs, 'create', 'update', 'patch', 'delete'],
    },
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
    { nonResourceURLs: ['/livez/ping'], verbs: ['head'] },
  ];
}

function clusterRole(
  name: string,
  rules: readonly JsonObject[],
  aggregateTo: readonly string[] = [],
): KubeObject {
  const labels = aggregateTo.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']);
  return {
    apiVersion: rbacApiVersion,
    kind: 'ClusterRole',
    metadata: {
      name,
      ...(labels.length > 0 && { labels: Object.fromEntries(labels) as Record<string, string> }),
    },
    rules,
  };
}

function clusterRoleBinding(name: string, role: string, subjects: readonly JsonObject[]): KubeObject {
  return {
    apiVersion: rbacApiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects,
  };
}
