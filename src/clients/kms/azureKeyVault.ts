import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { Secret } from '../../base/secret.ts';
import { isPrivateUrl } from '../http/requestJson.ts';
import { askKeyService, keyRefused, privateUrl } from './keyService.ts';

/** Gives a token for a resource (`https://vault.azure.net`). Throws DecryptionFailed. */
export type AzureLogin = (resource: string, signal: AbortSignal) => Promise<Secret<string>>;

/** A key of Azure Key Vault, as a file names it. */
export interface AzureKey {
  readonly vaultUrl: string;
  readonly name: string;
  readonly version: string;
}

/** What a key of Azure Key Vault has wrapped. Throws DecryptionFailed. */
export async function unwrapWithAzure(
  key: AzureKey,
  enc: string,
  login: AzureLogin,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { value } = await call(key, 'decrypt', enc, login, signal);
  return Buffer.from(value, 'base64url');
}

/** The bytes, wrapped by a key of Azure Key Vault, and the version that wrapped them. Throws DecryptionFailed. */
export async function wrapWithAzure(
  key: AzureKey,
  bytes: Uint8Array,
  login: AzureLogin,
  signal: AbortSignal,
): Promise<{ readonly enc: string; readonly version: string }> {
  const { value, version } = await call(
    key,
    'encrypt',
    Buffer.from(bytes).toString('base64url'),
    login,
    signal,
  );
  return { enc: value, version: key.version === '' ? version : key.version };
}

const apiVersion = '7.4';

async function call(
  { vaultUrl, name, version }: AzureKey,
  operation: 'encrypt' | 'decrypt',
  value: string,
  login: AzureLogin,
  signal: AbortSignal,
): Promise<{ readonly value: string; readonly version: string }> {
  const vault = privateUrl(vaultUrl, 'the Azure key vault');
  const path = ['keys', name, ...(version === '' ? [] : [version]), operation].map(encodeURIComponent);
  const url = new URL(`/${path.join('/')}?api-version=${apiVersion}`, vault);
  const token = await login(await resourceOf(url, signal), signal);
  const answer = await askKeyService({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token.reveal()}` },
    body: JSON.stringify({ alg: 'RSA-OAEP-256', value }),
    signal,
  });
  const body: JsonObject = isJsonObject(answer.value) ? answer.value : {};
  const [result, kid] = [body['value'], body['kid']];
  if (answer.status === 200 && typeof result === 'string')
    return { value: result, version: typeof kid === 'string' ? (kid.split('/').at(-1) ?? '') : '' };
  const error = isJsonObject(body['error']) ? body['error'] : {};
  throw keyRefused({
    service: `azure key vault ${vault.host}`,
    operation,
    status: answer.status,
    words: [error['code'], error['message']],
    hint:
      answer.status === 403
        ? `the login needs the right to ${operation} with keys of this vault`
        : 'are the vault, the name and the version of the key right?',
  });
}

/**
 * For whom a token must be: the vault says so to who asks without one. A file names the vault, so what it says is
 * believed only where the vault's host lies in the resource's domain: a token for another service goes nowhere.
 */
async function resourceOf(url: URL, signal: AbortSignal): Promise<string> {
  const { status, headers } = await askKeyService({ method: 'POST', url, body: '', signal });
  const challenge = headers['www-authenticate'] ?? '';
  const named = /\b(?:resource|scope)="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const resource = URL.canParse(named) ? new URL(named) : undefined;
  if (status === 401 && resource !== undefined && isPrivateUrl(resource))
    if (url.host === resource.host || url.host.endsWith(`.${resource.host}`)) return resource.origin;
  throw plumbError('DecryptionFailed', {
    message: `${url.host} does not answer as an Azure key vault: HTTP ${status}`,
    hint: 'is the address of the vault right?',
  });
}
