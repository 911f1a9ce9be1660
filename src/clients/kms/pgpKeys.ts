import type { Key, PrivateKey } from 'openpgp';
import { plumbError } from '../../base/plumbError.ts';

/** Loaded when a file needs it: most repositories have no PGP keys. */
const openpgp = () => import('openpgp');

/** Armored keys, public or private, as `gpg --export-secret-keys --armor` writes them. Throws DecryptionFailed. */
export async function parsePgpKeys(armored: string): Promise<Key[]> {
  const { readKeys } = await openpgp();
  try {
    return await readKeys({ armoredKeys: armored });
  } catch (cause) {
    throw plumbError('DecryptionFailed', { message: 'the PGP key is not armored or cannot be read', cause });
  }
}

/** What an armored PGP message holds. Throws DecryptionFailed when no private key fits or one needs a passphrase. */
export async function unwrapWithPgp(enc: string, keys: readonly Key[]): Promise<Uint8Array> {
  const { decrypt, readMessage } = await openpgp();
  const decryptionKeys = keys.filter((key): key is PrivateKey => key.isPrivate());
  if (decryptionKeys.length === 0)
    throw plumbError('DecryptionFailed', { message: 'no private PGP key to decrypt with was given' });
  try {
    const message = await readMessage({ armoredMessage: enc });
    const { data } = await decrypt({ message, decryptionKeys, format: 'binary' });
    return data as Uint8Array;
  } catch (cause) {
    const isProtected = decryptionKeys.some((key) => !key.isDecrypted());
    const reason = isProtected
      ? 'the private PGP key is protected by a passphrase'
      : cause instanceof Error
        ? cause.message.toLowerCase()
        : 'no reason given';
    throw plumbError('DecryptionFailed', {
      message: `pgp: ${reason}`,
      ...(isProtected && { hint: 'export the key without a passphrase, or use an age key' }),
      cause,
    });
  }
}

/** The bytes as an armored PGP message for the key of that fingerprint. Throws DecryptionFailed when it is not given. */
export async function wrapWithPgp(
  fingerprint: string,
  bytes: Uint8Array,
  keys: readonly Key[],
): Promise<string> {
  const { createMessage, encrypt } = await openpgp();
  const wanted = fingerprint.replaceAll(' ', '').toLowerCase();
  const key = keys.find((one) =>
    [one, ...one.getSubkeys()].some((part) => part.getFingerprint().endsWith(wanted)),
  );
  if (key === undefined)
    throw plumbError('DecryptionFailed', {
      message: `the public PGP key ${fingerprint} is not at hand`,
      hint: 'export it (gpg --export --armor) and name the file with --key',
    });
  const message = await createMessage({ binary: bytes });
  return (await encrypt({ message, encryptionKeys: key, format: 'armored' })).toString();
}
