import type { JsonObject } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';

/** A kind as the server serves it. */
export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** What the server answered to a request that a plan has to judge: a value, not an exception. */
export type Answer<T = KubeObject> = (
  | { readonly type: 'ok'; readonly value: T; readonly warnings: readonly string[] }
  | { readonly type: 'refused'; readonly refusal: Refusal }
) & {
  /** True when an earlier try had no answer: the server may have done it twice. */
  readonly retried?: boolean;
};

/** The reason of a refusal for a kind that the server does not serve; not one of the server's own. */
export const kindNotServed = 'KindNotServed';

/** The server's Status: HTTP code, reason (`NotFound`, `Forbidden`, `Invalid`, `Conflict` …), words, and the fields it names. */
export interface Refusal {
  readonly httpStatus: number;
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly {
    readonly field?: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
}

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Metadata only, for Secrets and other kinds whose content is none of our business. */
  readonly metadataOnly?: boolean;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

export type PatchType = 'merge' | 'json' | 'strategic';

export interface PatchOptions {
  readonly type: PatchType;
  readonly fieldManager: string;
  readonly subresource?: 'status' | 'scale';
  readonly dryRun?: boolean;
}

export interface DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  /** Refused with Conflict unless the live object has these. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type WatchEvent =
  /** The whole state; what is not in it is gone. Sent first and after every re-list. */
  | { readonly type: 'synced'; readonly objects: readonly KubeObject[] }
  | { readonly type: 'changed'; readonly object: KubeObject }
  | { readonly type: 'deleted'; readonly object: KubeObject }
  /** The stream broke; it is being re-established with backoff. */
  | { readonly type: 'interrupted'; readonly message: string };

/**
 * Raw JSON over one keep-alive connection pool to one cluster with one identity.
 * Transport failures throw ClusterUnreachable, AuthenticationFailed or Cancelled; what the server says about an object is a value.
 */
export interface ClusterClient {
  readonly server: string;
  /** Whose rights requests have: the context's user, or the one impersonated. For cache keys and messages. */
  readonly identity: string;
  /** The namespace of the kubeconfig's context: what its user is most likely to be allowed to read. */
  readonly contextNamespace?: string;
  /** Kinds the server serves in that group and version; undefined when it is not served. Cached; `refresh` asks again. */
  discover(
    groupVersion: { group: string; version: string },
    options?: { refresh: boolean },
  ): Promise<readonly ServedKind[] | undefined>;
  /** Every kind of the group, of all its versions, in the server's order of preference. Throws RequestFailed when part of it cannot be asked. */
  servedInGroup(group: string, options?: { refresh: boolean }): Promise<readonly ServedKind[]>;
  /** Every kind of every group; versions whose server does not answer are left out. */
  servedKinds(): Promise<readonly ServedKind[]>;
  /** The served kind, or undefined. A miss asks the server once more before it is believed. */
  servedKind(ref: Pick<ObjectRef, 'group' | 'version' | 'kind'>): Promise<ServedKind | undefined>;
  get(ref: ObjectRef, signal?: AbortSignal): Promise<Answer>;
  /** Follows `continue` to the end; a refusal (403, 404) is a value. */
  list(
    kind: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
    options?: ListOptions,
    signal?: AbortSignal,
  ): Promise<Answer<readonly KubeObject[]>>;
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions, signal?: AbortSignal): Promise<Answer>;
  create(object: KubeObject, options: { fieldManager: string }, signal?: AbortSignal): Promise<Answer>;
  patch(
    ref: ObjectRef,
    body: JsonObject | readonly JsonObject[],
    options: PatchOptions,
    signal?: AbortSignal,
  ): Promise<Answer>;
  delete(ref: ObjectRef, options?: DeleteOptions, signal?: AbortSignal): Promise<Answer>;
  /** Runs until the signal aborts: list, then watch with bookmarks, re-list on 410, reconnect with backoff. */
  watch(
    kind: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
    options: ListOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Any other GET, parsed as JSON: `/version`, `/openapi/v3/…`. */
  raw(path: string, signal?: AbortSignal): Promise<Answer<JsonObject>>;
  /** Any other GET whose answer is text: the log of a pod. */
  rawText(path: string, signal?: AbortSignal): Promise<Answer<string>>;
  /** A token that the server issues for the service account and the audiences (TokenRequest). Nothing is stored by it. */
  serviceAccountToken(
    account: { readonly namespace: string; readonly name: string },
    audiences: readonly string[],
    signal?: AbortSignal,
  ): Promise<Answer<Secret<string>>>;
  /** The same cluster, acting as a service account or user (impersonation headers). Shares the pool. */
  impersonate(user: { readonly userName: string; readonly groups: readonly string[] }): ClusterClient;
  /** The API server's clock, from the `Date` header of its last answer; undefined before the first. */
  serverTime(): Date | undefined;
  close(): void;
}
