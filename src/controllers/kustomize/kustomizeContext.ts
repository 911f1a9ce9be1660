import type { Answer } from '../../clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import type { Artifact } from '../../flux/artifact.ts';
import type { ControllerProfile } from '../../flux/controllerProfile.ts';
import type { FluxEvent } from '../../flux/events.ts';
import type { BuildCache } from '../../lib/kustomize/buildCache.ts';
import type { FetchRemotes } from '../../lib/kustomize/loader.ts';
import type { KeyRing } from '../../clients/kms/keyRing.ts';
import type { UnwrappedKeys } from '../../clients/kms/unwrappedKeys.ts';
import type { RunContext } from '../../ssa/runContext.ts';

/** What the kustomize controller needs besides a cluster. */
export interface KustomizeContext extends RunContext {
  readonly profile: ControllerProfile;
  /**
   * The Flux object as a watch has it, where no write of the controllers or of this engine can be newer. Absent where somebody
   * waits for the run: it answers for what the server has now.
   */
  readonly watchedFlux?: (ref: ObjectRef) => KubeObject | undefined;
  /** The files of the source's artifact; undefined while nobody has them. */
  readonly fetchArtifact: (source: KubeObject, signal: AbortSignal) => Promise<Artifact | undefined>;
  /** Fetches repositories and files that a kustomization names by URL, as the controller does without credentials. */
  readonly fetchRemotes: FetchRemotes;
  /** The user's own keys, where Plumb works on their machine: tried when those of the cluster do not fit. */
  readonly ownKeys?: () => Promise<KeyRing>;
  /**
   * Puts the user's own logins at clouds where the ring has none and the controllers use their workload identity. Absent
   * until the user allows it.
   */
  readonly withOwnLogins?: (ring: KeyRing) => KeyRing;
  /** What key services unwrapped a moment ago; each build asks them anew when absent. */
  readonly unwrappedKeys?: UnwrappedKeys;
  /** True where a file whose MAC does not match, or that has none, must not be applied; Flux applies it. */
  readonly requireSopsMac?: boolean;
  /** What earlier builds left for the next one to reuse. */
  readonly builds?: BuildCache;
  readonly recordEvent: (event: FluxEvent) => void;
  /** Who the runs act as that name no service account; the client's own user when absent. */
  readonly controllerUser?: { readonly userName: string; readonly groups: readonly string[] };
  /**
   * True when Plumb stands in for a suspended object: it is reconciled all the same, and of its status only the
   * inventory is written (architecture section 6, override).
   */
  readonly isOverridden?: (ref: ObjectRef) => boolean;
  /** Told as soon as the run knows its source's revision. */
  readonly onRevision?: (revision: string) => void;
  /** Aborts when something newer was queued for the object: its waiting ends, its writes do not. */
  readonly superseded?: (ref: ObjectRef) => AbortSignal;
}

/** The Flux object, from a watch where that will do. */
export async function readFluxObject(ctx: KustomizeContext, ref: ObjectRef): Promise<Answer> {
  const value = ctx.watchedFlux?.(ref);
  return value === undefined ? ctx.cluster.get(ref, ctx.signal) : { type: 'ok', value, warnings: [] };
}
