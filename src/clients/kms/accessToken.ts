import { constants, sign, type KeyObject } from 'node:crypto';
import { isJsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { askKeyService, privateUrl, shortWords } from './keyService.ts';

/** A token of OAuth 2, and until when it is good, in milliseconds since the epoch. */
export interface AccessToken {
  readonly token: Secret<string>;
  readonly expiresAt: number;
}

/** Gives a token that is good for a while yet. Throws DecryptionFailed. */
export type TokenSource = (signal: AbortSignal) => Promise<Secret<string>>;

const expiryMarginMs = 60_000;

/** Keeps a token in memory until it is about to expire. */
export function keptToken(fetchToken: (signal: AbortSignal) => Promise<AccessToken>): TokenSource {
  let kept: AccessToken | undefined;
  return async (signal) => {
    if (kept === undefined || kept.expiresAt - expiryMarginMs < Date.now()) kept = await fetchToken(signal);
    return kept.token;
  };
}

/** Asks a token endpoint (RFC 6749). `who` names the login in messages. Throws DecryptionFailed, never with a secret. */
export async function requestToken(
  endpoint: string,
  form: Readonly<Record<string, string>>,
  who: string,
  signal: AbortSignal,
): Promise<AccessToken> {
  const url = privateUrl(endpoint, `the token endpoint of ${who}`);
  const { status, value } = await askKeyService({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
    signal,
  });
  const answer = isJsonObject(value) ? value : {};
  const token = answer['access_token'];
  if (status === 200 && typeof token === 'string' && token !== '') {
    const seconds = Number(answer['expires_in'] ?? 0);
    return {
      token: new Secret(token),
      expiresAt: Date.now() + (Number.isFinite(seconds) ? seconds : 0) * 1000,
    };
  }
  const words = shortWords([answer['error'], answer['error_description']]);
  throw plumbError('DecryptionFailed', {
    message: `${who}: ${url.host} gave no token: HTTP ${status}${words === '' ? '' : ` (${words})`}`,
    hint: 'the credentials may have expired or been revoked',
  });
}

/** A signed JSON Web Token: RS256, or PS256 where the header says so. */
export function signedToken(
  header: Readonly<Record<string, unknown>> & { readonly alg: 'RS256' | 'PS256' },
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject,
): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = `${encode({ typ: 'JWT', ...header })}.${encode(claims)}`;
  const padding =
    header.alg === 'PS256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {};
  return `${content}.${sign('sha256', Buffer.from(content), { key, ...padding }).toString('base64url')}`;
}
