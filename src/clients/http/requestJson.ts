import { request as requestPlain, type IncomingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseJson, type JsonValue } from '../../base/json.ts';
import { environmentProxy } from './environmentProxy.ts';
import { openTunnel } from './tunnel.ts';
import { trustedAuthorities } from './trustedAuthorities.ts';

/** One question to a service whose answers are short JSON. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST';
  /** http or https; the caller judges whether plain HTTP will do. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Authorities in place of those that are trusted anyway. */
  readonly ca?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Null when the body is no JSON: its text may hold a token and is not told. */
  readonly value: JsonValue;
}

const timeoutMs = 30_000;
const maxAnswerBytes = 1024 * 1024;

/**
 * Asks once, over a connection of its own, through the proxy of the environment where there is one. Follows no redirect, so
 * that a token goes to one host only; waits 30 s and reads 1 MB at most. Rejects with the error of the connection, or the
 * reason of the signal.
 */
export async function requestJson({
  method,
  url,
  headers,
  body,
  ca,
  signal,
}: JsonRequest): Promise<JsonAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const ended = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const tls = { ca: ca === undefined ? trustedAuthorities() : [...ca] };
  const tunnel = await tunnelTo(url, tls, ended).catch((error: unknown) => {
    throw signal?.aborted === true ? abortReason(signal) : error;
  });
  const options = {
    method,
    signal: ended,
    ...(tunnel === undefined ? { agent: false as const } : { createConnection: () => tunnel }),
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(signal?.aborted === true ? abortReason(signal) : error);
    const request =
      url.protocol === 'http:' ? requestPlain(url, options) : requestTls(url, { ...options, ...tls });
    request.on('error', failed);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswerBytes) request.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', failed);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          value: jsonOf(Buffer.concat(chunks).toString()),
        }),
      );
    });
    request.end(body);
  });
}

/** The way to the host through the environment's proxy; undefined where there is none. */
async function tunnelTo(url: URL, tls: { ca: string[] }, signal: AbortSignal): Promise<Socket | undefined> {
  const proxy = environmentProxy(url, process.env);
  if (proxy === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const socket = await openTunnel(proxy.url, { host, port }, { ca: trustedAuthorities() }, signal);
  if (url.protocol === 'http:') return socket;
  return connectTls({ ...tls, socket, ...(isIP(host) === 0 && { servername: host }) });
}

/** True for https, and for plain HTTP that does not leave the machine: nobody can read a token on the way. */
export function isPrivateUrl({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function abortReason({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('cancelled', { cause: reason });
}

function jsonOf(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}
