import { sha256Hex } from '../base/digest.ts';
import { mapLimit } from '../base/mapLimit.ts';
import type { ListOptions } from '../clients/cluster/clusterClient.ts';
import type { ObjectRef } from '../kube/object.ts';
import { callLimit } from './callLimit.ts';
import type { RunContext } from './runContext.ts';

/** What else than the objects decides a dry-run's result. `complete` is false when part of it could not be read. */
export interface AdmissionEpoch {
  readonly hash: string;
  readonly complete: boolean;
}

type Kind = Pick<ObjectRef, 'group' | 'version' | 'kind'>;

const admission = { group: 'admissionregistration.k8s.io', version: 'v1' };
const clusterWide: readonly Kind[] = [
  { ...admission, kind: 'ValidatingWebhookConfiguration' },
  { ...admission, kind: 'MutatingWebhookConfiguration' },
  { ...admission, kind: 'ValidatingAdmissionPolicy' },
  { ...admission, kind: 'ValidatingAdmissionPolicyBinding' },
  { ...admission, kind: 'MutatingAdmissionPolicy' },
  { ...admission, kind: 'MutatingAdmissionPolicyBinding' },
  { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
];
const namespaceKind: Kind = { group: '', version: 'v1', kind: 'Namespace' };
const limitRangeKind: Kind = { group: '', version: 'v1', kind: 'LimitRange' };

/**
 * The epoch of each namespace, cluster-scoped objects under '': the server's version and what webhook configurations,
 * admission policies and bindings, CRDs, the Namespace and its LimitRanges say. A policy changes a dry-run while the object's
 * own resourceVersion stays.
 */
export async function admissionEpochs(
  ctx: RunContext,
  namespaces: readonly string[],
): Promise<ReadonlyMap<string, AdmissionEpoch>> {
  const reads: (readonly [Kind, ListOptions])[] = [
    ...clusterWide.map((kind) => [kind, {}] as const),
    ...namespaces.flatMap((namespace) => [
      [namespaceKind, { fieldSelector: `metadata.name=${namespace}` }] as const,
      [limitRangeKind, { namespace }] as const,
    ]),
  ];
  const [version, parts] = await Promise.all([
    ctx.cluster.raw('/version', ctx.signal),
    mapLimit(reads, callLimit, ([kind, options]) => versionsOf(ctx, kind, options), ctx.signal),
  ]);
  const shared = parts.slice(0, clusterWide.length);
  const served = version.type === 'ok' ? String(version.value['gitVersion']) : undefined;
  const epoch = (own: readonly (string | undefined)[]): AdmissionEpoch => {
    const all = [served, ...shared, ...own];
    return { hash: sha256Hex(all.join('\n')), complete: all.every((part) => part !== undefined) };
  };
  const perNamespace = namespaces.map((namespace, index) => {
    const first = clusterWide.length + 2 * index;
    return [namespace, epoch(parts.slice(first, first + 2))] as const;
  });
  return new Map([['', epoch([])], ...perNamespace]);
}

/**
 * Which objects there are, and which version of what each asks for: status writes, as policies and definitions get soon after
 * they are made, leave the generation alone. '' when the kind is not served, undefined when it may not be read.
 */
async function versionsOf(ctx: RunContext, kind: Kind, options: ListOptions): Promise<string | undefined> {
  const answer = await ctx.cluster.list(kind, { ...options, metadataOnly: true }, ctx.signal);
  if (answer.type === 'refused') return answer.refusal.httpStatus === 404 ? '' : undefined;
  return answer.value
    .map(({ metadata }) => `${metadata.uid ?? ''} ${metadata.generation ?? metadata.resourceVersion ?? ''}`)
    .join(',');
}
