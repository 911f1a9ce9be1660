import { randomBytes } from 'node:crypto';
import { plumbError } from '../../base/plumbError.ts';
import { unwrapKey, wrapKey, type KeyRing } from '../../clients/kms/keyRing.ts';
import type { CreationRule } from '../../lib/sops/creationRules.ts';
import { unwrapDataKey, wrapDataKey } from '../../lib/sops/dataKey.ts';
import { plainKeyOf, withWrapping } from '../../lib/sops/masterKeys.ts';
import { hasMetadata, type SopsMetadata } from '../../lib/sops/metadata.ts';
import { SopsCipher } from '../../lib/sops/sopsCipher.ts';
import { decryptFile, encryptFile, readSopsFile, type DecryptedFile } from '../../lib/sops/sopsFile.ts';
import { metadataLayouts, printPlain, readPlain, type SopsFormat } from '../../lib/sops/sopsFormat.ts';

/** The version of SOPS whose files ours equal. */
const writtenVersion = '3.13.2';

/** An encrypted file that was opened: its plain text, and what it takes to close it again. */
export interface OpenedFile {
  readonly format: SopsFormat;
  readonly plain: Uint8Array;
  readonly mac: DecryptedFile['mac'];
  readonly metadata: SopsMetadata;
  readonly cipher: SopsCipher;
}

/** Decrypts a file in memory. Throws DecryptionFailed. */
export async function openEncrypted(
  content: Uint8Array,
  format: SopsFormat,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<OpenedFile> {
  const file = readSopsFile(content, format);
  const dataKey = await unwrapDataKey(file.metadata, (key) => unwrapKey(ring, plainKeyOf(key), signal));
  const { documents, mac, cipher } = decryptFile(file, dataKey);
  return { format, plain: printPlain(documents, format), mac, metadata: file.metadata, cipher };
}

/**
 * The opened file with other plain text: same data key, new MAC and time; values that did not change keep their
 * encrypted text. Throws DecryptionFailed when the text is no file of its format.
 */
export function closeEncrypted(opened: OpenedFile, plain: Uint8Array, nowMs: number): Uint8Array {
  const documents = readPlain(plain, opened.format);
  return encryptFile(
    documents,
    { ...opened.metadata, lastModified: timeText(nowMs) },
    opened.cipher,
    opened.format,
  );
}

/** A plain file encrypted with a new data key, wrapped for every key of the rule. Throws DecryptionFailed. */
export async function encryptNew(
  plain: Uint8Array,
  format: SopsFormat,
  rule: CreationRule,
  given: { readonly ring: KeyRing; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const documents = readPlain(plain, format);
  if (format !== 'binary' && hasMetadata(documents, metadataLayouts[format]))
    throw plumbError('DecryptionFailed', {
      message: 'the file is encrypted already, or has a key that sops keeps for itself',
      hint: 'edit it with plumb sops edit',
    });
  const dataKey = randomBytes(32);
  const keyGroups = await wrapDataKey(dataKey, rule.keyGroups, rule.shamirThreshold, async (key, part) =>
    withWrapping(key, await wrapKey(given.ring, plainKeyOf(key), part, given.signal)),
  );
  const metadata: SopsMetadata = {
    keyGroups,
    shamirThreshold: keyGroups.length > 1 ? rule.shamirThreshold : 0,
    lastModified: timeText(given.nowMs),
    mac: '',
    macOnlyEncrypted: rule.macOnlyEncrypted,
    rule: rule.rule,
    version: writtenVersion,
  };
  return encryptFile(documents, metadata, new SopsCipher(dataKey), format);
}

/** RFC 3339 to the second, as SOPS writes it. */
export function timeText(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
