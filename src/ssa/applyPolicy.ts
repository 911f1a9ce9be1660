import type { Refusal } from '../clients/cluster/clusterClient.ts';
import type { GroupKind } from '../kube/applyOrder.ts';
import type { KubeObject } from '../kube/object.ts';
import type { AdmissionEpoch } from './admissionEpoch.ts';
import type { DryRunCache } from './dryRunCache.ts';
import type { IgnoreRule } from './ignoreRules.ts';
import type { Owner } from './owner.ts';

/** How objects are applied: what the Kustomization says, and what the flags of its controller say. */
export interface ApplyPolicy {
  readonly owner: Owner;
  /** Recreates an object whose immutable fields change. */
  readonly force?: boolean;
  readonly ignore?: readonly IgnoreRule[];
  /** Managers whose fields are taken over beside upstream's own list (`--override-manager`). */
  readonly overrideManagers?: readonly string[];
  /** Fields of kubectl and the like stay theirs, as with upstream's command line; taken over when absent. */
  readonly keepsManagers?: true;
  readonly customStageKinds?: readonly GroupKind[];
}

export interface PlanOptions extends ApplyPolicy {
  /** What the last applied revision wanted of an object; gives every field its cause. Undefined where that is not known. */
  readonly lastApplied?: (desired: KubeObject) => KubeObject | undefined;
  /** For diffs only: answers dry-runs whose inputs have not changed. An apply always asks the server. */
  readonly cache?: DryRunCache;
  /** The admission epochs of the namespaces, from whoever watches them; asked of the server when absent. */
  readonly epochs?: (namespaces: readonly string[]) => Promise<ReadonlyMap<string, AdmissionEpoch>>;
  /** Live objects somebody watches; what it does not know is read from the server. */
  readonly watched?: (desired: KubeObject) => KubeObject | undefined;
}

/** The live object as far as it could be read. */
export type Live =
  /** Nobody recorded it, so it is probably new: the dry-run's answer tells. */
  | { readonly type: 'unread' }
  | { readonly type: 'present'; readonly object: KubeObject }
  | { readonly type: 'absent' }
  | { readonly type: 'unreadable'; readonly refusal: Refusal };
