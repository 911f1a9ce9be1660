import { createPrivateKey, type KeyObject } from 'node:crypto';
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { keptToken, requestToken, signedToken, type AccessToken, type TokenSource } from './accessToken.ts';
import type { GcpLogin } from './gcpKms.ts';
import { askKeyService, privateUrl, shortWords } from './keyService.ts';

const scope = 'https://www.googleapis.com/auth/cloud-platform';
const googleTokenEndpoint = 'https://oauth2.googleapis.com/token';

/**
 * The login of credentials as Google writes them: of a service account, of a user (gcloud auth application-default
 * login), or of either on behalf of a service account. Those that would read other files or run programs are refused: a
 * Secret of the cluster must not decide what is read on this machine. Throws DecryptionFailed, never with the text.
 */
export function gcpLoginOf(text: string, endpoint: string | undefined): GcpLogin {
  const credentials = parseCredentials(text);
  const universe = textOf(credentials['universe_domain']) ?? 'googleapis.com';
  const token = tokenSourceOf(credentials);
  return async (signal) => ({
    token: await token(signal),
    endpoint: endpoint ?? `https://cloudkms.${universe}`,
  });
}

/** Where the user's environment says Cloud KMS is; undefined where the credentials decide. */
export function gcpEndpoint(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const endpoint = environment['SOPS_GCP_KMS_ENDPOINT'];
  if (endpoint !== undefined && endpoint !== '')
    return /^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`;
  const universe = environment['SOPS_GCP_KMS_UNIVERSE_DOMAIN'];
  return universe === undefined || universe === '' ? undefined : `https://cloudkms.${universe}`;
}

function parseCredentials(text: string): JsonObject {
  try {
    const value = parseJson(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, without a word of the text.
  }
  throw plumbError('DecryptionFailed', { message: 'the Google credentials are no JSON object' });
}

function tokenSourceOf(credentials: JsonObject): TokenSource {
  switch (credentials['type']) {
    case 'service_account':
      return serviceAccount(credentials);
    case 'authorized_user':
      return authorizedUser(credentials);
    case 'impersonated_service_account':
      return impersonated(credentials);
    default:
      throw plumbError('DecryptionFailed', {
        message: `Google credentials of type ${JSON.stringify(credentials['type'] ?? '')} are not used`,
        hint: 'give those of a service account; working locally, GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)" serves for every login',
      });
  }
}

/** RFC 7523: the account's key signs what asks for a token. */
function serviceAccount(credentials: JsonObject): TokenSource {
  const email = requireText(credentials, 'client_email');
  const key = privateKeyOf(requireText(credentials, 'private_key'));
  const kid = textOf(credentials['private_key_id']);
  const endpoint = textOf(credentials['token_uri']) ?? googleTokenEndpoint;
  return keptToken((signal) => {
    const now = Math.floor(Date.now() / 1000);
    const assertion = signedToken(
      { alg: 'RS256', ...(kid !== undefined && { kid }) },
      { iss: email, scope, aud: endpoint, iat: now, exp: now + 3600 },
      key,
    );
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return requestToken(endpoint, form, `the service account ${email}`, signal);
  });
}

function authorizedUser(credentials: JsonObject): TokenSource {
  const form = {
    grant_type: 'refresh_token',
    client_id: requireText(credentials, 'client_id'),
    client_secret: requireText(credentials, 'client_secret'),
    refresh_token: requireText(credentials, 'refresh_token'),
  };
  const endpoint = textOf(credentials['token_uri']) ?? googleTokenEndpoint;
  return keptToken((signal) => requestToken(endpoint, form, 'your Google login', signal));
}

function impersonated(credentials: JsonObject): TokenSource {
  const source = credentials['source_credentials'];
  if (!isJsonObject(source) || source['type'] === 'impersonated_service_account')
    throw plumbError('DecryptionFailed', { message: 'the Google credentials have no source_credentials' });
  const own = tokenSourceOf(source);
  const url = privateUrl(
    requireText(credentials, 'service_account_impersonation_url'),
    'the account to impersonate',
  );
  return keptToken(async (signal): Promise<AccessToken> => {
    const { status, value } = await askKeyService({
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${(await own(signal)).reveal()}`,
      },
      body: JSON.stringify({ scope: [scope], delegates: credentials['delegates'] ?? [] }),
      signal,
    });
    const answer = isJsonObject(value) ? value : {};
    const token = textOf(answer['accessToken']);
    const expiresAt = Date.parse(textOf(answer['expireTime']) ?? '');
    if (status === 200 && token !== undefined)
      return { token: new Secret(token), expiresAt: Number.isNaN(expiresAt) ? 0 : expiresAt };
    const error = isJsonObject(answer['error']) ? answer['error'] : {};
    throw plumbError('DecryptionFailed', {
      message: `${url.host} refused to impersonate: HTTP ${status} (${shortWords([error['status'], error['message']])})`,
      hint: 'the login needs iam.serviceAccounts.getAccessToken on the service account',
    });
  });
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The library's words may quote the key.
    throw plumbError('DecryptionFailed', {
      message: 'the Google credentials hold no private key that can be read',
    });
  }
}

function requireText(credentials: JsonObject, name: string): string {
  const value = textOf(credentials[name]);
  if (value !== undefined) return value;
  throw plumbError('DecryptionFailed', { message: `the Google credentials have no ${name}` });
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
