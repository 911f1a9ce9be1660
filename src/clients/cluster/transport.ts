import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../base/logger.ts';
import { plumbError } from '../../base/plumbError.ts';
import { unlessAborted } from '../../base/unlessAborted.ts';
import type { ProxyChoice } from '../http/environmentProxy.ts';
import { connectionAgent } from './connectionAgent.ts';
import type { Credentials, Headers, Identity } from './credentials.ts';
import type { ClusterConnection } from './kubeconfig.ts';
import { limitedBy } from './limitedSignal.ts';
import { refusalFrom, unreachable } from './refusal.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, from the server's root. */
  readonly path: string;
  readonly headers?: Headers;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** An earlier try had no answer. */
  readonly retried?: boolean;
}

/** Requests to one server over two keep-alive pools: a bounded one for calls, one for the long lives of watches. */
export interface Transport {
  readonly server: string;
  readonly contextName: string;
  /** The answer in full. 401 renews the credentials once, 429 and Retry-After are waited for. */
  send(call: HttpCall, signal?: AbortSignal): Promise<HttpAnswer>;
  /** The answer as it comes; the status may be any but 401. The caller reads it to its end or destroys it. */
  open(call: HttpCall, signal: AbortSignal): Promise<IncomingMessage>;
  serverTime(): Date | undefined;
  close(): void;
}

export interface TransportOptions {
  readonly log: Logger;
  readonly userAgent: string;
  readonly maxConnections: number;
  /** How long a call may take from its start to its last byte. */
  readonly requestTimeoutMs: number;
  readonly proxy: ProxyChoice | undefined;
}

/** Waits of a GET whose connection broke, one per further try. */
const brokenReadWaitsMs = [100, 400];
const maxThrottledTries = 8;
const longestThrottleMs = 30_000;

interface Pools {
  readonly calls: Agent;
  readonly watches: Agent;
}

/** Connects lazily: nothing is sent before the first call. */
export function createTransport(
  connection: ClusterConnection,
  credentials: Credentials,
  options: TransportOptions,
): Transport {
  const { cluster, contextName } = connection;
  const base = new URL(cluster.server);
  const basePath = base.pathname.replace(/\/+$/, '');
  const closed = new AbortController();
  let pools: (Pools & { readonly tlsId: string }) | undefined;
  let clock: { readonly serverMs: number; readonly readAt: number } | undefined;

  const poolsFor = ({ tls }: Identity): Pools => {
    if (pools?.tlsId === tls.id) return pools;
    // What runs on the old connections ends in peace; the idle ones are closed.
    if (pools !== undefined) closeIdle(pools);
    pools = {
      tlsId: tls.id,
      calls: connectionAgent(cluster, options.proxy, tls, options.maxConnections),
      watches: connectionAgent(cluster, options.proxy, tls, Infinity),
    };
    return pools;
  };

  /** One try: the answer's head, or the failure of the connection as it was thrown. */
  const once = (
    call: HttpCall,
    identity: Identity,
    kind: 'calls' | 'watches',
    signal: AbortSignal,
  ): Promise<IncomingMessage> => {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const agent = poolsFor(identity)[kind];
    return new Promise((done, reject) => {
      const start = base.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = start(
        {
          // An agent that is told knows its kept connections again.
          protocol: base.protocol,
          host: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? (base.protocol === 'https:' ? 443 : 80) : Number(base.port),
          path: `${basePath}${call.path}`,
          method: call.method,
          agent,
          signal,
          headers: {
            accept: 'application/json',
            'user-agent': options.userAgent,
            ...plainHeaders(identity.headers),
            ...plainHeaders(call.headers ?? {}),
            ...(call.body !== undefined && { 'content-length': Buffer.byteLength(call.body) }),
          },
        },
        (response) => {
          const date = Date.parse(response.headers.date ?? '');
          if (!Number.isNaN(date)) clock = { serverMs: date, readAt: performance.now() };
          done(response);
        },
      );
      request.on('error', (error) => {
        reject(Object.assign(error, { wasReused: request.reusedSocket }));
      });
      request.end(call.body);
    });
  };

  const withCredentials = async (
    call: HttpCall,
    kind: 'calls' | 'watches',
    signal: AbortSignal,
  ): Promise<IncomingMessage> => {
    for (let attempt = 0; ; attempt++) {
      const identity = await unlessAborted(credentials.current(), signal);
      const response = await once(call, identity, kind, signal);
      if (response.statusCode !== 401) return response;
      const body = await readBody(response);
      if (attempt === 0 && (await credentials.refresh(identity))) continue;
      throw plumbError('AuthenticationFailed', {
        message: `${cluster.server} (context ${contextName}): ${refusalFrom(401, body).message}`,
        hint: 'log in again: the credentials of this context are missing, wrong or expired',
      });
    }
  };

  const send = async (call: HttpCall, signal?: AbortSignal): Promise<HttpAnswer> => {
    const started = performance.now();
    for (let broken = 0, throttled = 0; ;) {
      const attempt = limitedBy(options.requestTimeoutMs, closed.signal, signal);
      let answer: HttpAnswer;
      try {
        const response = await withCredentials(call, 'calls', attempt.signal);
        answer = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: await readBody(response),
          ...(broken > 0 && { retried: true }),
        };
      } catch (error) {
        throwIfCancelled(signal);
        const wait = retryWait(call, error, attempt.isTimedOut(), broken++);
        if (wait === undefined) throw failure(error, attempt.isTimedOut());
        await pause(wait, signal);
        continue;
      } finally {
        attempt.dispose();
      }
      options.log.debug('request', {
        method: call.method,
        path: call.path,
        status: answer.status,
        elapsedMs: Math.round(performance.now() - started),
      });
      const wait = throttleWait(answer);
      if (wait === undefined || ++throttled >= maxThrottledTries) return answer;
      options.log.debug('throttled by the server', { path: call.path, waitMs: wait });
      await pause(wait, signal);
    }
  };

  /** Waits; it ends early when the transport closes, and throws Cancelled when the caller leaves. */
  const pause = async (waitMs: number, signal: AbortSignal | undefined): Promise<void> => {
    const ended = AbortSignal.any([closed.signal, ...(signal === undefined ? [] : [signal])]);
    await delay(waitMs, undefined, { signal: ended }).catch(() => undefined);
    throwIfCancelled(signal);
  };

  const failure = (error: unknown, isTimedOut: boolean): unknown => {
    if (closed.signal.aborted)
      return plumbError('Cancelled', { message: 'the connection was closed', cause: error });
    if (isTimedOut)
      return unreachable(
        cluster.server,
        contextName,
        Object.assign(new Error(`no answer within ${Math.round(options.requestTimeoutMs / 1000)} s`), {
          code: 'ETIMEDOUT',
        }),
        options.proxy,
      );
    if (isOurs(error)) return error;
    return unreachable(cluster.server, contextName, error, options.proxy);
  };

  return {
    server: cluster.server,
    contextName,
    send,
    async open(call, signal) {
      const ended = AbortSignal.any([closed.signal, signal]);
      try {
        return await withCredentials(call, 'watches', ended);
      } catch (error) {
        throwIfCancelled(signal);
        throw failure(error, false);
      }
    },
    serverTime() {
      return clock === undefined ? undefined : new Date(clock.serverMs + performance.now() - clock.readAt);
    },
    close() {
      closed.abort();
      credentials.close();
      if (pools !== undefined) destroy(pools);
    },
  };
}

/** A read is tried again whatever broke; anything else only when the server had closed a kept connection before it could read. */
function retryWait(call: HttpCall, error: unknown, isTimedOut: boolean, broken: number): number | undefined {
  if (isOurs(error) || isTimedOut) return undefined;
  const { code, wasReused } = error as NodeJS.ErrnoException & { wasReused?: boolean };
  if (
    wasReused === true &&
    (code === 'ECONNRESET' || code === 'EPIPE') &&
    call.method !== 'POST' &&
    broken < 3
  )
    return 0;
  const mayHelp = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_TRUNCATED'].includes(code ?? '');
  return call.method === 'GET' && mayHelp ? brokenReadWaitsMs[broken] : undefined;
}

/** Milliseconds to wait before the same call is sent again, when the server asked for that. */
function throttleWait(answer: HttpAnswer): number | undefined {
  const asked = answer.headers['retry-after'];
  const seconds = asked === undefined ? undefined : Number(asked);
  if (seconds !== undefined && Number.isFinite(seconds) && (answer.status === 429 || answer.status >= 500))
    return Math.min(seconds * 1000, longestThrottleMs);
  return answer.status === 429 ? 1000 : undefined;
}

/** The text of the whole answer. Throws ERR_TRUNCATED when the connection broke before its end. */
export async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw response.complete ? error : truncated(error);
  }
  if (!response.complete) throw truncated(undefined);
  return Buffer.concat(chunks).toString('utf8');
}

function truncated(cause: unknown): Error {
  return Object.assign(new Error('the connection broke before the answer was complete', { cause }), {
    code: 'ERR_TRUNCATED',
  });
}

function closeIdle(pools: Pools): void {
  for (const agent of [pools.calls, pools.watches])
    for (const sockets of Object.values(agent.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
}

function destroy(pools: Pools): void {
  pools.calls.destroy();
  pools.watches.destroy();
}

function plainHeaders(headers: Headers): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : [...value]]],
    ),
  );
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw plumbError('Cancelled', { message: 'cancelled', cause: signal.reason });
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && error.name === 'PlumbError';
}
