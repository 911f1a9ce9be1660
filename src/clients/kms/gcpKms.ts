import { isJsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { Secret } from '../../base/secret.ts';
import { askKeyService, keyRefused, privateUrl } from './keyService.ts';

/** What it takes to ask Google Cloud KMS. */
export interface GcpAccess {
  readonly token: Secret<string>;
  /** `https://cloudkms.googleapis.com`, or that of another universe. */
  readonly endpoint: string;
}

/** Gives access that is good for a while yet. Throws DecryptionFailed. */
export type GcpLogin = (signal: AbortSignal) => Promise<GcpAccess>;

/** What a key of Google Cloud KMS has wrapped. Throws DecryptionFailed. */
export async function unwrapWithGcp(
  resourceId: string,
  enc: string,
  login: GcpLogin,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const plaintext = await call(resourceId, 'decrypt', { ciphertext: enc }, 'plaintext', login, signal);
  return Buffer.from(plaintext, 'base64');
}

/** The bytes, wrapped by a key of Google Cloud KMS. Throws DecryptionFailed. */
export function wrapWithGcp(
  resourceId: string,
  bytes: Uint8Array,
  login: GcpLogin,
  signal: AbortSignal,
): Promise<string> {
  const plaintext = Buffer.from(bytes).toString('base64');
  return call(resourceId, 'encrypt', { plaintext }, 'ciphertext', login, signal);
}

const resourcePattern = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;

async function call(
  resourceId: string,
  operation: 'encrypt' | 'decrypt',
  body: Readonly<Record<string, string>>,
  member: string,
  login: GcpLogin,
  signal: AbortSignal,
): Promise<string> {
  if (!resourcePattern.test(resourceId))
    throw plumbError('DecryptionFailed', {
      message: 'google cloud kms: that is no resource id of a key',
      hint: 'write projects/P/locations/L/keyRings/R/cryptoKeys/K',
    });
  const { token, endpoint } = await login(signal);
  const base = privateUrl(endpoint, 'Google Cloud KMS');
  const path = resourceId.split('/').map(encodeURIComponent).join('/');
  const answer = await askKeyService({
    method: 'POST',
    url: new URL(`/v1/${path}:${operation}`, base),
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token.reveal()}`,
    },
    body: JSON.stringify(body),
    signal,
  });
  const value = isJsonObject(answer.value) ? answer.value : {};
  const text = value[member];
  if (answer.status === 200 && typeof text === 'string') return text;
  const error = isJsonObject(value['error']) ? value['error'] : {};
  throw keyRefused({
    service: 'google cloud kms',
    operation,
    status: answer.status,
    words: [error['status'], error['message']],
    hint:
      answer.status === 403
        ? `the login needs cloudkms.cryptoKeyVersions.useTo${operation === 'encrypt' ? 'Encrypt' : 'Decrypt'} on the key`
        : 'is the resource id right, and the key enabled?',
  });
}
