import type { FileTree } from '../base/fileTree.ts';

/** The files of one revision of a source, as source-controller would archive them. */
export interface Artifact {
  /** As in `status.artifact.revision`, e.g. `main@sha1:<hash>`. */
  readonly revision: string;
  /** `sha256:<hex>` of the archive, or of the tree where there is none. */
  readonly digest: string;
  readonly files: FileTree;
  /** `org.opencontainers.image.revision` of an OCI artifact. */
  readonly originRevision?: string;
}
