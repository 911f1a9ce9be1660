import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { plumbError } from '../../base/plumbError.ts';
import { stringifyJson, type JsonObject, type JsonValue } from '../../base/json.ts';

export interface JsonRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly signal: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  /** Null when the body is no JSON. */
  readonly value: JsonValue;
}

const timeoutMs = 30_000;
const maxAnswerBytes = 1024 * 1024;

/** Posts JSON to a key service. Follows no redirect, so a token goes to one host only. Throws DecryptionFailed. */
export function requestJson({ url, headers, body, signal }: JsonRequest): Promise<JsonAnswer> {
  const target = parseUrl(url);
  const content = stringifyJson(body);
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void =>
      reject(
        signal.aborted
          ? cause
          : plumbError('DecryptionFailed', {
              message: `cannot reach ${target.host}: ${cause.message}`,
              cause,
            }),
      );
    const request = (target.protocol === 'http:' ? requestPlain : requestTls)(
      target,
      {
        method: 'POST',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': String(Buffer.byteLength(content)),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswerBytes) request.destroy(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', failed);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, value: jsonOf(Buffer.concat(chunks).toString()) }),
        );
      },
    );
    request.on('error', failed);
    request.end(content);
  });
}

function parseUrl(url: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target;
  throw plumbError('DecryptionFailed', { message: 'the address of the key service is no http or https URL' });
}

function jsonOf(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}
