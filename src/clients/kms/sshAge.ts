import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { Stanza, type Identity, type Recipient } from 'age-encryption';
import { plumbError } from '../../base/plumbError.ts';
import { parseSshPublicKey, type SshIdentity, type SshPublicKey } from './sshIdentity.ts';

const rsaLabel = 'age-encryption.org/v1/ssh-rsa';
const ed25519Label = 'age-encryption.org/v1/ssh-ed25519';
const prime = 2n ** 255n - 19n;

/** An SSH key that unwraps what age has wrapped for it (filippo.io/age/agessh). */
export function sshAgeIdentity(identity: SshIdentity): Identity {
  const tag = tagOf(identity.publicKey);
  return {
    unwrapFileKey(stanzas) {
      const own = stanzas.find(({ args }) => args[0] === identity.type && args[1] === tag);
      if (own === undefined) return null;
      return identity.type === 'ssh-rsa'
        ? unwrapRsa(identity, own.body)
        : unwrapEd25519(identity, own.args[2] ?? '', own.body);
    },
  };
}

/** An SSH public key that age wraps for: an `authorized_keys` line. Throws DecryptionFailed. */
export function sshAgeRecipient(line: string): Recipient {
  const key = parseSshPublicKey(line);
  const tag = tagOf(key);
  switch (key.type) {
    case 'ssh-rsa':
      return { wrapFileKey: (fileKey) => [new Stanza(['ssh-rsa', tag], wrapRsa(key, fileKey))] };
    case 'ssh-ed25519':
      return {
        wrapFileKey(fileKey) {
          const { share, body } = wrapEd25519(key, fileKey);
          return [new Stanza(['ssh-ed25519', tag, share.toString('base64').replace(/=+$/, '')], body)];
        },
      };
    default:
      throw plumbError('DecryptionFailed', {
        message: `age does not encrypt for SSH keys of the type ${key.type}`,
        hint: 'use ed25519 or RSA',
      });
  }
}

function tagOf({ blob }: SshPublicKey): string {
  return createHash('sha256').update(blob).digest().subarray(0, 4).toString('base64').replace(/=+$/, '');
}

const oaep = {
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: 'sha256',
  oaepLabel: Buffer.from(rsaLabel),
};

function unwrapRsa({ privateKey }: SshIdentity & { readonly type: 'ssh-rsa' }, body: Uint8Array): Uint8Array {
  return privateDecrypt({ key: privateKey, ...oaep }, body);
}

function wrapRsa({ parts }: SshPublicKey, fileKey: Uint8Array): Uint8Array {
  const [e, n] = parts.map((part) => Buffer.from(part).toString('base64url'));
  const key = createPublicKey({ key: { kty: 'RSA', e: e ?? '', n: n ?? '' }, format: 'jwk' });
  return publicEncrypt({ key, ...oaep }, fileKey);
}

function unwrapEd25519(
  { seed, publicKey }: SshIdentity & { readonly type: 'ssh-ed25519' },
  encodedShare: string,
  body: Uint8Array,
): Uint8Array {
  const share = Buffer.from(encodedShare, 'base64');
  if (share.length !== 32)
    throw plumbError('DecryptionFailed', { message: 'invalid ssh-ed25519 recipient block' });
  const scalar = createHash('sha512').update(seed).digest().subarray(0, 32);
  const shared = x25519(tweakOf(publicKey), x25519(scalar, share));
  const wrappingKey = wrappingKeyOf(shared, share, montgomeryOf(publicKey));
  return chacha20poly1305(wrappingKey, new Uint8Array(12)).decrypt(body);
}

function wrapEd25519(publicKey: SshPublicKey, fileKey: Uint8Array) {
  const secret = randomBytes(32);
  const basePoint = Buffer.concat([Buffer.of(9), Buffer.alloc(31)]);
  const theirs = montgomeryOf(publicKey);
  const share = x25519(secret, basePoint);
  const shared = x25519(tweakOf(publicKey), x25519(secret, theirs));
  const wrappingKey = wrappingKeyOf(shared, share, theirs);
  return { share, body: chacha20poly1305(wrappingKey, new Uint8Array(12)).encrypt(fileKey) };
}

function tweakOf({ blob }: SshPublicKey): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', Buffer.alloc(0), blob, ed25519Label, 32));
}

function wrappingKeyOf(shared: Uint8Array, share: Uint8Array, theirs: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, Buffer.concat([share, theirs]), ed25519Label, 32));
}

/** Scalar multiplication on Curve25519, through the key agreement that Node offers: raw keys in their DER frames. */
function x25519(scalar: Uint8Array, point: Uint8Array): Buffer {
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), scalar]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), point]),
    format: 'der',
    type: 'spki',
  });
  return diffieHellman({ privateKey, publicKey });
}

/** The point of an Edwards key on the Montgomery curve: u = (1 + y) / (1 - y). */
function montgomeryOf({ parts }: SshPublicKey): Buffer {
  const bytes = Buffer.from(parts[0] ?? []).reverse();
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  const y = BigInt(`0x${bytes.toString('hex') || '0'}`) % prime;
  const u = ((1n + y) * powerOf((1n - y + prime) % prime, prime - 2n)) % prime;
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

function powerOf(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}
