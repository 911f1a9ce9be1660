import type { JsonValue } from '../base/json.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Origin } from '../base/position.ts';
import type { ObjectRef } from '../kube/object.ts';

/** Whether something stands in the workspace's files, in the cluster, or in both. `unknown`: no cluster to ask. */
export type Presence = 'both' | 'onlyInGit' | 'onlyInCluster' | 'unknown';

/** The one state shown as an icon, worst first where several hold. */
export type SyncState = 'failed' | 'drifted' | 'progressing' | 'waiting' | 'suspended' | 'ready' | 'unknown';

export type ClusterMode = 'observe' | 'local';

/** A place in a file of the workspace: `folder` is an absolute path or URI, the origin's path is relative to it. */
export interface SourceLocation extends Origin {
  readonly folder: string;
}

/** A Flux object in a tree: the union of what the files and the cluster say of it. */
export interface FluxNode {
  readonly ref: ObjectRef;
  readonly presence: Presence;
  readonly state: SyncState;
  /** Ready's reason and message, or what the files say where there is no cluster. */
  readonly reason?: string;
  readonly message?: string;
  /** The revision fetched (sources) or applied (workloads). */
  readonly revision?: string;
  readonly suspended: boolean;
  readonly suspendReason?: string;
  /** The user who suspended it with Plumb. */
  readonly suspendedBy?: string;
  /** Who reconciles it when it is not its controller: an override by this or another Plumb. */
  readonly overriddenBy?: string;
  readonly driftedObjects?: number;
  readonly dependsOn: readonly ObjectRef[];
  readonly sourceRef?: ObjectRef;
  /** The Kustomization that applied it, when it has ownership labels. */
  readonly parent?: ObjectRef;
  readonly url?: string;
  readonly path?: string;
  readonly lastHandledReconcileAt?: string;
  /** Where it is defined in the workspace. */
  readonly location?: SourceLocation;
  /** Objects it applies: from its inventory, its build, or both. Filled for workloads. */
  readonly inventory: readonly InventoryNode[];
}

/** An object that a workload applies. */
export interface InventoryNode {
  readonly ref: ObjectRef;
  readonly presence: Presence;
  readonly state: SyncState;
  readonly message?: string;
  readonly location?: SourceLocation;
}

export interface TreeView {
  readonly sources: readonly FluxNode[];
  /** In dependency order: what others depend on stands first. */
  readonly workloads: readonly FluxNode[];
  readonly diagnostics: readonly Diagnostic[];
  /** Why this is what the files say and nothing else: no kubeconfig, a cluster that does not answer, a refused login. */
  readonly filesAloneBecause?: string;
  /** Where the user may not list Flux objects in all namespaces: those looked into, and the server's words. */
  readonly limitedTo?: { readonly namespaces: readonly string[]; readonly because: string };
}

/** A context of the kubeconfig: a cluster and a user. */
export interface ContextView {
  readonly name: string;
  readonly server: string;
  readonly user: string;
}

/** What a cluster that was asked has to do with the open folders. */
export interface ClusterMatch {
  readonly context: string;
  /** Absent where it did not answer. */
  readonly uid?: string;
  /** The Kustomizations whose source has a remote of an open folder. */
  readonly workloads: readonly {
    readonly ref: ObjectRef;
    readonly folder: string;
    /** Where in the folder, `clusters/prod`; '' for all of it. */
    readonly path: string;
    /** Whether the folder has it, as it is now. */
    readonly isInFolder: boolean;
  }[];
  /** Why it could not be asked. */
  readonly problem?: string;
}

export interface ClusterView {
  readonly context: string;
  readonly server: string;
  /** UID of kube-system, or a digest of server and CA where that cannot be read. */
  readonly uid?: string;
  readonly version?: string;
  readonly reachable: boolean;
  readonly message?: string;
  readonly mode: ClusterMode;
  /** Who reconciles there now: the in-cluster controllers, this engine, another Plumb, or nobody that can be seen. */
  readonly reconciler: 'flux' | 'plumb' | 'otherPlumb' | 'none' | 'unknown';
}

export interface StatusView {
  readonly folders: readonly string[];
  readonly cluster?: ClusterView;
  /** Why there is no cluster to ask: no kubeconfig, no such context. */
  readonly noClusterBecause?: string;
  readonly counts: Readonly<Record<SyncState, number>>;
  readonly running: readonly ObjectRef[];
}

/** One field that an apply changes; values of Secrets are masked before they get here. */
export interface FieldChangeView {
  readonly pointer: string;
  readonly desired?: JsonValue;
  readonly live?: JsonValue;
  readonly cause: 'drifted' | 'edited' | 'both' | 'unknown';
  readonly owners: readonly {
    readonly manager: string;
    readonly operation: 'Apply' | 'Update';
    readonly subresource?: string;
    readonly time?: string;
    /** When the engine's watch saw the value, where the server recorded no time. */
    readonly seen?: string;
  }[];
  readonly location?: SourceLocation;
}

export interface ChangeView {
  readonly ref: ObjectRef;
  readonly action: 'created' | 'configured' | 'unchanged' | 'skipped' | 'recreated' | 'deleted';
  readonly verified: boolean;
  readonly approximate: boolean;
  /** The server's words when the dry-run was refused. */
  readonly message?: string;
  /** The fields that the server complains about, each at the line that set it. */
  readonly complaints?: readonly {
    readonly field: string;
    readonly message: string;
    readonly location?: SourceLocation;
  }[];
  /** What the user can do about it. */
  readonly hint?: string;
  readonly fields: readonly FieldChangeView[];
  readonly location?: SourceLocation;
  /** YAML for the diff editor, both sides normalised and masked alike; absent side = the object does not exist there. */
  readonly desiredYaml?: string;
  readonly liveYaml?: string;
}

/** An object that a prune deletes or leaves, and what goes with it. */
export interface StaleView {
  readonly ref: ObjectRef;
  readonly action: 'deleted' | 'skipped' | 'gone';
  readonly reason?: string;
  /** What vanishes with it: custom resources of a CRD, unmanaged objects of a namespace, data of volume claims. */
  readonly consequences: readonly string[];
}

/** A plan as shown. The engine keeps the real objects behind `id`; applying the id applies exactly this. */
export interface PlanView {
  readonly id: string;
  readonly ref: ObjectRef;
  readonly cluster: string;
  readonly revision: string;
  /** Whose rights it was made with and will be applied with. */
  readonly identity: string;
  readonly changes: readonly ChangeView[];
  readonly stale: readonly StaleView[];
  readonly diagnostics: readonly Diagnostic[];
  /** What should make somebody stop and think. */
  readonly warnings: readonly string[];
  /** What is good to know, such as files that no commit holds yet. */
  readonly notes: readonly string[];
  /** Clouds whose keys only the controllers' identity opens: the user may let Plumb use their own login there. */
  readonly offeredLogins?: readonly string[];
}

/** What an override would do, before it starts: the engine in place of the object's controller, with the folder's files. */
export interface OverridePlan {
  readonly id: string;
  readonly ref: ObjectRef;
  readonly cluster: string;
  /** The folder that stands in for the source. */
  readonly folder: string;
  /** Somebody suspended the object before: starting the override passes over that. */
  readonly suspendedBy?: SuspendedBy;
  /** Kustomizations below it that read the same source, in the order in which to run them; overridden with it only when asked. */
  readonly descendants: readonly { readonly ref: ObjectRef; readonly suspendedBy?: SuspendedBy }[];
  readonly warnings: readonly string[];
}

/** Flux objects of one kind; of all namespaces when none is named. */
export interface ObjectsQuery {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace?: string;
}

/** A Flux object of the cluster, as far as it matters to whoever acts on many. */
export interface ListedObject {
  readonly ref: ObjectRef;
  readonly suspended: boolean;
}

/** Who suspended an object, as far as the server and the object tell. */
export interface SuspendedBy {
  readonly manager: string;
  /** The user, where it was done with Plumb. */
  readonly by?: string;
  readonly time?: string;
  readonly reason?: string;
}

/** How far an override goes: the object alone, or with what is below it. */
export type OverrideReach = 'object' | 'descendants';

export interface ChangeSetEntryView {
  readonly ref: ObjectRef;
  readonly action: ChangeView['action'];
}

/** What a run did and how it ended. */
export interface RunView {
  readonly ref: ObjectRef;
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
  readonly revision?: string;
  /** What the user should know about the run, although it worked. */
  readonly warnings?: readonly string[];
  readonly changeSet: readonly ChangeSetEntryView[];
  readonly elapsedMs: number;
}

/** A drift mark: one field of one object, on the line that set it. */
export interface DriftMark {
  readonly ref: ObjectRef;
  readonly workload: ObjectRef;
  readonly field: FieldChangeView;
  readonly path: string;
  readonly range: Origin['range'];
}

/** Marks of one document; valid for that version of it only. */
export interface DriftView {
  readonly uri: string;
  readonly version: number;
  readonly marks: readonly DriftMark[];
  readonly onlyInCluster: readonly { readonly ref: ObjectRef; readonly workload: ObjectRef }[];
  readonly onlyInGit: readonly {
    readonly ref: ObjectRef;
    readonly workload: ObjectRef;
    readonly range: Origin['range'];
  }[];
  readonly message?: string;
}
