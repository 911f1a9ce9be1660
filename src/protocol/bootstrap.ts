import type { ObjectRef } from '../kube/object.ts';
import type { ClusterMode, RunView } from './views.ts';

/** How the repository is written to by this run, and read by the reconciler afterwards. Secrets are asked from Credentials. */
export type BootstrapAuth =
  /** Plain HTTP on loopback, or HTTPS where no credentials are needed. No sync secret is made. */
  | { readonly type: 'none' }
  /** HTTP(S) with user and password (purpose `gitPassword`); a token counts as password. */
  | { readonly type: 'password'; readonly username: string }
  /** HTTP(S) with a bearer token (purpose `gitToken`). */
  | { readonly type: 'bearer' }
  /** SSH: a key pair is made for the cluster; the push uses the user's own git and SSH configuration. */
  | { readonly type: 'deployKey'; readonly algorithm: KeyAlgorithm }
  /** SSH with this private key, for the push and for the cluster (purpose `sshKeyPassphrase` when it is encrypted). */
  | { readonly type: 'privateKeyFile'; readonly path: string };

/** `ecdsa` is P-384 and `rsa` 4096 bits. */
export type KeyAlgorithm = 'ed25519' | 'ecdsa' | 'rsa';

export interface BootstrapOptions {
  /** `https://`, `http://` (loopback, or with `allowInsecureHttp`) or `ssh://[user@]host/path`. */
  readonly url: string;
  readonly branch: string;
  /** Folder of the cluster in the repository, relative to its root; '' is the root. */
  readonly path: string;
  readonly auth: BootstrapAuth;
  /** Also the name of the sync objects. */
  readonly namespace: string;
  readonly secretName: string;
  /** Go duration at which the GitRepository is fetched. */
  readonly interval: string;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly commitMessageAppendix?: string;
  /** PEM file trusted for this HTTPS server. */
  readonly caFile?: string;
  /** The host name the cluster uses for SSH, where it differs from the URL's. */
  readonly sshHostname?: string;
  readonly recurseSubmodules: boolean;
  readonly allowInsecureHttp: boolean;
  /** Go on where another tool manages the Flux installation. */
  readonly force: boolean;
  /** Of each wait. */
  readonly timeoutMs: number;
}

/** What upstream's flags default to; `url` and `auth` are the user's. */
export const bootstrapDefaults = {
  branch: 'main',
  path: '',
  namespace: 'flux-system',
  secretName: 'flux-system',
  interval: '1m0s',
  authorName: 'Flux',
  authorEmail: '',
  recurseSubmodules: false,
  allowInsecureHttp: false,
  force: false,
  timeoutMs: 300_000,
} as const satisfies Partial<BootstrapOptions>;

export interface PlannedFile {
  /** From the repository's root. */
  readonly path: string;
  readonly action: 'added' | 'changed';
  readonly sizeBytes: number;
  /** Absent for the component manifests: thousands of lines of definitions. */
  readonly content?: string;
}

export interface PlannedCommit {
  readonly message: string;
  readonly files: readonly PlannedFile[];
}

/** `created`, `configured` and `unchanged` as a dry-run says; `unverified`: an earlier step must come first. */
export interface PlannedObject {
  readonly ref: ObjectRef;
  readonly action: 'created' | 'configured' | 'unchanged' | 'unverified';
}

export interface DeployKeyView {
  readonly algorithm: string;
  /** One authorized_keys line; what the user adds to the repository. */
  readonly publicKey: string;
  /** `SHA256:…`, as ssh-keygen -l shows it. */
  readonly fingerprint: string;
  /** False when the cluster has it already. */
  readonly isNew: boolean;
}

export interface HostKeyView {
  readonly type: string;
  readonly fingerprint: string;
}

/** Everything a bootstrap will do. Nothing was written to get it; the engine keeps keys and contents behind `id`. */
export interface BootstrapPlan {
  readonly id: string;
  readonly cluster: string;
  readonly url: string;
  readonly branch: string;
  /** The folder of the Flux manifests in the repository: `clusters/dev/flux-system`. */
  readonly folder: string;
  /** The branch's commit the plan was made on; absent when the repository is empty. */
  readonly head?: string;
  readonly commits: readonly PlannedCommit[];
  readonly install: readonly PlannedObject[];
  readonly sync: readonly PlannedObject[];
  readonly secret?: {
    readonly ref: ObjectRef;
    readonly action: 'created' | 'configured' | 'unchanged';
    /** Names of its keys; never their values. */
    readonly keys: readonly string[];
  };
  readonly deployKey?: DeployKeyView;
  /** Keys the SSH server showed; trusted from then on. Empty when they are known to the cluster already. */
  readonly hostKeys: readonly HostKeyView[];
  /** Who will reconcile afterwards: this engine, or the controllers that run in the cluster. */
  readonly reconciler: 'plumb' | 'flux';
  /** True when nothing is left to do but to reconcile. */
  readonly isUpToDate: boolean;
  /** What the user should know before approving, in full sentences. */
  readonly notes: readonly string[];
}

export type BootstrapStep = 'components' | 'install' | 'secret' | 'manifests' | 'sync' | 'reconcile';

/** Progress of `bootstrap`, `install` and `uninstall`; sent as an engine event. */
export interface BootstrapProgress {
  readonly type: 'bootstrapProgress';
  readonly planId: string;
  readonly step: BootstrapStep | 'uninstall';
  readonly state: 'started' | 'done' | 'skipped' | 'failed';
  /** `pushed 3f2c1a9`, `up to date`, `12 created`. */
  readonly message: string;
}

export interface BootstrapResult {
  readonly planId: string;
  /** Commits this run pushed; none when the repository was up to date. */
  readonly commits: readonly { readonly message: string; readonly hash: string }[];
  /** `main@sha1:<hash>` that was reconciled. */
  readonly revision: string;
  readonly run: RunView;
  readonly deployKey?: DeployKeyView;
  readonly nextSteps: readonly string[];
}

export interface InstallOptions {
  readonly namespace: string;
  /** Go on where Flux, or another tool's installation of it, is there already. */
  readonly force: boolean;
  readonly timeoutMs: number;
}

export interface InstallPlan {
  readonly id: string;
  readonly cluster: string;
  readonly objects: readonly PlannedObject[];
  readonly notes: readonly string[];
}

export interface InstallResult {
  readonly planId: string;
  readonly objects: readonly PlannedObject[];
}

export interface CheckItem {
  readonly group: 'prerequisites' | 'installation' | 'definitions' | 'reconciler' | 'profile';
  readonly state: 'passed' | 'warning' | 'failed';
  readonly message: string;
  /** What to do about a warning or failure. */
  readonly hint?: string;
}

/** What `plumb check` found. Read-only. */
export interface CheckView {
  readonly cluster: string;
  readonly mode: ClusterMode;
  readonly items: readonly CheckItem[];
  /** False when an item failed. */
  readonly passed: boolean;
}

export interface UninstallOptions {
  readonly namespace: string;
  readonly keepNamespace: boolean;
}

export interface UninstallPlan {
  readonly id: string;
  readonly cluster: string;
  /** In the order they will be deleted. */
  readonly deletions: readonly ObjectRef[];
  /** Flux objects that lose their finalizers and go with their definitions. */
  readonly fluxObjects: readonly ObjectRef[];
  /** Workloads that stay in the cluster, by the Flux object that owned them. */
  readonly orphans: readonly { readonly owner: ObjectRef; readonly objects: number }[];
  readonly notes: readonly string[];
}

export interface UninstallResult {
  readonly planId: string;
  readonly deleted: readonly ObjectRef[];
  /** What could not be deleted, with the server's words; the rest went on. */
  readonly failures: readonly { readonly ref: ObjectRef; readonly message: string }[];
}
