import type { Key } from 'openpgp';
import { plumbError } from '../../base/plumbError.ts';
import type { Secret } from '../../base/secret.ts';
import type { AgeIdentity } from './ageKeys.ts';
import { unwrapWithPgp, wrapWithPgp } from './pgpKeys.ts';
import { unwrapWithVault, wrapWithVault, type TransitKey } from './vaultTransit.ts';

/** Loaded when a file needs it: post-quantum keys bring a lot of arithmetic. */
const age = () => import('./ageKeys.ts');

/** What a run may unwrap data keys with. */
export interface KeyRing {
  readonly age: readonly AgeIdentity[];
  readonly pgp: readonly Key[];
  readonly vaultToken?: Secret<string>;
  /** Where its keys come from, for messages: a Secret, the user's key files. */
  readonly origin: string;
  /** Why there are no keys, where they could not be read. */
  readonly problem?: string;
}

export const emptyKeyRing: KeyRing = { age: [], pgp: [], origin: 'nowhere' };

/** One entry of a file's metadata: the kind of the key, its members, and what it wraps. */
export interface WrappedKey {
  readonly type: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly enc: string;
}

/** What the key wraps. Throws DecryptionFailed; a kind of key that Plumb cannot use is named with the remedy. */
export async function unwrapKey(ring: KeyRing, key: WrappedKey, signal: AbortSignal): Promise<Uint8Array> {
  switch (key.type) {
    case 'age':
      return (await age()).unwrapWithAge(key.enc, ring.age);
    case 'pgp':
      return unwrapWithPgp(key.enc, ring.pgp);
    case 'hc_vault':
      return unwrapWithVault(transitKeyOf(key), key.enc, requireToken(ring), signal);
    default:
      throw unsupported(key.type);
  }
}

/** The bytes wrapped for the key, as its `enc`. Throws DecryptionFailed. */
export async function wrapKey(
  ring: KeyRing,
  key: WrappedKey,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<string> {
  switch (key.type) {
    case 'age':
      return (await age()).wrapWithAge(key.fields.get('recipient') ?? '', bytes);
    case 'pgp':
      return wrapWithPgp(key.fields.get('fp') ?? '', bytes, ring.pgp);
    case 'hc_vault':
      return wrapWithVault(transitKeyOf(key), bytes, requireToken(ring), signal);
    default:
      throw unsupported(key.type);
  }
}

function transitKeyOf({ fields }: WrappedKey): TransitKey {
  return {
    address: fields.get('vault_address') ?? '',
    enginePath: fields.get('engine_path') ?? '',
    keyName: fields.get('key_name') ?? '',
  };
}

function requireToken({ vaultToken }: KeyRing): Secret<string> {
  if (vaultToken !== undefined) return vaultToken;
  throw plumbError('DecryptionFailed', {
    message: 'no token for Vault was given',
    hint: 'put it under sops.vault-token of the Secret that spec.decryption.secretRef names, or set VAULT_TOKEN',
  });
}

const cloudNames: Readonly<Record<string, string>> = {
  kms: 'AWS KMS',
  gcp_kms: 'Google Cloud KMS',
  azure_kv: 'Azure Key Vault',
  hckms: 'Huawei Cloud KMS',
};

function unsupported(type: string): Error {
  return plumbError('DecryptionFailed', {
    message: `keys of ${cloudNames[type] ?? type} are not supported yet`,
    hint: 'add an age recipient to the file (sops updatekeys), or let the controllers in the cluster decrypt it',
  });
}
