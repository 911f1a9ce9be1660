import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { Secret } from '../../base/secret.ts';
import { askKeyService, keyRefused } from './keyService.ts';

/** A key of a transit engine of Vault or OpenBao. */
export interface TransitKey {
  readonly address: string;
  readonly enginePath: string;
  readonly keyName: string;
}

export interface VaultLogin {
  readonly token: Secret<string>;
  readonly namespace?: string;
  /** The servers that may get the token; any where absent. A file names its server, and anybody may have written it. */
  readonly addresses?: readonly string[];
}

/** What the transit engine has wrapped (`vault:v1:…`). Throws DecryptionFailed. */
export async function unwrapWithVault(
  key: TransitKey,
  enc: string,
  login: VaultLogin,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const plaintext = await call(key, 'decrypt', { ciphertext: enc }, 'plaintext', login, signal);
  return Buffer.from(plaintext, 'base64');
}

/** The bytes, wrapped by the transit engine. Throws DecryptionFailed. */
export function wrapWithVault(
  key: TransitKey,
  bytes: Uint8Array,
  login: VaultLogin,
  signal: AbortSignal,
): Promise<string> {
  const plaintext = Buffer.from(bytes).toString('base64');
  return call(key, 'encrypt', { plaintext }, 'ciphertext', login, signal);
}

async function call(
  key: TransitKey,
  operation: 'encrypt' | 'decrypt',
  body: JsonObject,
  member: string,
  login: VaultLogin,
  signal: AbortSignal,
): Promise<string> {
  const path = `${key.enginePath}/${operation}/${key.keyName}`.split('/').map(encodeURIComponent).join('/');
  const { status, value } = await askKeyService({
    method: 'POST',
    url: serverUrl(key, login, path),
    headers: {
      'content-type': 'application/json',
      'X-Vault-Token': login.token.reveal(),
      ...(login.namespace !== undefined && { 'X-Vault-Namespace': login.namespace }),
    },
    body: JSON.stringify(body),
    signal,
  });
  const answer = isJsonObject(value) ? value : {};
  const result = isJsonObject(answer['data']) ? answer['data'][member] : undefined;
  if (status === 200 && typeof result === 'string') return result;
  throw keyRefused({
    service: `vault ${key.address}`,
    operation,
    status,
    words: Array.isArray(answer['errors']) ? answer['errors'] : [],
    hint:
      status === 403
        ? 'the token may not use this transit key'
        : 'is the address, engine path and key right?',
  });
}

function serverUrl({ address }: TransitKey, { addresses }: VaultLogin, path: string): URL {
  const base = address.replace(/\/+$/, '');
  const url = URL.canParse(`${base}/v1/${path}`) ? new URL(`${base}/v1/${path}`) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw plumbError('DecryptionFailed', { message: 'the address of Vault is no http or https URL' });
  if (addresses?.some((allowed) => allowed.replace(/\/+$/, '') === base) === false)
    throw plumbError('DecryptionFailed', {
      message: `your Vault token is not sent to ${url.origin}, which the file names`,
      hint: `set VAULT_ADDR=${base}, or name it in SOPS_HC_VAULT_ALLOWLIST, if that is your server`,
    });
  return url;
}
