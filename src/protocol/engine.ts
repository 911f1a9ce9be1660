import type { Diagnostic } from '../base/diagnostic.ts';
import type { Origin } from '../base/position.ts';
import type { ObjectRef } from '../kube/object.ts';
import type {
  BootstrapOptions,
  BootstrapPlan,
  BootstrapResult,
  CheckView,
  InstallOptions,
  InstallPlan,
  InstallResult,
  UninstallOptions,
  UninstallPlan,
  UninstallResult,
} from './bootstrap.ts';
import type { DownPlan, DownResult } from './down.ts';
import type { EngineEvent } from './events.ts';
import type { EventsQuery, EventView, TraceQuery, TraceView } from './look.ts';
import type {
  ClusterMatch,
  ClusterMode,
  ContextView,
  DriftView,
  ListedObject,
  ObjectsQuery,
  OverridePlan,
  OverrideReach,
  PlanView,
  RunView,
  StatusView,
  TreeView,
} from './views.ts';

/** Everything the engine is told at start; it reads no settings and no files of its own. */
export interface EngineConfig {
  /** Absolute paths of the workspace folders. */
  readonly folders: readonly string[];
  /** Paths of kubeconfig files, merged as kubectl does; KUBECONFIG or the default when absent. */
  readonly kubeconfig?: readonly string[];
  /** The context; the kubeconfig's current-context as first proposal when absent. */
  readonly context?: string;
  /** The cluster the context must lead to; nothing is written to any other. Any when absent. */
  readonly clusterUid?: string;
  /** Only this namespace is looked at; all when absent. */
  readonly namespace?: string;
  /** Where caches live; nothing in it is needed. */
  readonly cacheFolder?: string;
  /** `Kind/namespace/name` of a source → the folder that stands in for it. */
  readonly sourceFolders?: Readonly<Record<string, string>>;
  /** The git program; `git` on the PATH when absent. */
  readonly gitPath?: string;
  /** Files encrypted with SOPS whose MAC does not match fail the build; a warning when absent, as Flux applies them. */
  readonly requireSopsMac?: boolean;
  /**
   * The user's own logins at AWS, Google and Azure may stand in for the workload identity of the controllers, to open keys
   * of files encrypted with SOPS.
   */
  readonly useOwnCloudLogin?: boolean;
  /** In local mode: everything on its interval and on events, or only what is asked for (one-shot commands). */
  readonly schedule: 'continuous' | 'onRequest';
}

export interface DocumentText {
  readonly uri: string;
  readonly version: number;
  readonly text: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface RenderedManifest {
  readonly ref: ObjectRef;
  readonly yaml: string;
}

/** A folder to build in place of a Kustomization's spec.path. */
export interface FolderQuery {
  /** Its absolute path. */
  readonly folder: string;
  readonly format: 'yaml' | 'json';
  readonly remoteBases: 'fetched' | 'refused';
  /** Whether a variable that is not set is an error; as the cluster's controller has it when absent. */
  readonly isStrict?: boolean;
}

export interface FolderBuild {
  /** The manifests, printed; empty when a diagnostic is an error. */
  readonly text: string;
  /** Each field of each object with the place that set it; paths are relative to the folder. */
  readonly fields: readonly BuiltField[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface BuiltField {
  readonly object: string;
  readonly pointer: string;
  readonly origin: Origin;
}

/** The part of the engine that sets Flux up and takes it away. A plan is used once; its id is unknown afterwards. */
export interface BootstrapApi {
  /** The manifests of a local-mode installation as YAML; asks no cluster. */
  exportInstall(namespace: string): Promise<string>;
  planInstall(options: InstallOptions, call?: CallOptions): Promise<InstallPlan>;
  install(planId: string, call?: CallOptions): Promise<InstallResult>;
  /** Reads cluster and repository, makes a key where one is needed, writes nothing. */
  planBootstrap(options: BootstrapOptions, call?: CallOptions): Promise<BootstrapPlan>;
  /** Runs an approved plan. Every step can be run again: after a failure or Ctrl-C plan anew. Throws PlanOutdated. */
  bootstrap(planId: string, call?: CallOptions): Promise<BootstrapResult>;
  check(namespace: string, call?: CallOptions): Promise<CheckView>;
  planUninstall(options: UninstallOptions, call?: CallOptions): Promise<UninstallPlan>;
  uninstall(planId: string, call?: CallOptions): Promise<UninstallResult>;
}

/** The part of the engine that leaves local mode for good. */
export interface DownApi {
  /** Read-only. Throws ModeForbids while Flux or another Plumb reconciles: there is nothing to leave then. */
  planDown(call?: CallOptions): Promise<DownPlan>;
  /** Does what was shown; it can be run again after a failure. Throws PlanOutdated when there is more than was shown. */
  down(planId: string, call?: CallOptions): Promise<DownResult>;
}

/** An encrypted file as the user asked to see it. */
export interface DecryptedText {
  /** Plain text: into a document in memory, never to a disk or a log. */
  readonly text: string;
  /** The digest of the encrypted file that it came out of. */
  readonly digest: string;
  /** What is wrong with its MAC. */
  readonly warning?: string;
}

/** The part of the engine that edits files encrypted with SOPS, with the keys of the user. Keeps nothing. */
export interface SopsApi {
  /** Whether the file bears the mark of an encrypted one. */
  isEncrypted(path: string, call?: CallOptions): Promise<boolean>;
  /** Throws DecryptionFailed: SOPS did not encrypt it, it is no text, or no key fits. */
  decryptFile(path: string, call?: CallOptions): Promise<DecryptedText>;
  /**
   * Encrypts what changed with the same data key into the file that has this digest. Throws PlanOutdated when it has another one
   * by now, DecryptionFailed when the text is no file of its format; it quotes nothing of it.
   */
  saveEncrypted(path: string, digest: string, text: string, call?: CallOptions): Promise<DecryptedText>;
  /** Encrypts a plain file in its place, as the creation rules of the nearest `.sops.yaml` say. Throws DecryptionFailed. */
  encryptFile(path: string, call?: CallOptions): Promise<void>;
}

/** The part of the engine that answers what something in the cluster comes from. Reads only. */
export interface LookApi {
  /** From an object of any kind up to the file: its workloads, their sources and revisions. Throws NotFound. */
  trace(query: TraceQuery, options?: CallOptions): Promise<TraceView>;
  /** Events of Flux objects, oldest first. Later ones are told by `objectsChanged` with references of kind Event. */
  events(query: EventsQuery, options?: CallOptions): Promise<readonly EventView[]>;
}

/** The whole API, the same for editor, CLI and tests. Takes and gives plain data; throws PlumbError. */
export interface Engine extends BootstrapApi, DownApi, LookApi, SopsApi {
  /** The contexts of the kubeconfig; none when there is no kubeconfig. Throws KubeconfigInvalid. */
  contexts(options?: CallOptions): Promise<readonly ContextView[]>;
  /** Asks the clusters of these contexts, and no others, which of them reconcile an open folder. Read-only. */
  findClusters(contexts: readonly string[], options?: CallOptions): Promise<readonly ClusterMatch[]>;
  status(options?: CallOptions): Promise<StatusView>;
  /** The union of files and cluster; complete from the files within a second when there is no cluster. */
  tree(options?: CallOptions): Promise<TreeView>;
  /** What the workload renders from the open folder, unsaved documents included; secrets masked. */
  render(ref: ObjectRef, options?: CallOptions): Promise<readonly RenderedManifest[]>;
  /**
   * What `flux build kustomization --path` prints: a folder built with the spec that the cluster has, and its variables.
   * Secrets are as the files have them, but for values that SOPS or variables hide. Throws NotFound, InvalidPath, BuildFailed.
   */
  buildFolder(ref: ObjectRef, query: FolderQuery, options?: CallOptions): Promise<FolderBuild>;
  /** Plans the workload from the folder (`workingTree`) or from the revision its source has in the cluster (`source`). */
  plan(ref: ObjectRef, from: 'workingTree' | 'source', options?: CallOptions): Promise<PlanView>;
  /** Applies an approved plan as shown, without pruning. Throws PlanOutdated when the world moved. */
  apply(planId: string, options?: CallOptions): Promise<RunView>;
  /** Deletes the stale objects of an approved plan, and nothing else. */
  prune(planId: string, options?: CallOptions): Promise<RunView>;
  /** One run now: of the folder's saved files under an override, by the controllers in observe mode, asked by annotation. */
  reconcile(ref: ObjectRef, withSource: boolean, options?: CallOptions): Promise<RunView>;
  /** As `reconcile` for each that is not suspended, after those of them that it depends on; sources first, once each. */
  reconcileAll(query: ObjectsQuery, withSource: boolean, options?: CallOptions): Promise<readonly RunView[]>;
  /** The Flux objects of the cluster, dependencies before their dependents. Throws NotFound, AccessDenied. */
  objects(query: ObjectsQuery, options?: CallOptions): Promise<readonly ListedObject[]>;
  suspend(ref: ObjectRef, reason: string | undefined, options?: CallOptions): Promise<void>;
  resume(ref: ObjectRef, options?: CallOptions): Promise<void>;
  /** In local mode: reverts drift of the workload when it is seen, not at its interval; within limits, see `revertStopped`. */
  revertAtOnce(ref: ObjectRef, options?: CallOptions): Promise<void>;
  revertAtInterval(ref: ObjectRef, options?: CallOptions): Promise<void>;
  /** What an override of the Kustomization would do: this engine in place of its controller, with the folder's saved files. */
  planOverride(ref: ObjectRef, options?: CallOptions): Promise<OverridePlan>;
  /**
   * Starts what was shown, with or without its descendants: suspends each and waits until its controller has let go. All or
   * nothing. Throws PlanOutdated, ModeForbids.
   */
  startOverride(planId: string, reach: OverrideReach, options?: CallOptions): Promise<void>;
  /** Ends it, and what was started with it, and restores what was before; also after a Plumb that is gone. */
  endOverride(ref: ObjectRef, options?: CallOptions): Promise<void>;
  setMode(mode: ClusterMode, options?: CallOptions): Promise<StatusView>;
  /** Drift marks of one open document. */
  drift(uri: string, options?: CallOptions): Promise<DriftView>;
  readonly documents: {
    open(document: DocumentText): void;
    change(document: DocumentText): void;
    close(uri: string): void;
  };
  /** Files on disk that changed, as absolute paths. */
  workspaceChanged(paths: readonly string[]): void;
  onEvent(listener: (event: EngineEvent) => void): { dispose(): void };
  /** Finishes the object in hand, releases Leases, closes connections. */
  dispose(): Promise<void>;
}
