import { plumbError } from '../../base/plumbError.ts';
import type { ClusterClient } from '../../clients/cluster/clusterClient.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { TraceQuery, TraceView } from '../../protocol/look.ts';
import type { Presence, TreeView } from '../../protocol/views.ts';
import type { DriftedObjects } from '../drift/driftedObjects.ts';
import type { EngineCore } from '../engineCore.ts';
import { readTree } from '../tree/readTree.ts';
import { kindOfWord } from './kindWord.ts';
import { holderOf, nodeOf, ownerOf, stepsFrom, workloadOfLabels } from './traceChain.ts';

/** Longer chains than Pod, Job, CronJob are operators' affairs; a cycle must not go on for ever. */
const maxOwners = 8;

/** Where an object comes from, from the cluster and the files, or from the files alone where there is no cluster. */
export async function traceObject(
  core: EngineCore,
  drifted: DriftedObjects,
  query: TraceQuery,
  signal: AbortSignal,
): Promise<TraceView> {
  const tree = await readTree(core, signal, drifted);
  const connection = await core.connection();
  const { filesAloneBecause } = tree;
  if (connection.type === 'none' || filesAloneBecause !== undefined) {
    const traced = traceInFiles(tree, query, 'unknown');
    if (traced !== undefined)
      return { ...traced, ...(filesAloneBecause !== undefined && { filesAloneBecause }) };
    // What stands in the way says more than that nothing was found.
    if (connection.type === 'none') throw connection.error;
    await connection.session.identify(signal);
    throw notFound(query);
  }
  const { cluster } = connection.session;
  const traced = (await traceLive(cluster, tree, query, signal)) ?? traceInFiles(tree, query, 'onlyInGit');
  if (traced !== undefined) return traced;
  throw notFound(query);
}

function notFound({ kind, namespace, name }: TraceQuery): Error {
  return plumbError('NotFound', {
    subject: `${kind}/${namespace}/${name}`,
    message: 'there is no such object, neither in the cluster nor in what the files build',
    hint: '-n names its namespace; kinds are told as for kubectl, with .GROUP behind where two have one name',
  });
}

async function traceLive(
  cluster: ClusterClient,
  tree: TreeView,
  { kind: word, namespace, name }: TraceQuery,
  signal: AbortSignal,
): Promise<TraceView | undefined> {
  const kind = kindOfWord(word, await cluster.servedKinds());
  if (kind === undefined) return undefined;
  const ref = { group: kind.group, version: kind.version, kind: kind.kind, name };
  const object = await read(cluster, kind.namespaced ? { ...ref, namespace } : ref, signal);
  if (object === undefined) return undefined;
  const family = [object];
  for (let owner = ownerOf(object); owner !== undefined && family.length <= maxOwners;) {
    const live = await readOwner(cluster, owner, signal);
    if (live === undefined) break;
    family.push(live);
    owner = ownerOf(live);
  }
  const keys = new Set(family.map((member) => refKey(refOf(member))));
  const held = holderOf(tree, (entry) => keys.has(refKey(entry)));
  const labelled = family.map(workloadOfLabels).find((workload) => workload !== undefined);
  const node = nodeOf([...tree.workloads, ...tree.sources], refOf(object));
  const location = held?.entry.location ?? node?.location;
  return {
    object: refOf(object),
    presence: held?.entry.presence ?? node?.presence ?? 'onlyInCluster',
    owners: family.slice(1).map(refOf),
    steps: stepsFrom(tree, labelled ?? held?.workload.ref),
    ...(location !== undefined && { location }),
  };
}

function traceInFiles(
  tree: TreeView,
  { kind, namespace, name }: TraceQuery,
  presence: Presence,
): TraceView | undefined {
  const matches = (ref: ObjectRef): boolean =>
    ref.name === name &&
    (ref.namespace === undefined || ref.namespace === namespace) &&
    kindOfWord(kind, [wordsOf(ref)]) !== undefined;
  const held = holderOf(tree, matches);
  const node = [...tree.workloads, ...tree.sources].find(({ ref }) => matches(ref));
  const object = held?.entry.ref ?? node?.ref;
  if (object === undefined) return undefined;
  const location = held?.entry.location ?? node?.location;
  return {
    object,
    presence,
    owners: [],
    steps: stepsFrom(tree, held?.workload.ref),
    ...(location !== undefined && { location }),
  };
}

/** The names of a kind that nobody serves yet: English forms its plural as Kubernetes does. */
function wordsOf({ group, kind }: ObjectRef): Parameters<typeof kindOfWord>[1][number] {
  const name = kind.toLowerCase();
  const plural = /(s|x|ch|sh)$/.test(name) ? `${name}es` : name.replace(/y$/, 'ie').concat('s');
  return { group, kind, plural, shortNames: [] };
}

async function read(
  cluster: ClusterClient,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const answer = await cluster.get(ref, signal);
  if (answer.type === 'ok') return answer.value;
  if (answer.refusal.httpStatus === 404) return undefined;
  throw plumbError('AccessDenied', {
    subject: formatRef(ref),
    message: `cannot be read: ${answer.refusal.message}`,
    hint: 'ask for the right to get it, or trace what owns it',
  });
}

/** An owner that may not be read ends the chain; what was found of it stays true. */
async function readOwner(
  cluster: ClusterClient,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const served = await cluster.servedKind(ref);
  const { namespace: _, ...clusterScoped } = ref;
  const answer = await cluster.get(served?.namespaced === false ? clusterScoped : ref, signal);
  return answer.type === 'ok' ? answer.value : undefined;
}
