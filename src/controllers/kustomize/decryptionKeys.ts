import { sha256Digest } from '../../base/digest.ts';
import { isJsonObject } from '../../base/json.ts';
import { asPlumbError, plumbError } from '../../base/plumbError.ts';
import type { AgeIdentity } from '../../clients/kms/ageKeys.ts';
import { emptyKeyRing, type KeyRing } from '../../clients/kms/keyRing.ts';
import { parsePgpKeys } from '../../clients/kms/pgpKeys.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { loginEntries, type Logins } from './decryptionLogins.ts';
import type { KustomizeContext } from './kustomizeContext.ts';

/**
 * The keys of spec.decryption: of the Secret it names, else (age only) of the Secret that the controller is told with
 * `--sops-age-secret`. Throws BuildFailed when the Secret is missing or holds a broken key.
 */
export async function loadDecryptionKeys(
  ctx: KustomizeContext,
  kustomization: Kustomization,
): Promise<KeyRing> {
  const { decryption } = kustomization.spec;
  const { sopsAgeSecret, runtimeNamespace } = ctx.profile;
  if (decryption?.secretRef !== undefined)
    return readKeys(ctx, kustomization.metadata.namespace ?? '', decryption.secretRef.name, importAll);
  if (sopsAgeSecret !== undefined) return readKeys(ctx, runtimeNamespace, sopsAgeSecret, importAgeOnly);
  return emptyKeyRing;
}

/** Loaded when there are keys to read. */
const ageKeys = () => import('../../clients/kms/ageKeys.ts');

/** Entries of a Secret by name, decoded. */
type Entries = readonly (readonly [name: string, value: Buffer])[];
type Import = (entries: Entries, origin: string) => Promise<KeyRing>;

async function readKeys(
  ctx: KustomizeContext,
  namespace: string,
  name: string,
  take: Import,
): Promise<KeyRing> {
  const answer = await ctx.cluster.get(
    { group: '', version: 'v1', kind: 'Secret', namespace, name },
    ctx.signal,
  );
  if (answer.type === 'refused') {
    const { httpStatus, message } = answer.refusal;
    throw plumbError('BuildFailed', {
      message:
        httpStatus === 404 ? message : `cannot get sops decryption Secret '${namespace}/${name}': ${message}`,
      hint: `create the Secret ${namespace}/${name} with the private keys (*.agekey, *.asc) or logins (sops.aws-kms …), or correct spec.decryption.secretRef`,
    });
  }
  const data = isJsonObject(answer.value['data']) ? answer.value['data'] : {};
  const entries = Object.entries(data).map(
    ([key, value]) => [key, Buffer.from(String(value), 'base64')] as const,
  );
  return take(entries, `Secret ${namespace}/${name}`);
}

async function importAll(entries: Entries, origin: string): Promise<KeyRing> {
  const age: AgeIdentity[] = [];
  const pgp: KeyRing['pgp'][number][] = [];
  let logins: Logins = {};
  let loginIds: NonNullable<KeyRing['loginIds']> = {};
  for (const [name, value] of entries) {
    const read = loginEntries[name];
    if (read !== undefined) {
      const login = await imported(name, origin, () => read(value));
      logins = { ...logins, ...login };
      for (const service of Object.keys(login)) loginIds = { ...loginIds, [service]: sha256Digest(value) };
    } else if (name.endsWith('.agekey'))
      age.push(
        ...(await imported(name, origin, async () => (await ageKeys()).parseAgeIdentities(value.toString()))),
      );
    else if (name.endsWith('.asc'))
      pgp.push(...(await imported(name, origin, () => parsePgpKeys(value.toString()))));
  }
  return { age, pgp, origin, ...logins, loginIds };
}

function importAgeOnly(entries: Entries, origin: string): Promise<KeyRing> {
  return importAll(
    entries.filter(([name]) => name.endsWith('.agekey')),
    origin,
  );
}

async function imported<T>(name: string, origin: string, parse: () => T | Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    const cause = asPlumbError(error);
    const entry = `'${name}'`;
    throw plumbError('BuildFailed', {
      message: `failed to import ${entry} data from sops decryption ${origin.replace(/^Secret (.*)$/, "Secret '$1'")}: ${cause.message}`,
      hint:
        cause.hint ??
        'an *.agekey entry holds age identities one a line, an *.asc entry an armored PGP key, sops.* entries logins',
      cause,
    });
  }
}
