import type { JsonObject, JsonValue } from '../base/json.ts';
import type { Origin } from '../base/position.ts';
import type { Refusal } from '../clients/cluster/clusterClient.ts';
import type { BuiltObject, Origins } from '../kube/builtObject.ts';
import type { HiddenFields } from '../kube/hiddenFields.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';

/** What one Kustomization (or release) wants in the cluster: a build with ownership stamped on, and its digest. */
export interface Desired {
  readonly objects: readonly BuiltObject[];
  /** `sha256:<hex>` of the built manifests, as in `status.history`. */
  readonly checksum: string;
}

/** Objects recorded as applied, in apply order. */
export type Inventory = readonly ObjectRef[];

/** What an apply does to one object, in upstream's words. */
export type Action = 'created' | 'configured' | 'unchanged' | 'skipped' | 'recreated' | 'deleted';

/** Why a field differs: the cluster left the last applied revision, the files did, both did, or it cannot be told. */
export type Cause = 'drifted' | 'edited' | 'both' | 'unknown';

/** Who set the live value, as far as the server recorded it; never a guess. */
export interface FieldOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  /** RFC 3339; the manager's last write, as recorded by the server. */
  readonly time?: string;
  /** RFC 3339; when a watch of ours saw the value, where the server recorded no time. */
  readonly seen?: string;
}

/** One leaf that an apply changes. `desired` is absent when it will be removed, `live` when it will be added. */
export interface FieldChange {
  readonly pointer: string;
  readonly desired?: JsonValue;
  readonly live?: JsonValue;
  readonly cause: Cause;
  readonly owners: readonly FieldOwner[];
  readonly origin?: Origin;
}

/** What an apply sends for one object. */
export interface Write {
  /** JSON patch that goes first: drops old marks and takes fields over from kubectl and the like. */
  readonly takeOver?: readonly JsonObject[];
  readonly payload: KubeObject;
}

/** What a plan says about one object. `merged` is what the apply will leave behind; absent when the dry-run was refused. */
export interface Change {
  readonly ref: ObjectRef;
  readonly action: Action;
  readonly desired: KubeObject;
  readonly live?: KubeObject;
  readonly merged?: KubeObject;
  readonly fields: readonly FieldChange[];
  readonly origins: Origins;
  /** What of the values was decrypted and must not leave the engine. */
  readonly hidden?: HiddenFields;
  /** Absent when nothing is sent, or when it cannot be told yet. */
  readonly write?: Write;
  /** False: judged when its stage comes, because an earlier stage still has changes; `refusal` has the server's words. */
  readonly verified: boolean;
  readonly refusal?: Refusal;
  /** True when the dry-run's result came from a cache: an apply judges the object again. */
  readonly cached?: boolean;
  /** True when the diff was computed locally because the identity may not dry-run. */
  readonly approximate?: boolean;
}

/** A value: diff, preview and apply share it. Changes stand in apply order; `stale` in prune order. */
export interface Plan {
  readonly changes: readonly Change[];
  readonly stale: readonly ObjectRef[];
}

export interface ChangeSetEntry {
  readonly ref: ObjectRef;
  readonly action: Action;
  /** The object's resourceVersion after that, where it is known. */
  readonly version?: string;
}

/** What a run did, in the order it was done. */
export type ChangeSet = readonly ChangeSetEntry[];
