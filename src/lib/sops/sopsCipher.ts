import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { textOfLeaf, typeOfLeaf } from './leafText.ts';
import { decryptionError, type SopsLeaf } from './sopsTree.ts';

const encryptedPattern = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/;
const nonceBytes = 32;

/** True for text that stands for an encrypted value. */
export function isEncryptedText(text: string): boolean {
  return encryptedPattern.test(text);
}

/**
 * Encrypts and decrypts the values of one file with its data key (AES-256-GCM, nonces of 32 bytes, the value's path
 * authenticated). It remembers the nonce of what it has decrypted, so that an unchanged value encrypts to the same text.
 */
export class SopsCipher {
  readonly #key: Uint8Array;
  readonly #nonces = new Map<string, Uint8Array>();

  /** Throws DecryptionFailed for a key that has not 256 bits. */
  constructor(dataKey: Uint8Array) {
    if (dataKey.byteLength !== 32)
      throw decryptionError(`the data key has ${dataKey.byteLength} bytes, AES-256 needs 32`);
    this.#key = dataKey;
  }

  /** The value of `ENC[…]` text; empty text stands for itself. Throws DecryptionFailed without telling any value. */
  decrypt(text: string, path: string): SopsLeaf {
    if (text === '') return '';
    const match = encryptedPattern.exec(text);
    if (match === null) throw decryptionError('input string <redacted> does not match sops’ data format');
    const [, data = '', iv = '', tag = '', type = ''] = match;
    const nonce = Buffer.from(iv, 'base64');
    const plain = this.#open(Buffer.from(data, 'base64'), nonce, Buffer.from(tag, 'base64'), path);
    const leaf = leafOf(plain, type);
    this.#nonces.set(stashKey(leaf, path), nonce);
    return leaf;
  }

  /** The `ENC[…]` text of a value; empty text stays empty. */
  encrypt(leaf: SopsLeaf, path: string): string {
    const text = textOfLeaf(leaf);
    const type = typeOfLeaf(leaf);
    if (text === '' && (type === 'str' || type === 'comment')) return '';
    const nonce = this.#nonces.get(stashKey(leaf, path)) ?? randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(path));
    const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
    const tag = cipher.getAuthTag().toString('base64');
    return `ENC[AES256_GCM,data:${data},iv:${Buffer.from(nonce).toString('base64')},tag:${tag},type:${type}]`;
  }

  #open(data: Uint8Array, nonce: Uint8Array, tag: Uint8Array, path: string): Buffer {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce);
      decipher.setAAD(Buffer.from(path));
      decipher.setAuthTag(tag);
      return Buffer.concat([decipher.update(data), decipher.final()]);
    } catch (cause) {
      throw decryptionError(
        `could not decrypt with AES_GCM: ${cause instanceof Error ? cause.message.toLowerCase() : 'no reason given'}`,
        'the value was moved to another key, changed by hand, or encrypted with another data key',
      );
    }
  }
}

function stashKey(leaf: SopsLeaf, path: string): string {
  return `${typeOfLeaf(leaf)}\0${path}\0${textOfLeaf(leaf)}`;
}

function leafOf(plain: Buffer, type: string): SopsLeaf {
  const text = plain.toString('utf8');
  switch (type) {
    case 'str':
    case 'bytes':
      return text;
    case 'int':
      if (!/^[+-]?\d+$/.test(text)) throw decryptionError('an encrypted int is no number');
      return BigInt(text);
    case 'float':
      return floatOf(text);
    case 'bool':
      return boolOf(text);
    case 'time':
      return { kind: 'time', text };
    case 'comment':
      return { kind: 'comment', value: text, isInline: false };
    default:
      throw decryptionError(`unknown datatype: ${type}`);
  }
}

function floatOf(text: string): number {
  const words: Readonly<Record<string, number>> = {
    '+inf': Infinity,
    inf: Infinity,
    '-inf': -Infinity,
    nan: NaN,
  };
  const value = words[text.toLowerCase()] ?? (text.trim() === '' ? undefined : Number(text));
  if (value === undefined || (Number.isNaN(value) && text.toLowerCase() !== 'nan'))
    throw decryptionError('an encrypted float is no number');
  return value;
}

function boolOf(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw decryptionError('an encrypted bool is neither true nor false');
}
