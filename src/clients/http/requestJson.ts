import { request as requestPlain, type IncomingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';
import { parseJson, type JsonValue } from '../../base/json.ts';

/** One question to a service whose answers are short JSON. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST';
  /** http or https; the caller judges whether plain HTTP will do. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Authorities in place of the system's. */
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
 * Asks once, over a connection of its own. Follows no redirect, so that a token goes to one host only; waits 30 s and
 * reads 1 MB at most. Rejects with the error of the connection, or the reason of the signal.
 */
export function requestJson({ method, url, headers, body, ca, signal }: JsonRequest): Promise<JsonAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const options = {
    method,
    agent: false as const,
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(signal?.aborted === true ? abortReason(signal) : error);
    const request =
      url.protocol === 'http:'
        ? requestPlain(url, options)
        : requestTls(url, { ...options, ...(ca !== undefined && { ca: [...ca] }) });
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
