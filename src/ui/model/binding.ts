import type { StatusView } from '../../protocol/views.ts';

/** The cluster this workspace works with. Kept in the workspace's own memory, which no repository can write. */
export interface Binding {
  readonly context: string;
  /** Unknown until the cluster has answered for the first time. */
  readonly clusterUid?: string;
  /** Where in the folder the cluster's Kustomizations begin; known for a cluster that was found by the folder's remotes. */
  readonly path?: string;
  /** Who named the context: the user in this window, the setting, or the kubeconfig when nobody else did. */
  readonly from: 'chosen' | 'setting' | 'currentContext';
}

/** A cluster that was found by the remotes of the folder. */
export interface FoundCluster {
  readonly uid: string;
  readonly path: string;
}

/**
 * The binding to a context that the user named. One that was bound before keeps its cluster: when the context has come to
 * lead to another one meanwhile, that is asked about, not taken over.
 */
export function chosenBinding(
  context: string,
  known: readonly Binding[],
  found: FoundCluster | undefined,
): Binding {
  const before = known.find((binding) => binding.context === context);
  const clusterUid = before?.clusterUid ?? found?.uid;
  const path = found?.path ?? before?.path;
  return {
    context,
    from: 'chosen',
    ...(clusterUid !== undefined && { clusterUid }),
    ...(path !== undefined && { path }),
  };
}

/** All clusters the workspace was bound to, the latest first, one per context. */
export function remembered(known: readonly Binding[], binding: Binding): readonly Binding[] {
  return [binding, ...known.filter(({ context }) => context !== binding.context)];
}

/** What is to be done about the binding after the engine has spoken. */
export type BindingStep =
  | { readonly type: 'keep' }
  /** The first answer of the cluster: from now on this is the one, whatever the kubeconfig says later. */
  | { readonly type: 'bind'; readonly binding: Binding }
  /** The context leads to another cluster than the one that was bound. */
  | { readonly type: 'ask'; readonly context: string };

/** The binding that still counts beside the setting: an older proposal gives way to a setting, a choice does not. */
export function bindingFor(binding: Binding | undefined, setting: string): Binding | undefined {
  if (binding === undefined || binding.from === 'chosen') return binding;
  if (setting === '') return binding.from === 'currentContext' ? binding : undefined;
  return binding.context === setting ? binding : undefined;
}

/** Compares the binding with the cluster that answered. */
export function bindingStep(
  binding: Binding | undefined,
  setting: string,
  status: StatusView | undefined,
): BindingStep {
  const cluster = status?.cluster;
  if (cluster?.uid === undefined || !cluster.reachable) return { type: 'keep' };
  const { context, uid } = cluster;
  // An engine that was started before the choice still speaks of the cluster before.
  if (binding !== undefined && binding.context !== context) return { type: 'keep' };
  if (binding?.clusterUid === undefined) {
    const from = binding?.from ?? (setting === '' ? 'currentContext' : 'setting');
    return { type: 'bind', binding: { ...binding, context, clusterUid: uid, from } };
  }
  return binding.clusterUid === uid ? { type: 'keep' } : { type: 'ask', context };
}
