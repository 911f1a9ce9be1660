import { request } from 'node:https';
import type { AdministratorAccess } from './sandboxFolder.ts';

export interface ApiResponse {
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 60_000;

/** One request to the sandbox's API server as its administrator. Throws when it cannot be reached. */
export function apiRequest(
  access: AdministratorAccess,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<ApiResponse> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, access.server),
      {
        method,
        agent: false,
        ca: access.authority,
        cert: access.certificate,
        key: access.key,
        timeout: timeoutMs,
        headers: {
          accept: 'application/json',
          ...(content !== undefined && { 'content-type': 'application/json' }),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}
