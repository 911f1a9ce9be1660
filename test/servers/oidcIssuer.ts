import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OpenID Connect issuer on loopback that renews logins. */
export interface OidcIssuer {
  readonly url: string;
  /** What the token endpoint was sent, oldest first: the form's fields, and the Authorization header where there was one. */
  readonly grants: readonly Readonly<Record<string, string>>[];
  /** What it answers from now on. */
  answers: { readonly status: number; readonly body: object };
  /** Members of the discovery document beside or instead of its own. */
  discovery: object;
  close(): Promise<void>;
}

export async function startOidcIssuer(): Promise<OidcIssuer> {
  const grants: Record<string, string>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const send = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (request.url === '/.well-known/openid-configuration')
        return send(200, { issuer: issuer.url, token_endpoint: `${issuer.url}/token`, ...issuer.discovery });
      if (request.url !== '/token' || request.method !== 'POST') return send(404, {});
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      const { authorization } = request.headers;
      grants.push({ ...form, ...(authorization !== undefined && { authorization }) });
      send(issuer.answers.status, issuer.answers.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer: OidcIssuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    grants,
    answers: { status: 500, body: {} },
    discovery: {},
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return issuer;
}

/** A token nobody signed that expires at that time, in seconds since the epoch. */
export function unsignedToken(exp: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp })}.`;
}
