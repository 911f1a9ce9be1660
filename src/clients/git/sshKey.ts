import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';

export type SshKeyAlgorithm = 'ed25519' | 'ecdsa' | 'rsa';

/** A key pair as Flux keeps it in a Secret. */
export interface SshKeyPair {
  /** PEM: PKCS#8 when it was made here, else as it was given. */
  readonly identity: Secret<string>;
  /** `<type> <base64>`, one authorized_keys line without a comment. */
  readonly publicKey: string;
}

const generate = promisify(generateKeyPair);

/** A new key pair: ed25519, ECDSA on P-384 or RSA with 4096 bits. */
export async function generateSshKey(algorithm: SshKeyAlgorithm): Promise<SshKeyPair> {
  const { privateKey } =
    algorithm === 'ed25519'
      ? await generate('ed25519', undefined)
      : algorithm === 'ecdsa'
        ? await generate('ec', { namedCurve: 'P-384' })
        : await generate('rsa', { modulusLength: 4096 });
  const identity = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { identity: new Secret(identity), publicKey: publicKeyLine(publicBlob(privateKey)) };
}

/**
 * The public half of a private key in PEM (PKCS#8, PKCS#1, SEC 1) or OpenSSH form.
 * Throws InvalidConfiguration when the text is no such key or the passphrase does not open it.
 */
export function sshPublicKeyOf(identity: Secret<string>, passphrase?: Secret<string>): string {
  const openSsh = openSshPayload(identity.reveal());
  if (openSsh !== undefined) return publicKeyLine(openSshPublicBlob(openSsh));
  return publicKeyLine(publicBlob(privateKeyOf(identity, passphrase)));
}

/** Whether the key cannot be used without a passphrase. */
export function isEncryptedKey(identity: Secret<string>): boolean {
  const text = identity.reveal();
  const openSsh = openSshPayload(text);
  if (openSsh !== undefined) return readString(openSsh, magic.length).value.toString() !== 'none';
  return /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(text);
}

/** `SHA256:…` of an authorized_keys line or of its base64 part, as ssh-keygen -l shows it. */
export function sshFingerprint(publicKey: string): string {
  const encoded =
    publicKey
      .trim()
      .split(/\s+/)
      .at(publicKey.includes(' ') ? 1 : 0) ?? '';
  const digest = createHash('sha256').update(Buffer.from(encoded, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/**
 * The key in a form that every OpenSSH reads: before 9.6 it does not know ed25519 in PKCS#8, which is how Flux keeps it.
 * Other keys stay as they are.
 */
export function forOpenSsh(identity: Secret<string>, passphrase?: Secret<string>): Secret<string> {
  if (!/BEGIN (ENCRYPTED )?PRIVATE KEY/.test(identity.reveal())) return identity;
  const key = privateKeyOf(identity, passphrase);
  if (key.asymmetricKeyType !== 'ed25519') return identity;
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const pair = Buffer.concat([fromUrl(d), fromUrl(x)]);
  const check = createHash('sha256').update(pair).digest().subarray(0, 4);
  const secretPart = padded(
    Buffer.concat([check, check, text('ssh-ed25519'), text(fromUrl(x)), text(pair), text('')]),
  );
  const payload = Buffer.concat([
    magic,
    text('none'),
    text('none'),
    text(''),
    uint32(1),
    text(publicBlob(key)),
    text(secretPart),
  ]);
  const lines = payload.toString('base64').match(/.{1,70}/g) ?? [];
  return new Secret(
    ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
  );
}

const magic = Buffer.from('openssh-key-v1\0');

function privateKeyOf(identity: Secret<string>, passphrase: Secret<string> | undefined): KeyObject {
  try {
    return createPrivateKey({
      key: identity.reveal(),
      ...(passphrase !== undefined && { passphrase: passphrase.reveal() }),
    });
  } catch (error) {
    throw plumbError('InvalidConfiguration', {
      message: isEncryptedKey(identity)
        ? 'the private key is encrypted and the passphrase does not open it'
        : 'the text is no private key in PEM or OpenSSH form',
      hint: 'ssh-keygen -y -f FILE tells whether a key file is in order',
      cause: error,
    });
  }
}

/** The public key in SSH's wire form (RFC 4253, 5656 and 8709). */
function publicBlob(key: KeyObject): Buffer {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519')
    return Buffer.concat([text('ssh-ed25519'), text(fromUrl(jwk.x ?? ''))]);
  if (jwk.kty === 'EC') {
    const curve = `nistp${/\d+/.exec(jwk.crv ?? '')?.[0] ?? ''}`;
    const point = Buffer.concat([Buffer.from([4]), fromUrl(jwk.x ?? ''), fromUrl(jwk.y ?? '')]);
    return Buffer.concat([text(`ecdsa-sha2-${curve}`), text(curve), text(point)]);
  }
  if (jwk.kty === 'RSA')
    return Buffer.concat([text('ssh-rsa'), integer(fromUrl(jwk.e ?? '')), integer(fromUrl(jwk.n ?? ''))]);
  throw plumbError('InvalidConfiguration', {
    message: `keys of type ${key.asymmetricKeyType ?? 'unknown'} cannot be used for SSH`,
    hint: 'use an ed25519, ECDSA or RSA key',
  });
}

function publicKeyLine(blob: Buffer): string {
  return `${readString(blob, 0).value.toString()} ${blob.toString('base64')}`;
}

function openSshPayload(identity: string): Buffer | undefined {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(
    identity,
  );
  const payload = Buffer.from(match?.[1] ?? '', 'base64');
  return payload.subarray(0, magic.length).equals(magic) ? payload : undefined;
}

/** The public part stands in front, readable also where the private part is encrypted. */
function openSshPublicBlob(payload: Buffer): Buffer {
  let offset = magic.length;
  for (const _ of ['cipher', 'kdf', 'kdf options']) offset = readString(payload, offset).next;
  return readString(payload, offset + 4).value;
}

function readString(buffer: Buffer, offset: number): { readonly value: Buffer; readonly next: number } {
  if (offset + 4 <= buffer.length) {
    const next = offset + 4 + buffer.readUInt32BE(offset);
    if (next <= buffer.length) return { value: buffer.subarray(offset + 4, next), next };
  }
  throw plumbError('InvalidConfiguration', {
    message: 'the private key is cut off',
    hint: 'ssh-keygen -y -f FILE tells whether a key file is in order',
  });
}

function text(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A positive multi-precision integer: a leading zero keeps the sign bit clear. */
function integer(bytes: Buffer): Buffer {
  return text(((bytes[0] ?? 0) & 0x80) === 0 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  const missing = (8 - (bytes.length % 8)) % 8;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
}

function fromUrl(encoded: string): Buffer {
  return Buffer.from(encoded, 'base64url');
}
