import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
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
  /** A token of its own with those claims. */
  sign(claims: object): string;
  close(): Promise<void>;
}

export interface OidcIssuerOptions {
  /** It speaks TLS with this certificate, as API servers want it. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export async function startOidcIssuer({ tls }: OidcIssuerOptions = {}): Promise<OidcIssuer> {
  const grants: Record<string, string>[] = [];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicKey = createPublicKey(privateKey).export({ format: 'jwk' });
  const serve: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const send = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (request.url === '/.well-known/openid-configuration')
        return send(200, {
          issuer: issuer.url,
          token_endpoint: `${issuer.url}/token`,
          jwks_uri: `${issuer.url}/keys`,
          id_token_signing_alg_values_supported: ['RS256'],
          ...issuer.discovery,
        });
      if (request.url === '/keys')
        return send(200, { keys: [{ ...publicKey, kid: 'only', alg: 'RS256', use: 'sig' }] });
      if (request.url !== '/token' || request.method !== 'POST') return send(404, {});
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      const { authorization } = request.headers;
      grants.push({ ...form, ...(authorization !== undefined && { authorization }) });
      send(issuer.answers.status, issuer.answers.body);
    });
  };
  const server =
    tls === undefined ? createServer(serve) : createTlsServer({ cert: tls.certificate, key: tls.key }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer: OidcIssuer = {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    grants,
    answers: { status: 500, body: {} },
    discovery: {},
    sign(claims) {
      const header = { alg: 'RS256', kid: 'only', typ: 'JWT' };
      const text = [header, { iss: issuer.url, ...claims }].map(encoded).join('.');
      return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
    },
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
  return `${encoded({ alg: 'none' })}.${encoded({ exp })}.`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
