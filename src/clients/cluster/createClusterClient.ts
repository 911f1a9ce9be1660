import type { JsonObject, JsonValue } from '../../base/json.ts';
import { isJsonObject, stringifyJson } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { unlessAborted } from '../../base/unlessAborted.ts';
import { apiVersionOf, refOf, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import { answerFrom } from './answer.ts';
import type {
  Answer,
  ApplyOptions,
  ClusterClient,
  DeleteOptions,
  ListOptions,
  PatchOptions,
  Refusal,
} from './clusterClient.ts';
import { credentialsOf, type Headers } from './credentials.ts';
import { proxyOf } from './clusterProxy.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { loadConnection, type KubeconfigSource } from './kubeconfig.ts';
import { notServed, refusalFrom } from './refusal.ts';
import { pathFor, queryText, type Query } from './requestPath.ts';
import { createTransport, type HttpAnswer, type HttpCall, type Transport } from './transport.ts';
import { runWatch, withKind, type Listed } from './watch.ts';

export interface ClusterClientOptions {
  readonly kubeconfig: KubeconfigSource;
  /** The kubeconfig's current-context when absent. */
  readonly context?: string;
  readonly log: Logger;
  /** Connections for calls; watches have their own. */
  readonly maxConnections?: number;
  readonly requestTimeoutMs?: number;
}

/**
 * A client for the cluster of one context. Nothing is sent before its first call.
 * Throws KubeconfigInvalid for files that cannot be used.
 */
export async function createClusterClient(options: ClusterClientOptions): Promise<ClusterClient> {
  const connection = await loadConnection(options.kubeconfig, options.context);
  const transport = createTransport(connection, credentialsOf(connection, options.log), {
    log: options.log,
    userAgent: 'plumb',
    maxConnections: options.maxConnections ?? defaultMaxConnections,
    requestTimeoutMs: options.requestTimeoutMs ?? defaultRequestTimeoutMs,
    proxy: proxyOf(connection, process.env),
  });
  const { impersonateUser } = connection.user;
  const user =
    impersonateUser === undefined || impersonateUser === '' ? connection.user.name : impersonateUser;
  return clientOn(transport, createDiscovery(transport), {
    name: user,
    headers: {},
    ...(connection.namespace !== undefined && { namespace: connection.namespace }),
  });
}

const defaultMaxConnections = 24;
/** Longer than the longest admission webhook timeout (30 s) that a write may have to wait for. */
const defaultRequestTimeoutMs = 60_000;
const pageSize = 500;

const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const partialObject = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const patchContentType = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

interface ActingAs {
  readonly name: string;
  readonly headers: Headers;
  /** Of the kubeconfig's context. */
  readonly namespace?: string;
}

function clientOn(transport: Transport, discovery: Discovery, actingAs: ActingAs): ClusterClient {
  const send = (call: HttpCall, signal: AbortSignal | undefined): Promise<HttpAnswer> =>
    transport.send({ ...call, headers: { ...actingAs.headers, ...call.headers } }, signal);

  /** The path of an object or, without a name, of its collection; a refusal when the kind or the namespace is missing. */
  const pathOf = async (
    ref: Pick<ObjectRef, 'group' | 'version' | 'kind' | 'namespace'> & { readonly name?: string },
    query: Query,
    signal: AbortSignal | undefined,
    subresource?: string,
  ): Promise<string | Refusal> => {
    // Others may wait for the same discovery: it goes on when this caller leaves.
    const asked = discovery.kind(ref);
    const served = await (signal === undefined ? asked : unlessAborted(asked, signal));
    if (served === undefined) return notServed(ref.kind, apiVersionOf(ref));
    if (served.namespaced && ref.name !== undefined && ref.namespace === undefined) return namespaceMissing;
    return pathFor(served, ref.namespace, ref.name, subresource) + queryText(query);
  };

  /** Sends what names one object and judges the answer. */
  const sendFor = async (
    ref: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
    path: string | Refusal,
    call: Omit<HttpCall, 'path'>,
    signal: AbortSignal | undefined,
  ): Promise<Answer<JsonObject>> => {
    if (typeof path !== 'string') return { type: 'refused', refusal: path };
    const sent = await send({ ...call, path }, signal);
    const answer = {
      ...answerFrom(sent, transport.server),
      ...(sent.retried === true && { retried: true }),
    };
    // The server's words for a path that nothing serves: the kind went away since discovery.
    if (answer.type === 'refused' && answer.refusal.message === unservedPath)
      if ((await discovery.kindsIn(ref, true))?.some(({ kind }) => kind === ref.kind) !== true)
        return { type: 'refused', refusal: notServed(ref.kind, apiVersionOf(ref)) };
    return answer;
  };

  const listPages = async (
    kind: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
    options: ListOptions,
    signal: AbortSignal | undefined,
  ): Promise<Answer<Listed>> => {
    const objects: KubeObject[] = [];
    const apiVersion = apiVersionOf(kind);
    let next: string | undefined;
    let limit: number | undefined = pageSize;
    for (;;) {
      const { namespace, labelSelector, fieldSelector } = options;
      const query = { labelSelector, fieldSelector, limit: limit?.toString(), continue: next };
      const path = await pathOf(collectionOf(kind, namespace), query, signal);
      const accept = options.metadataOnly === true ? { accept: partialList } : {};
      const answer = await sendFor(kind, path, { method: 'GET', headers: accept }, signal);
      if (answer.type === 'refused') {
        // The pages' state was compacted away meanwhile: once more, in one piece.
        if (answer.refusal.httpStatus !== 410 || limit === undefined) return answer;
        objects.length = 0;
        next = limit = undefined;
        continue;
      }
      const metadata = isJsonObject(answer.value['metadata']) ? answer.value['metadata'] : {};
      for (const item of itemsOf(answer.value)) {
        const object = withKind(item, apiVersion, kind.kind);
        if (object !== undefined) objects.push(object);
      }
      next = textOf(metadata['continue']);
      if (next === undefined)
        return {
          type: 'ok',
          value: { objects, resourceVersion: textOf(metadata['resourceVersion']) ?? '' },
          warnings: answer.warnings,
        };
    }
  };

  return {
    server: transport.server,
    identity: actingAs.name,
    ...(actingAs.namespace !== undefined && { contextNamespace: actingAs.namespace }),
    discover: (groupVersion, options) => discovery.kindsIn(groupVersion, options?.refresh === true),
    servedInGroup: (group, options) => discovery.kindsOfGroup(group, options?.refresh === true),
    servedKinds: () => discovery.all(),
    servedKind: (ref) => discovery.kind(ref),
    async get(ref, signal) {
      return objectAnswer(await sendFor(ref, await pathOf(ref, {}, signal), { method: 'GET' }, signal));
    },
    async list(kind, options = {}, signal) {
      const answer = await listPages(kind, options, signal);
      return answer.type === 'ok' ? { ...answer, value: answer.value.objects } : answer;
    },
    async apply(object, options: ApplyOptions, signal) {
      const ref = refOf(object);
      const query = {
        fieldManager: options.fieldManager,
        force: options.force ? 'true' : undefined,
        dryRun: options.dryRun ? 'All' : undefined,
      };
      const path = await pathOf(ref, query, signal);
      const call = {
        method: 'PATCH',
        headers: { 'content-type': 'application/apply-patch+yaml' },
        body: stringifyJson(object),
      } as const;
      return objectAnswer(await sendFor(ref, path, call, signal));
    },
    async create(object, options, signal) {
      const ref = refOf(object);
      const path = await pathOf(ref, {}, signal);
      const collection =
        typeof path === 'string' ? path.slice(0, path.lastIndexOf('/')) + queryText(options) : path;
      const call = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: stringifyJson(object),
      } as const;
      return objectAnswer(await sendFor(ref, collection, call, signal));
    },
    async patch(ref, body, options: PatchOptions, signal) {
      const query = {
        fieldManager: options.fieldManager,
        dryRun: options.dryRun === true ? 'All' : undefined,
      };
      const call = {
        method: 'PATCH',
        headers: { 'content-type': patchContentType[options.type] },
        body: stringifyJson(body),
      } as const;
      return objectAnswer(
        await sendFor(ref, await pathOf(ref, query, signal, options.subresource), call, signal),
      );
    },
    async delete(ref, options: DeleteOptions = {}, signal) {
      const call = {
        method: 'DELETE',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', ...options }),
      } as const;
      return objectAnswer(await sendFor(ref, await pathOf(ref, {}, signal), call, signal));
    },
    async watch(kind, options, onEvent, signal) {
      const accept = options.metadataOnly === true ? { accept: partialObject } : {};
      const { namespace, labelSelector, fieldSelector } = options;
      await runWatch(
        {
          subject: namespace === undefined ? kind.kind : `${kind.kind} in ${namespace}`,
          async list(ended) {
            const answer = await listPages(kind, options, ended);
            return answer.type === 'ok' ? answer.value : answer.refusal;
          },
          async open(resourceVersion, timeoutSeconds, ended) {
            const path = await pathOf(
              collectionOf(kind, namespace),
              {
                labelSelector,
                fieldSelector,
                watch: 'true',
                allowWatchBookmarks: 'true',
                timeoutSeconds: String(timeoutSeconds),
                resourceVersion,
              },
              ended,
            );
            if (typeof path !== 'string') throw plumbError('NotFound', { message: path.message });
            return await transport.open(
              { method: 'GET', path, headers: { ...actingAs.headers, ...accept } },
              ended,
            );
          },
          toObject: (object) => withKind(object, apiVersionOf(kind), kind.kind),
        },
        onEvent,
        signal,
      );
    },
    async raw(path, signal) {
      return answerFrom(await send({ method: 'GET', path }, signal), transport.server);
    },
    async rawText(path, signal) {
      const { status, body } = await send({ method: 'GET', path, headers: { accept: '*/*' } }, signal);
      return status >= 300
        ? { type: 'refused', refusal: refusalFrom(status, body) }
        : { type: 'ok', value: body, warnings: [] };
    },
    async serviceAccountToken({ namespace, name }, audiences, signal) {
      const ref = { group: '', version: 'v1', kind: 'ServiceAccount', namespace, name };
      const wanted = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } };
      const headers = { 'content-type': 'application/json' };
      const call = { method: 'POST', headers, body: JSON.stringify(wanted) } as const;
      const answer = await sendFor(ref, await pathOf(ref, {}, signal, 'token'), call, signal);
      if (answer.type === 'refused') return answer;
      const { status } = answer.value;
      return { ...answer, value: new Secret(isJsonObject(status) ? String(status['token']) : '') };
    },
    impersonate: ({ userName, groups }) =>
      clientOn(transport, discovery, {
        name: [userName, ...groups].join(' '),
        headers: {
          'impersonate-user': userName,
          ...(groups.length > 0 && { 'impersonate-group': groups }),
        },
      }),
    serverTime: () => transport.serverTime(),
    close: () => transport.close(),
  };
}

/** The server's words for a path that nothing serves. */
const unservedPath = 'the server could not find the requested resource';

/** What the server would answer to the path of a namespaced object without its namespace. */
const namespaceMissing: Refusal = { httpStatus: 404, reason: 'NotFound', message: unservedPath, causes: [] };

function objectAnswer(answer: Answer<JsonObject>): Answer {
  return answer as Answer;
}

/** The kind alone, whatever else the value has: with a name it would be one object. */
function collectionOf(
  { group, version, kind }: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
  namespace: string | undefined,
): Pick<ObjectRef, 'group' | 'version' | 'kind' | 'namespace'> {
  return { group, version, kind, ...(namespace !== undefined && { namespace }) };
}

function itemsOf(list: JsonObject): readonly JsonObject[] {
  const items = list['items'];
  return Array.isArray(items) ? (items as readonly JsonValue[]).filter(isJsonObject) : [];
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
