import { plumbError } from '../../base/plumbError.ts';
import { isJsonObject } from '../../base/json.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { Artifact } from '../../flux/artifact.ts';
import { sourceOf } from '../../flux/kustomization.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import { artifactIgnore, readIgnoreFiles } from '../../lib/sourceignore/sourceIgnore.ts';
import { FileTree } from '../../base/fileTree.ts';
import type { ClusterSession } from '../clusterSession.ts';
import type { EngineCore } from '../engineCore.ts';
import { normalizedRemote } from './remoteMatch.ts';
import type { FolderSnapshot } from './workspace.ts';
import { workspaceObjects } from './workspaceObjects.ts';

/** A folder in place of a source's revision. */
export interface WorkingTreeSource {
  readonly artifact: Artifact;
  readonly folder: string;
  /** Files of it that no commit holds yet. */
  readonly untracked: readonly string[];
}

/**
 * The open folder as the artifact of the Kustomization's source. `withDocuments` puts unsaved documents on top: for previews.
 * Throws NotFound when no folder stands in for the source (architecture, section 5).
 */
export async function workingTreeArtifact(
  core: EngineCore,
  session: ClusterSession,
  kustomization: Kustomization,
  withDocuments: boolean,
  signal: AbortSignal,
): Promise<WorkingTreeSource> {
  const snapshots = withDocuments ? await core.workspace.edited(signal) : await core.workspace.saved(signal);
  const ref = sourceOf(kustomization);
  const source = await findSource(session, snapshots, ref, signal);
  const snapshot = folderFor(core, ref, source, snapshots);
  return { artifact: artifactOf(snapshot, source), folder: snapshot.root, untracked: snapshot.untracked };
}

/** The saved files of the folder that stands in for the source, as its artifact. Throws NotFound when no folder does. */
export async function folderArtifact(
  core: EngineCore,
  source: KubeObject,
  signal: AbortSignal,
): Promise<Artifact> {
  const snapshots = await core.workspace.saved(signal);
  return artifactOf(folderFor(core, refOf(source), source, snapshots), source);
}

/** The folder that stands in for the source: the one configured for it, else one that has the source's address as a remote. */
export function folderFor(
  core: EngineCore,
  ref: ObjectRef,
  source: KubeObject | undefined,
  snapshots: readonly FolderSnapshot[],
): FolderSnapshot {
  const configured = core.config.sourceFolders?.[formatRef(ref)];
  const chosen = snapshots.find(({ root }) => root === configured);
  if (chosen !== undefined) return chosen;
  const spec = source?.['spec'];
  const url =
    isJsonObject(spec) && typeof spec['url'] === 'string' ? normalizedRemote(spec['url']) : undefined;
  const matching = snapshots.filter(({ remotes }) =>
    remotes.some((remote) => normalizedRemote(remote) === url),
  );
  const [first] = matching;
  if (first !== undefined) return first;
  throw plumbError('NotFound', {
    subject: formatRef(ref),
    message:
      url === undefined
        ? 'no open folder stands in for this source'
        : `no open folder has ${url} as a remote`,
    hint: 'open a clone of that repository, or name a folder for the source in the setting plumb.sources',
  });
}

async function findSource(
  session: ClusterSession,
  snapshots: readonly FolderSnapshot[],
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const answer = await session.cluster.get(ref, signal);
  if (answer.type === 'ok') return answer.value;
  const inFiles = snapshots.flatMap((snapshot) => workspaceObjects(snapshot).objects);
  return inFiles.find(({ object }) => refKey(refOf(object)) === refKey(ref))?.object;
}

function artifactOf(snapshot: FolderSnapshot, source: KubeObject | undefined): Artifact {
  const spec = source?.['spec'];
  const ignore = isJsonObject(spec) && typeof spec['ignore'] === 'string' ? spec['ignore'] : undefined;
  const files = ignore === undefined ? snapshot.files : withIgnore(snapshot.files, ignore);
  const branch = snapshot.branch ?? 'HEAD';
  const commit = snapshot.head === undefined ? '' : `@sha1:${snapshot.head}`;
  const revision = snapshot.isCommitted ? `${branch}${commit}` : `${branch}${commit} (edited)`;
  return { revision, digest: snapshot.treeHash, files };
}

const ignoredTrees = new WeakMap<FileTree, Map<string, FileTree>>();

/** The same tree gives the same object, so that caches keyed by it hold. */
function withIgnore(files: FileTree, ignore: string): FileTree {
  const known = ignoredTrees.get(files) ?? new Map<string, FileTree>();
  ignoredTrees.set(files, known);
  const filtered = known.get(ignore) ?? filteredTree(files, ignore);
  known.set(ignore, filtered);
  return filtered;
}

function filteredTree(files: FileTree, ignore: string): FileTree {
  const ignores = artifactIgnore(readIgnoreFiles(files.entries()), ignore);
  return FileTree.from([...files.entries()].filter(([path]) => !ignores(path)));
}
