import type { Key } from 'openpgp';
import { plumbError } from '../../base/plumbError.ts';
import type { AgeIdentity } from './ageKeys.ts';
import type { AwsKey, AwsLogin } from './awsKms.ts';
import type { AzureKey, AzureLogin } from './azureKeyVault.ts';
import type { GcpLogin } from './gcpKms.ts';
import { unwrapWithPgp, wrapWithPgp } from './pgpKeys.ts';
import type { TransitKey, VaultLogin } from './vaultTransit.ts';

/** Loaded when a file needs them: post-quantum keys bring a lot of arithmetic, a cloud its own way to ask. */
const age = () => import('./ageKeys.ts');
const aws = () => import('./awsKms.ts');
const gcp = () => import('./gcpKms.ts');
const azure = () => import('./azureKeyVault.ts');
const vault = () => import('./vaultTransit.ts');

/** What a run may unwrap data keys with: keys, and logins at services that keep theirs. */
export interface KeyRing {
  readonly age: readonly AgeIdentity[];
  readonly pgp: readonly Key[];
  readonly vault?: VaultLogin;
  readonly aws?: AwsLogin;
  readonly gcp?: GcpLogin;
  readonly azure?: AzureLogin;
  /** What tells one login at a service from another: the answer to one is kept for it alone, without one for none. */
  readonly loginIds?: Readonly<Partial<Record<KeyService, string>>>;
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
  /** The encryption context of a key of AWS KMS. */
  readonly context?: ReadonlyMap<string, string>;
  readonly enc: string;
}

/** What a key wraps now, and the members that its service filled in. */
export interface Wrapping {
  readonly enc: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** What the key wraps. Throws DecryptionFailed; a kind of key that Plumb cannot use is named with the remedy. */
export async function unwrapKey(ring: KeyRing, key: WrappedKey, signal: AbortSignal): Promise<Uint8Array> {
  const { enc } = key;
  switch (key.type) {
    case 'age':
      return (await age()).unwrapWithAge(enc, ring.age);
    case 'pgp':
      return unwrapWithPgp(enc, ring.pgp);
    case 'hc_vault':
      return (await vault()).unwrapWithVault(transitKeyOf(key), enc, loginOf(ring, 'vault'), signal);
    case 'kms':
      return (await aws()).unwrapWithAws(awsKeyOf(key), enc, loginOf(ring, 'aws'), signal);
    case 'gcp_kms':
      return (await gcp()).unwrapWithGcp(textOf(key, 'resource_id'), enc, loginOf(ring, 'gcp'), signal);
    case 'azure_kv':
      return (await azure()).unwrapWithAzure(azureKeyOf(key), enc, loginOf(ring, 'azure'), signal);
    default:
      throw unsupported(key.type);
  }
}

/** The bytes wrapped for the key. Throws DecryptionFailed. */
export async function wrapKey(
  ring: KeyRing,
  key: WrappedKey,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Wrapping> {
  switch (key.type) {
    case 'age':
      return { enc: await (await age()).wrapWithAge(textOf(key, 'recipient'), bytes) };
    case 'pgp':
      return { enc: await wrapWithPgp(textOf(key, 'fp'), bytes, ring.pgp) };
    case 'hc_vault':
      return {
        enc: await (await vault()).wrapWithVault(transitKeyOf(key), bytes, loginOf(ring, 'vault'), signal),
      };
    case 'kms':
      return { enc: await (await aws()).wrapWithAws(awsKeyOf(key), bytes, loginOf(ring, 'aws'), signal) };
    case 'gcp_kms': {
      const { wrapWithGcp } = await gcp();
      return { enc: await wrapWithGcp(textOf(key, 'resource_id'), bytes, loginOf(ring, 'gcp'), signal) };
    }
    case 'azure_kv': {
      const { wrapWithAzure } = await azure();
      const { enc, version } = await wrapWithAzure(azureKeyOf(key), bytes, loginOf(ring, 'azure'), signal);
      return { enc, fields: { version } };
    }
    default:
      throw unsupported(key.type);
  }
}

/** A service that keeps the keys and unwraps with them. */
export type KeyService = 'vault' | 'aws' | 'gcp' | 'azure';

/** By the type of a key that lies with a service: what the service is called, its login, and the entry of a Secret for it. */
const services: Readonly<
  Record<string, { readonly login: KeyService; readonly name: string; readonly entry: string }>
> = {
  hc_vault: { login: 'vault', name: 'Vault', entry: 'sops.vault-token' },
  kms: { login: 'aws', name: 'AWS KMS', entry: 'sops.aws-kms' },
  gcp_kms: { login: 'gcp', name: 'Google Cloud KMS', entry: 'sops.gcp-kms' },
  azure_kv: { login: 'azure', name: 'Azure Key Vault', entry: 'sops.azure-kv' },
};

/** The service that keeps the key; undefined for one that is at hand. */
export function serviceOf({ type }: WrappedKey): KeyService | undefined {
  return services[type]?.login;
}

/** The cloud whose key this is where the ring has no login for it: there the controllers use their workload identity. */
export function cloudWithoutLogin(ring: KeyRing, type: string): string | undefined {
  const service = services[type];
  if (service === undefined || service.login === 'vault' || ring[service.login] !== undefined)
    return undefined;
  return service.name;
}

function loginOf<S extends KeyService>(ring: KeyRing, login: S): NonNullable<KeyRing[S]> {
  const found = ring[login];
  if (found !== undefined) return found;
  const service = Object.values(services).find((candidate) => candidate.login === login);
  const own = login === 'vault' ? ', or set VAULT_TOKEN and VAULT_ADDR' : '';
  throw plumbError('DecryptionFailed', {
    message: `no ${login === 'vault' ? 'token' : 'login'} for ${service?.name ?? login} was given`,
    hint: `put it under ${service?.entry ?? ''} of the Secret that spec.decryption.secretRef names${own}`,
  });
}

function transitKeyOf(key: WrappedKey): TransitKey {
  return {
    address: textOf(key, 'vault_address'),
    enginePath: textOf(key, 'engine_path'),
    keyName: textOf(key, 'key_name'),
  };
}

function awsKeyOf(key: WrappedKey): AwsKey {
  const [role, profile] = [textOf(key, 'role'), textOf(key, 'aws_profile')];
  return {
    arn: textOf(key, 'arn'),
    ...(role !== '' && { role }),
    ...(profile !== '' && { profile }),
    context: Object.fromEntries(key.context ?? []),
  };
}

function azureKeyOf(key: WrappedKey): AzureKey {
  return {
    vaultUrl: textOf(key, 'vault_url'),
    name: textOf(key, 'name'),
    version: textOf(key, 'version'),
  };
}

function textOf({ fields }: WrappedKey, name: string): string {
  return fields.get(name) ?? '';
}

function unsupported(type: string): Error {
  return plumbError('DecryptionFailed', {
    message: `keys of ${type === 'hckms' ? 'Huawei Cloud KMS' : type} are not supported`,
    hint: 'add an age recipient to the file (sops updatekeys), or let the controllers in the cluster decrypt it',
  });
}
