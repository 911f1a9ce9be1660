import { sha256Digest } from '../../base/digest.ts';
import type { FileTree } from '../../base/fileTree.ts';
import type { FetchedArtifact } from '../../flux/api/meta.gen.ts';
import type { Artifact } from '../../flux/artifact.ts';
import { formatTime } from '../../flux/conditions.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import { packArchive } from '../../lib/tar/archive.ts';

/** What a source holds now: the files, and what they were made from. */
export interface StoredArtifact extends Artifact {
  /** Changes when the same revision would give other files: ignore rules, includes, sparse checkout. */
  readonly contentKey: string;
}

/** The newest artifact of each source, in memory: nothing that cannot be fetched again. */
export class ArtifactStore {
  readonly #stored = new Map<string, StoredArtifact>();

  get(ref: ObjectRef): StoredArtifact | undefined {
    return this.#stored.get(refKey(ref));
  }

  set(ref: ObjectRef, artifact: StoredArtifact): void {
    this.#stored.set(refKey(ref), artifact);
  }

  delete(ref: ObjectRef): void {
    this.#stored.delete(refKey(ref));
  }
}

export interface ArtifactDescription {
  readonly revision: string;
  /** The last part of its path, e.g. `<commit>.tar.gz`. */
  readonly fileName: string;
  readonly files: FileTree;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * `status.artifact` as source-controller would write it: the address is the one inside the cluster, so that consumers
 * there find it once source-controller runs again. Digest and size are those of our own archive (contract 2.10).
 */
export async function describeArtifact(
  object: KubeObject,
  runtimeNamespace: string,
  now: number,
  artifact: ArtifactDescription,
): Promise<FetchedArtifact> {
  const archive = await packArchive(artifact.files);
  const { kind, namespace, name } = refOf(object);
  const path = `${kind.toLowerCase()}/${namespace}/${name}/${artifact.fileName}`;
  return {
    digest: sha256Digest(archive),
    lastUpdateTime: formatTime(now),
    path,
    revision: artifact.revision,
    size: archive.byteLength,
    url: `http://source-controller.${runtimeNamespace}.svc.cluster.local./${path}`,
    ...(artifact.metadata !== undefined && { metadata: artifact.metadata }),
  };
}
