import { armor, Decrypter, Encrypter, type Identity } from 'age-encryption';
import { plumbError } from '../../base/plumbError.ts';
import { sshAgeIdentity, sshAgeRecipient } from './sshAge.ts';
import { parseSshIdentity } from './sshIdentity.ts';

/** A key that may unwrap what age has wrapped. */
export type AgeIdentity = string | Identity;

/**
 * The identities of a key file: one a line, `#` begins a comment. X25519 and post-quantum keys; a plugin's key is
 * refused by name. Throws DecryptionFailed with the line, never with the key.
 */
export function parseAgeIdentities(text: string): AgeIdentity[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line === '' || line.startsWith('#')) return [];
    if (/^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/.test(line)) return [checked(line, index + 1)];
    const what = line.startsWith('AGE-PLUGIN-')
      ? 'is a key of an age plugin, which Plumb does not run'
      : 'is no age identity';
    throw plumbError('DecryptionFailed', {
      message: `failed to parse age identities: line ${index + 1} ${what}`,
    });
  });
}

/** The identity of an SSH private key (ed25519 or RSA, without passphrase). Throws DecryptionFailed. */
export function sshIdentityOf(pem: string): AgeIdentity {
  return sshAgeIdentity(parseSshIdentity(pem));
}

/** What an armored age file holds. Throws DecryptionFailed when none of the identities fits. */
export async function unwrapWithAge(enc: string, identities: readonly AgeIdentity[]): Promise<Uint8Array> {
  if (identities.length === 0)
    throw plumbError('DecryptionFailed', { message: 'no age identity to decrypt with was given' });
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(armor.decode(enc));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.toLowerCase() : 'no reason given';
    throw plumbError('DecryptionFailed', { message: `age: ${reason}`, cause });
  }
}

/** The bytes as an armored age file for one recipient: `age1…`, `age1pq1…` or a line of an SSH public key. */
export async function wrapWithAge(recipient: string, bytes: Uint8Array): Promise<string> {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient.startsWith('ssh-') ? sshAgeRecipient(recipient) : recipient);
    return armor.encode(await encrypter.encrypt(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.toLowerCase() : 'no reason given';
    throw plumbError('DecryptionFailed', {
      message: `cannot encrypt for the age recipient ${recipient.slice(0, 24)}…: ${reason}`,
      hint: 'recipients are age1…, age1pq1…, ssh-ed25519 … and ssh-rsa …',
      cause,
    });
  }
}

function checked(identity: string, line: number): string {
  try {
    new Decrypter().addIdentity(identity);
    return identity;
  } catch {
    throw plumbError('DecryptionFailed', {
      message: `failed to parse age identities: line ${line} is a malformed age identity`,
    });
  }
}
