import { isJsonObject, type JsonValue } from '../base/json.ts';
import { mapLimit } from '../base/mapLimit.ts';
import type { ServedKind } from '../clients/cluster/clusterClient.ts';
import { isDefinition } from '../kube/definedKinds.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import { callLimit } from './callLimit.ts';
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

type Reading = Pick<RunContext, 'cluster' | 'signal'>;

/**
 * The exact fate of each stale object, in prune order, with what vanishes along: owned objects at any depth, custom resources
 * of a definition, unmanaged objects of a namespace, volume claims. Read-only; what cannot be read is told as such.
 */
export async function previewPrune(
  ctx: Reading,
  stale: readonly ObjectRef[],
  options: PreviewOptions,
): Promise<readonly StaleObject[]> {
  const ordered = inPruneOrder(stale);
  const verdicts = await mapLimit(ordered, callLimit, (ref) => judgeStale(ctx, ref, options), ctx.signal);
  const doomed = verdicts.flatMap((verdict) => (verdict.type === 'delete' ? [verdict.live] : []));
  const surroundings = await readSurroundings(ctx, doomed);
  return await mapLimit(ordered, callLimit, async (ref, index) => {
    const verdict = verdicts[index] as PruneVerdict;
    if (verdict.type !== 'delete') return { ref, verdict, consequences: [] };
    const consequences = [
      ...(await definitionConsequences(ctx, verdict.live)),
      ...contentConsequences(verdict.live, doomed, surroundings),
      ...finalizerConsequences(verdict.live),
      ...(options.consequencesOf?.(verdict.live) ?? []),
    ];
    return { ref, verdict, consequences };
  });
}

/** Metadata of everything in the namespaces that a prune touches. */
interface Surroundings {
  readonly objects: ReadonlyMap<string, readonly KubeObject[]>;
  /** Kinds that could not be listed there, with the server's reason. */
  readonly unreadable: ReadonlyMap<string, readonly string[]>;
}

/** Kinds whose objects come and go by themselves; nobody misses them. */
const noise = [
  '/Event',
  'events.k8s.io/Event',
  'coordination.k8s.io/Lease',
  'discovery.k8s.io/EndpointSlice',
  '/Endpoints',
];

async function readSurroundings(ctx: Reading, doomed: readonly KubeObject[]): Promise<Surroundings> {
  const namespaces = [...new Set(doomed.flatMap(contentNamespace))];
  const kinds = namespaces.length === 0 ? [] : await listableKinds(ctx);
  const objects = new Map<string, KubeObject[]>(namespaces.map((name) => [name, []]));
  const unreadable = new Map<string, string[]>(namespaces.map((name) => [name, []]));
  const reads = namespaces.flatMap((namespace) => kinds.map((kind) => ({ namespace, kind })));
  await mapLimit(
    reads,
    callLimit,
    async ({ namespace, kind }) => {
      const answer = await ctx.cluster.list(kind, { namespace, metadataOnly: true }, ctx.signal);
      if (answer.type === 'ok') objects.get(namespace)?.push(...answer.value);
      else if (answer.refusal.httpStatus !== 404)
        unreadable.get(namespace)?.push(`${kind.kind} (${answer.refusal.reason})`);
    },
    ctx.signal,
  );
  return { objects, unreadable };
}

/** A Namespace is where its content is; others live in theirs. Only what can own or hold something is looked around for. */
function contentNamespace(object: KubeObject): readonly string[] {
  if (isNamespace(object)) return [object.metadata.name];
  const { namespace } = object.metadata;
  return namespace === undefined || isContentless(object) ? [] : [namespace];
}

function isNamespace({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Namespace';
}

/** Kinds that no controller makes objects for. */
function isContentless({ apiVersion, kind }: KubeObject): boolean {
  const plain = ['ConfigMap', 'Secret', 'ServiceAccount', 'Service', 'PersistentVolumeClaim', 'LimitRange'];
  return apiVersion === 'v1' && plain.includes(kind);
}

/** One version of every namespaced kind that can be listed. */
async function listableKinds(ctx: Reading): Promise<readonly ServedKind[]> {
  const kinds = new Map<string, ServedKind>();
  for (const served of await ctx.cluster.servedKinds()) {
    const key = `${served.group}/${served.kind}`;
    const isWanted = served.namespaced && served.verbs.includes('list') && !noise.includes(key);
    if (isWanted && !kinds.has(key)) kinds.set(key, served);
  }
  return [...kinds.values()];
}

function contentConsequences(
  live: KubeObject,
  doomed: readonly KubeObject[],
  { objects, unreadable }: Surroundings,
): readonly string[] {
  const [namespace] = contentNamespace(live);
  const around = namespace === undefined ? [] : (objects.get(namespace) ?? []);
  const ownLoss = isVolumeClaim(live) ? [`data loss: ${dataLoss}`] : [];
  if (!isNamespace(live)) return [...ownLoss, ...countedByKind(ownedBelow(live, around), 'it owns')];
  const pruned = new Set(doomed.map((other) => refKey(refOf(other))));
  const others = around.filter(
    (object) =>
      !pruned.has(refKey(refOf(object))) && !isMadeByTheCluster(object) && ownersOf(object).length === 0,
  );
  const hidden = unreadable.get(namespace ?? '') ?? [];
  return [
    ...countedByKind(others, 'in it that nobody else prunes'),
    ...(hidden.length === 0 ? [] : [`objects in it that cannot be read: ${hidden.join(', ')}`]),
  ];
}

const dataLoss = 'the data of the volume, unless its reclaim policy is Retain';

/** `3 Pod objects it owns`; volume claims are told as what they are. */
function countedByKind(objects: readonly KubeObject[], where: string): readonly string[] {
  const byKind = Map.groupBy(objects, ({ kind }) => kind);
  return [...byKind].map(([kind, group]) => {
    const loss = group.some(isVolumeClaim) ? `, data loss: ${dataLoss}` : '';
    return `${group.length} ${kind} ${group.length === 1 ? 'object' : 'objects'} ${where}${loss}`;
  });
}

/** Everything that the garbage collector deletes after the object. */
function ownedBelow(object: KubeObject, around: readonly KubeObject[]): readonly KubeObject[] {
  const owned = new Set<KubeObject>();
  const uids = [object.metadata.uid];
  for (let uid = uids.pop(); uid !== undefined; uid = uids.pop())
    for (const other of around) {
      if (owned.has(other) || !ownersOf(other).includes(uid)) continue;
      owned.add(other);
      uids.push(other.metadata.uid);
    }
  return [...owned];
}

function ownersOf(object: KubeObject): readonly JsonValue[] {
  const owners = object.metadata['ownerReferences'];
  if (!Array.isArray(owners)) return [];
  return (owners as readonly JsonValue[]).flatMap((owner) =>
    isJsonObject(owner) ? (owner['uid'] ?? []) : [],
  );
}

/** A definition takes every custom resource in every namespace along. */
async function definitionConsequences(ctx: Reading, live: KubeObject): Promise<readonly string[]> {
  if (!isDefinition(refOf(live))) return [];
  const spec = isJsonObject(live['spec']) ? live['spec'] : {};
  const names = isJsonObject(spec['names']) ? spec['names'] : {};
  const defined = String(names['kind']);
  const served = (await ctx.cluster.servedInGroup(String(spec['group']))).find((one) => one.kind === defined);
  if (served === undefined) return [];
  const listed = await ctx.cluster.list(served, { metadataOnly: true }, ctx.signal);
  if (listed.type === 'refused')
    return [`all ${defined} objects of the cluster (their number cannot be read: ${listed.refusal.reason})`];
  if (listed.value.length === 0) return [];
  const namespaces = new Set(listed.value.map(({ metadata }) => metadata.namespace ?? ''));
  const count = listed.value.length;
  return [
    `${count} ${defined} ${count === 1 ? 'object' : 'objects'} in ${namespaces.size} ${namespaces.size === 1 ? 'namespace' : 'namespaces'} of the cluster`,
  ];
}

function isVolumeClaim({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && (kind === 'PersistentVolumeClaim' || kind === 'PersistentVolume');
}

/** What Kubernetes itself puts into every namespace. */
function isMadeByTheCluster({ kind, metadata: { name } }: KubeObject): boolean {
  return (
    (kind === 'ConfigMap' && name === 'kube-root-ca.crt') || (kind === 'ServiceAccount' && name === 'default')
  );
}

function finalizerConsequences(live: KubeObject): readonly string[] {
  const finalizers = (live.metadata.finalizers ?? []).filter(
    (name) => name !== 'kubernetes.io/pvc-protection',
  );
  return finalizers.length === 0
    ? []
    : [`it stays until ${finalizers.join(', ')} is removed by its controller`];
}
