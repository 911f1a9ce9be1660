import { requestJson } from './requestJson.ts';
import { plumbError } from '../../base/plumbError.ts';
import { isJsonObject } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';

/** A key of a transit engine of Vault or OpenBao. */
export interface TransitKey {
  readonly address: string;
  readonly enginePath: string;
  readonly keyName: string;
}

/** What the transit engine has wrapped (`vault:v1:…`). Throws DecryptionFailed. */
export async function unwrapWithVault(
  key: TransitKey,
  enc: string,
  token: Secret<string>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const plaintext = await call(key, 'decrypt', { ciphertext: enc }, 'plaintext', token, signal);
  return Buffer.from(plaintext, 'base64');
}

/** The bytes, wrapped by the transit engine. Throws DecryptionFailed. */
export function wrapWithVault(
  key: TransitKey,
  bytes: Uint8Array,
  token: Secret<string>,
  signal: AbortSignal,
): Promise<string> {
  const plaintext = Buffer.from(bytes).toString('base64');
  return call(key, 'encrypt', { plaintext }, 'ciphertext', token, signal);
}

async function call(
  key: TransitKey,
  operation: 'encrypt' | 'decrypt',
  body: { readonly [name: string]: string },
  member: string,
  token: Secret<string>,
  signal: AbortSignal,
): Promise<string> {
  const path = `${key.enginePath}/${operation}/${key.keyName}`.split('/').map(encodeURIComponent).join('/');
  const answer = await requestJson({
    url: `${key.address.replace(/\/+$/, '')}/v1/${path}`,
    headers: { 'X-Vault-Token': token.reveal() },
    body,
    signal,
  });
  const data = isJsonObject(answer.value) && isJsonObject(answer.value['data']) ? answer.value['data'] : {};
  const value = data[member];
  if (answer.status === 200 && typeof value === 'string') return value;
  throw plumbError('DecryptionFailed', {
    message: `vault ${key.address} refused to ${operation}: HTTP ${answer.status}`,
    hint:
      answer.status === 403
        ? 'the token may not use this transit key'
        : 'is the address, engine path and key right?',
  });
}
