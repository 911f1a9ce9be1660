import { mapLimit } from '../base/mapLimit.ts';
import { asPlumbError, plumbError } from '../base/plumbError.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import { sourceOf } from '../flux/kustomization.ts';
import { formatRef, type KubeObject, refKey, refOf } from '../kube/object.ts';
import type { ClusterMatch } from '../protocol/views.ts';
import { readClusterIdentity } from './clusterIdentity.ts';
import type { EngineCore } from './engineCore.ts';
import { normalizedRemote } from './workspace/remoteMatch.ts';
import type { FolderSnapshot } from './workspace/workspace.ts';

const concurrency = 4;
/** A context whose cluster is switched off must not hold up the others. */
const answerMs = 15_000;

/**
 * Asks the clusters of those contexts, and no others, which of them reconcile an open folder: their sources have one of its
 * remotes, their Kustomizations a path in it. Read-only. A cluster that cannot be asked says why.
 */
export async function findClusters(
  core: EngineCore,
  contexts: readonly string[],
  signal: AbortSignal,
): Promise<readonly ClusterMatch[]> {
  const snapshots = await core.workspace.saved(signal);
  return mapLimit(contexts, concurrency, (context) => findIn(core, context, snapshots, signal), signal);
}

async function findIn(
  core: EngineCore,
  context: string,
  snapshots: readonly FolderSnapshot[],
  signal: AbortSignal,
): Promise<ClusterMatch> {
  const late = AbortSignal.timeout(answerMs);
  const asking = AbortSignal.any([signal, late]);
  let cluster: ClusterClient | undefined;
  try {
    ({ cluster } = await core.deps.connect(context));
    const { uid } = await readClusterIdentity(cluster, asking);
    return { context, uid, workloads: await workloadsOf(cluster, snapshots, core, asking) };
  } catch (error) {
    signal.throwIfAborted();
    const { message } = asPlumbError(error);
    return {
      context,
      workloads: [],
      problem: late.aborted ? `no answer within ${answerMs / 1000} s` : message,
    };
  } finally {
    cluster?.close();
  }
}

/** The Kustomizations of the cluster whose source an open folder stands in for. */
async function workloadsOf(
  cluster: ClusterClient,
  snapshots: readonly FolderSnapshot[],
  core: EngineCore,
  signal: AbortSignal,
): Promise<ClusterMatch['workloads']> {
  const repositories = await listKind(cluster, 'GitRepository', signal);
  const folders = new Map(
    repositories.flatMap((repository) => {
      const snapshot = folderOf(core, repository, snapshots);
      return snapshot === undefined ? [] : [[refKey(refOf(repository)), snapshot] as const];
    }),
  );
  if (folders.size === 0) return [];
  const kustomizations = await listKind(cluster, 'Kustomization', signal);
  return kustomizations.flatMap((object) => {
    const kustomization = object as unknown as Kustomization;
    const snapshot = folders.get(refKey(sourceOf(kustomization)));
    if (snapshot === undefined) return [];
    const path = treePath(kustomization.spec.path ?? '');
    return [{ ref: refOf(object), folder: snapshot.root, path, isInFolder: hasFolder(snapshot, path) }];
  });
}

function folderOf(
  core: EngineCore,
  repository: KubeObject,
  snapshots: readonly FolderSnapshot[],
): FolderSnapshot | undefined {
  const configured = core.config.sourceFolders?.[formatRef(refOf(repository))];
  const { url } = repository['spec'] as { readonly url?: string };
  const wanted = url === undefined ? undefined : normalizedRemote(url);
  return (
    snapshots.find(({ root }) => root === configured) ??
    snapshots.find(({ remotes }) => remotes.some((remote) => normalizedRemote(remote) === wanted))
  );
}

/** All objects of the kind that may be read: of the cluster, else of the context's namespace. */
async function listKind(
  cluster: ClusterClient,
  name: 'GitRepository' | 'Kustomization',
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const kind = fluxKinds.find((each) => each.kind === name);
  if (kind === undefined || (await cluster.servedKind(kind)) === undefined) return [];
  const all = await cluster.list(kind, {}, signal);
  if (all.type === 'ok') return all.value;
  const { contextNamespace: namespace } = cluster;
  const some = namespace === undefined ? all : await cluster.list(kind, { namespace }, signal);
  if (some.type === 'ok') return some.value;
  throw plumbError('AccessDenied', {
    message: `${name} objects cannot be read: ${some.refusal.message}`,
    hint: 'ask for the right to list them, or set the namespace of the context to one you may read',
  });
}

/** `./clusters/prod/` as the files name it: `clusters/prod`; '' for the whole repository. */
function treePath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function hasFolder({ files }: FolderSnapshot, path: string): boolean {
  if (path === '') return true;
  for (const [file] of files.entries()) if (file.startsWith(`${path}/`)) return true;
  return false;
}
