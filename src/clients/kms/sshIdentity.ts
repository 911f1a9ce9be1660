import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { plumbError } from '../../base/plumbError.ts';

/** An SSH key pair as age uses it. */
export type SshIdentity =
  | { readonly type: 'ssh-ed25519'; readonly seed: Uint8Array; readonly publicKey: SshPublicKey }
  | { readonly type: 'ssh-rsa'; readonly privateKey: KeyObject; readonly publicKey: SshPublicKey };

/** A public key as SSH writes it. */
export interface SshPublicKey {
  readonly type: string;
  /** The whole blob, which the fingerprint covers. */
  readonly blob: Uint8Array;
  /** Its parts behind the type: the point of ed25519; exponent and modulus of RSA. */
  readonly parts: readonly Uint8Array[];
}

const magic = Buffer.from('openssh-key-v1\0');

/** The key of an `authorized_keys` line. Throws DecryptionFailed. */
export function parseSshPublicKey(line: string): SshPublicKey {
  const [type = '', encoded = ''] = line.trim().split(/\s+/);
  const blob = Buffer.from(encoded, 'base64');
  const fields = readFields(blob);
  if (fields[0]?.toString() !== type || fields.length < 2) throw broken('the SSH public key is malformed');
  return { type, blob, parts: fields.slice(1) };
}

/** An unprotected ed25519 or RSA key, in OpenSSH's form or PEM. Throws DecryptionFailed. */
export function parseSshIdentity(pem: string): SshIdentity {
  const openSsh = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem);
  if (openSsh !== null) return readOpenSsh(Buffer.from(openSsh[1] ?? '', 'base64'));
  if (/ENCRYPTED/.test(pem)) throw protectedKey();
  try {
    return identityOf(createPrivateKey(pem));
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name === 'PlumbError') throw cause;
    throw broken('the SSH private key cannot be read');
  }
}

function identityOf(privateKey: KeyObject): SshIdentity {
  if (privateKey.asymmetricKeyType === 'ed25519') {
    const { d, x } = privateKey.export({ format: 'jwk' });
    return ed25519Identity(Buffer.from(d ?? '', 'base64url'), Buffer.from(x ?? '', 'base64url'));
  }
  if (privateKey.asymmetricKeyType === 'rsa') {
    const { n, e } = createPublicKey(privateKey).export({ format: 'jwk' });
    return rsaIdentity(privateKey, Buffer.from(e ?? '', 'base64url'), Buffer.from(n ?? '', 'base64url'));
  }
  throw broken('age takes SSH keys of ed25519 and RSA only');
}

function readOpenSsh(bytes: Buffer): SshIdentity {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw broken('the SSH private key cannot be read');
  const reader = new FieldReader(bytes, magic.length);
  if (reader.next().toString() !== 'none') throw protectedKey();
  reader.next();
  reader.next();
  reader.number();
  reader.next();
  const secret = new FieldReader(reader.next(), 8);
  const type = secret.next().toString();
  if (type === 'ssh-ed25519') {
    const point = secret.next();
    return ed25519Identity(secret.next().subarray(0, 32), point);
  }
  if (type !== 'ssh-rsa') throw broken('age takes SSH keys of ed25519 and RSA only');
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => unsigned(secret.next())) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const reduced = (prime: Buffer): Buffer => bufferOf(integerOf(d) % (integerOf(prime) - 1n));
  const parts = { n, e, d, p, q, dp: reduced(p), dq: reduced(q), qi };
  const key: JsonWebKey = {
    kty: 'RSA',
    ...Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, value.toString('base64url')])),
  };
  return rsaIdentity(createPrivateKey({ key, format: 'jwk' }), e, n);
}

function ed25519Identity(seed: Uint8Array, point: Uint8Array): SshIdentity {
  const publicKey = {
    type: 'ssh-ed25519',
    parts: [point],
    blob: writeFields([Buffer.from('ssh-ed25519'), point]),
  };
  return { type: 'ssh-ed25519', seed, publicKey };
}

function rsaIdentity(privateKey: KeyObject, exponent: Buffer, modulus: Buffer): SshIdentity {
  const parts = [signed(exponent), signed(modulus)];
  const publicKey = { type: 'ssh-rsa', parts, blob: writeFields([Buffer.from('ssh-rsa'), ...parts]) };
  return { type: 'ssh-rsa', privateKey, publicKey };
}

class FieldReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  number(): number {
    if (this.#at + 4 > this.#bytes.length) throw broken('the SSH key is cut off');
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  next(): Buffer {
    const length = this.number();
    if (this.#at + length > this.#bytes.length) throw broken('the SSH key is cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
}

function readFields(bytes: Buffer): Buffer[] {
  const reader = new FieldReader(bytes, 0);
  const fields: Buffer[] = [];
  while (!reader.isAtEnd) fields.push(reader.next());
  return fields;
}

function writeFields(fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return [length, field];
    }),
  );
}

/** A positive number as SSH writes it: a zero in front where its first bit is set. */
function signed(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function unsigned(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function integerOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}

function bufferOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function broken(message: string): Error {
  return plumbError('DecryptionFailed', { message });
}

function protectedKey(): Error {
  return plumbError('DecryptionFailed', {
    message: 'the SSH private key is protected by a passphrase, which Plumb does not ask for',
    hint: 'use an age key (SOPS_AGE_KEY_FILE), or a key without a passphrase',
  });
}
