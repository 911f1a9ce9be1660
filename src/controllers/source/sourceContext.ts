import type { GitClient } from '../../clients/git/gitClient.ts';
import type { FluxEvent } from '../../flux/events.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import type { ArtifactStore } from './artifactStore.ts';

/** What the source controllers need besides a cluster. */
export interface SourceContext extends RunContext {
  readonly git: GitClient;
  readonly artifacts: ArtifactStore;
  /** The namespace the controllers run in, for the address of artifacts. */
  readonly runtimeNamespace: string;
  readonly recordEvent: (event: FluxEvent) => void;
}
