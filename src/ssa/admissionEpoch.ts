import { sha256Hex } from '../base/digest.ts';
import { mapLimit } from '../base/mapLimit.ts';
import type { ListOptions } from '../clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import { callLimit } from './callLimit.ts';
import type { RunContext } from './runContext.ts';

/** What else than the objects decides a dry-run's result. `complete` is false when part of it could not be read. */
export interface AdmissionEpoch {
  readonly hash: string;
  readonly complete: boolean;
}

type Kind = Pick<ObjectRef, 'group' | 'version' | 'kind'>;

const admission = { group: 'admissionregistration.k8s.io', version: 'v1' };
/** Kinds whose objects decide dry-runs in every namespace. */
export const admissionKinds: readonly Kind[] = [
  { ...admission, kind: 'ValidatingWebhookConfiguration' },
  { ...admission, kind: 'MutatingWebhookConfiguration' },
  { ...admission, kind: 'ValidatingAdmissionPolicy' },
  { ...admission, kind: 'ValidatingAdmissionPolicyBinding' },
  { ...admission, kind: 'MutatingAdmissionPolicy' },
  { ...admission, kind: 'MutatingAdmissionPolicyBinding' },
  { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
];
export const namespaceKind: Kind = { group: '', version: 'v1', kind: 'Namespace' };
export const limitRangeKind: Kind = { group: '', version: 'v1', kind: 'LimitRange' };

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
    ...admissionKinds.map((kind) => [kind, {}] as const),
    ...namespaces.flatMap((namespace) => [
      [namespaceKind, { fieldSelector: `metadata.name=${namespace}` }] as const,
      [limitRangeKind, { namespace }] as const,
    ]),
  ];
  const [version, parts] = await Promise.all([
    ctx.cluster.raw('/version', ctx.signal),
    mapLimit(reads, callLimit, ([kind, options]) => versionsOf(ctx, kind, options), ctx.signal),
  ]);
  const served = version.type === 'ok' ? String(version.value['gitVersion']) : undefined;
  const shared = [served, ...parts.slice(0, admissionKinds.length)];
  return epochsOf(shared, namespaces, (_, index) => {
    const first = admissionKinds.length + 2 * index;
    return parts.slice(first, first + 2);
  });
}

/** The epochs from what is the same everywhere and what each namespace adds; undefined stands for what cannot be read. */
export function epochsOf(
  shared: readonly (string | undefined)[],
  namespaces: readonly string[],
  ownOf: (namespace: string, index: number) => readonly (string | undefined)[],
): ReadonlyMap<string, AdmissionEpoch> {
  const epoch = (own: readonly (string | undefined)[]): AdmissionEpoch => {
    const all = [...shared, ...own];
    return { hash: sha256Hex(all.join('\n')), complete: all.every((part) => part !== undefined) };
  };
  return new Map([
    ['', epoch([])],
    ...namespaces.map((namespace, index) => [namespace, epoch(ownOf(namespace, index))] as const),
  ]);
}

/** The kind's part of an epoch: '' when the kind is not served, undefined when it may not be read. */
async function versionsOf(ctx: RunContext, kind: Kind, options: ListOptions): Promise<string | undefined> {
  const answer = await ctx.cluster.list(kind, { ...options, metadataOnly: true }, ctx.signal);
  if (answer.type === 'refused') return answer.refusal.httpStatus === 404 ? '' : undefined;
  return versionsText(answer.value);
}

/**
 * Which objects there are, and which version of what each asks for: status writes, as policies and definitions get soon after
 * they are made, leave the generation alone.
 */
export function versionsText(objects: readonly KubeObject[]): string {
  return objects
    .map(({ metadata }) => `${metadata.uid ?? ''} ${metadata.generation ?? metadata.resourceVersion ?? ''}`)
    .sort()
    .join(',');
}
