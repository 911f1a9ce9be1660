import { isJsonObject, type JsonObject } from '../base/json.ts';
import { mapLimit } from '../base/mapLimit.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import { apiVersionOf } from '../kube/object.ts';
import { inPruneOrder, judgeStale, type PruneRules, type PruneVerdict } from './pruneStale.ts';
import type { RunContext } from './runContext.ts';

/** What a prune will do with one object, and everything that goes with it. */
export interface StaleObject {
  readonly ref: ObjectRef;
  readonly verdict: PruneVerdict;
  readonly consequences: readonly string[];
}

export interface PreviewOptions extends PruneRules {
  /** What else goes with an object, known to the caller: the objects of a removed Kustomization. */
  readonly consequencesOf?: (live: KubeObject) => readonly string[];
}

const readsAtOnce = 8;

/** The exact fate of each stale object, in prune order. Read-only; what cannot be read is told as such. */
export async function previewPrune(
  ctx: Pick<RunContext, 'cluster' | 'signal'>,
  stale: readonly ObjectRef[],
  options: PreviewOptions,
): Promise<readonly StaleObject[]> {
  return mapLimit(
    inPruneOrder(stale),
    readsAtOnce,
    async (ref) => {
      const verdict = await judgeStale(ctx, ref, options);
      if (verdict.type !== 'delete') return { ref, verdict, consequences: [] };
      const consequences = [
        ...(await kindConsequences(ctx, ref, verdict.live)),
        ...finalizerConsequences(verdict.live),
        ...(options.consequencesOf?.(verdict.live) ?? []),
      ];
      return { ref, verdict, consequences };
    },
    ctx.signal,
  );
}

async function kindConsequences(
  ctx: Pick<RunContext, 'cluster' | 'signal'>,
  ref: ObjectRef,
  live: KubeObject,
): Promise<readonly string[]> {
  if (ref.group === 'apiextensions.k8s.io' && ref.kind === 'CustomResourceDefinition')
    return definitionConsequences(ctx, live);
  if (ref.group !== '') return ownedConsequences(ref);
  if (ref.kind === 'Namespace') return namespaceConsequences(ctx, ref.name);
  if (ref.kind === 'PersistentVolumeClaim')
    return ['the data of the volume, unless its reclaim policy is Retain'];
  return [];
}

function ownedConsequences(ref: ObjectRef): readonly string[] {
  const workloads = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];
  return workloads.includes(ref.kind) && (ref.group === 'apps' || ref.group === 'batch')
    ? [`the pods it runs`]
    : [];
}

/** A definition takes every custom resource in every namespace along. */
async function definitionConsequences(
  ctx: Pick<RunContext, 'cluster' | 'signal'>,
  definition: KubeObject,
): Promise<readonly string[]> {
  const spec = isJsonObject(definition['spec']) ? definition['spec'] : {};
  const names = isJsonObject(spec['names']) ? spec['names'] : {};
  const versions = Array.isArray(spec['versions']) ? (spec['versions'] as readonly JsonObject[]) : [];
  const version = versions.find((candidate) => candidate['served'] === true)?.['name'];
  const kind = names['kind'];
  const group = spec['group'];
  if (typeof version !== 'string' || typeof kind !== 'string' || typeof group !== 'string') return [];
  const listed = await ctx.cluster.list({ group, version, kind }, { metadataOnly: true }, ctx.signal);
  if (listed.type === 'refused')
    return [`all ${kind} objects of the cluster (their number cannot be read: ${listed.refusal.reason})`];
  if (listed.value.length === 0) return [];
  const namespaces = new Set(listed.value.map(({ metadata }) => metadata.namespace ?? ''));
  return [`${listed.value.length} ${kind} objects in ${namespaces.size} namespaces of the cluster`];
}

/** Kinds of which a namespace is told to hold something; events, pods and the like come and go by themselves. */
const toldKinds: readonly Pick<ObjectRef, 'group' | 'version' | 'kind'>[] = [
  { group: 'apps', version: 'v1', kind: 'Deployment' },
  { group: 'apps', version: 'v1', kind: 'StatefulSet' },
  { group: 'apps', version: 'v1', kind: 'DaemonSet' },
  { group: 'batch', version: 'v1', kind: 'CronJob' },
  { group: 'batch', version: 'v1', kind: 'Job' },
  { group: '', version: 'v1', kind: 'Service' },
  { group: '', version: 'v1', kind: 'ConfigMap' },
  { group: '', version: 'v1', kind: 'Secret' },
  { group: '', version: 'v1', kind: 'PersistentVolumeClaim' },
];

async function namespaceConsequences(
  ctx: Pick<RunContext, 'cluster' | 'signal'>,
  namespace: string,
): Promise<readonly string[]> {
  const told = await mapLimit(toldKinds, 4, async (kind) => {
    const listed = await ctx.cluster.list(kind, { namespace, metadataOnly: true }, ctx.signal);
    if (listed.type === 'refused')
      return [`its ${kind.kind} objects (they cannot be read: ${listed.refusal.reason})`];
    const own = listed.value.filter(({ metadata }) => !isMadeByTheCluster(kind.kind, metadata.name));
    if (own.length === 0) return [];
    const loss = kind.kind === 'PersistentVolumeClaim' ? ', and the data of their volumes' : '';
    return [`${own.length} ${kind.kind} objects in it (${apiVersionOf(kind)})${loss}`];
  });
  return told.flat();
}

function isMadeByTheCluster(kind: string, name: string): boolean {
  return kind === 'ConfigMap' && name === 'kube-root-ca.crt';
}

function finalizerConsequences(live: KubeObject): readonly string[] {
  const finalizers = live.metadata.finalizers ?? [];
  return finalizers.length === 0
    ? []
    : [`it stays until ${finalizers.join(', ')} is removed by its controller`];
}
