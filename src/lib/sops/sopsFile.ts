import { createHash } from 'node:crypto';
import { compileCryptRule, refuseMatchingComment } from './cryptRules.ts';
import { textOfLeaf } from './leafText.ts';
import { embedMetadata, extractMetadata, type SopsMetadata } from './metadata.ts';
import { SopsCipher } from './sopsCipher.ts';
import { metadataLayouts, printEncrypted, readEncrypted, type SopsFormat } from './sopsFormat.ts';
import {
  decryptionError,
  isSopsComment,
  walkDocuments,
  type LeafPlace,
  type SopsDocuments,
  type SopsLeaf,
  type SopsValue,
} from './sopsTree.ts';

/** An encrypted file: what it says about itself, and its values as they are written. */
export interface SopsFile {
  readonly metadata: SopsMetadata;
  readonly documents: SopsDocuments;
}

/** A decrypted file, and whether its values are those that were encrypted. */
export interface DecryptedFile {
  readonly documents: SopsDocuments;
  /** `match`; `mismatch` when a value was changed, moved or removed since; `missing` when the file has no MAC. */
  readonly mac: 'match' | 'mismatch' | 'missing';
  /** Knows the nonces of the file's values, so that unchanged ones encrypt to the same text. */
  readonly cipher: SopsCipher;
}

/** Mixed into the MAC of files that cover encrypted values only; SHA-256 of `sops`. */
const onlyEncryptedSeed = createHash('sha256').update('sops').digest();

/** Reads an encrypted file. Throws DecryptionFailed when it is none. */
export function readSopsFile(content: Uint8Array, format: SopsFormat): SopsFile {
  return extractMetadata(readEncrypted(content, format), metadataLayouts[format]);
}

/** Decrypts every value with the file's data key. Throws DecryptionFailed; its words never hold a value. */
export function decryptFile({ metadata, documents }: SopsFile, dataKey: Uint8Array): DecryptedFile {
  const cipher = new SopsCipher(dataKey);
  const isEncrypted = compileCryptRule(metadata.rule);
  const mac = macOf(metadata);
  const decrypted = walkDocuments(documents, (leaf, place) => {
    const isComment = isSopsComment(leaf);
    const encrypted = isEncrypted(place, isComment);
    const plain = encrypted ? decryptLeaf(cipher, leaf, place) : leaf;
    const isCovered = !isComment && !isSopsComment(plain);
    if (isCovered && (encrypted || !metadata.macOnlyEncrypted)) mac.add(plain as SopsLeaf);
    return plain;
  });
  return { documents: decrypted, mac: judgeMac(metadata, cipher, mac.digest()), cipher };
}

/**
 * Encrypts plain documents into the text of a file: new MAC, same keys. With the cipher of the file's decryption only
 * changed values get new text.
 */
export function encryptFile(
  documents: SopsDocuments,
  metadata: SopsMetadata,
  cipher: SopsCipher,
  format: SopsFormat,
): Uint8Array {
  const isEncrypted = compileCryptRule(metadata.rule);
  const mac = macOf(metadata);
  const encrypted = walkDocuments(documents, (leaf, place) => {
    const isComment = isSopsComment(leaf);
    const encrypts = isEncrypted(place, isComment);
    if (!isComment && (encrypts || !metadata.macOnlyEncrypted)) mac.add(leaf);
    if (!encrypts) return leaf;
    const text = cipher.encrypt(leaf, pathText(place));
    if (isComment) refuseMatchingComment(metadata.rule, text);
    return text;
  });
  const signed = { ...metadata, mac: cipher.encrypt(mac.digest(), metadata.lastModified) };
  return printEncrypted(embedMetadata(encrypted, signed, metadataLayouts[format]), format);
}

function decryptLeaf(cipher: SopsCipher, leaf: SopsLeaf, place: LeafPlace): SopsValue {
  if (isSopsComment(leaf)) return decryptComment(cipher, leaf.value, place) ?? leaf;
  const where = place.path.join('.');
  if (typeof leaf !== 'string')
    throw decryptionError(`could not decrypt ${where}: expected an encrypted value as text`);
  try {
    return cipher.decrypt(leaf, pathText(place));
  } catch (error) {
    throw decryptionError(
      `could not decrypt ${where}: ${error instanceof Error ? error.message : 'no reason given'}`,
    );
  }
}

/** Old files have comments that were never encrypted; they stay as they are. */
function decryptComment(cipher: SopsCipher, text: string, place: LeafPlace): SopsLeaf | undefined {
  try {
    return cipher.decrypt(text, pathText(place));
  } catch {
    return undefined;
  }
}

function pathText({ path }: LeafPlace): string {
  return `${path.join(':')}:`;
}

interface Mac {
  add(leaf: SopsLeaf): void;
  digest(): string;
}

/** SHA-512 over the text of the values, in the order of the file. */
function macOf({ macOnlyEncrypted }: SopsMetadata): Mac {
  const hash = createHash('sha512');
  if (macOnlyEncrypted) hash.update(onlyEncryptedSeed);
  return {
    add: (leaf) => void hash.update(textOfLeaf(leaf)),
    digest: () => hash.digest('hex').toUpperCase(),
  };
}

function judgeMac(metadata: SopsMetadata, cipher: SopsCipher, computed: string): DecryptedFile['mac'] {
  if (metadata.mac === '') return 'missing';
  try {
    return cipher.decrypt(metadata.mac, metadata.lastModified) === computed ? 'match' : 'mismatch';
  } catch {
    return 'mismatch';
  }
}
