import { randomBytes } from 'node:crypto';
import { wrapWithAge } from '../../src/clients/kms/ageKeys.ts';
import { defaultCryptRule } from '../../src/lib/sops/cryptRules.ts';
import { SopsCipher } from '../../src/lib/sops/sopsCipher.ts';
import { encryptFile } from '../../src/lib/sops/sopsFile.ts';
import { readPlain, type SopsFormat } from '../../src/lib/sops/sopsFormat.ts';
import { sopsMap } from '../../src/lib/sops/sopsTree.ts';

/** The text encrypted for an age recipient, as sops would; `encryptedRegex` leaves the rest readable. */
export async function encryptedFor(
  recipient: string,
  text: string,
  format: SopsFormat = 'yaml',
  encryptedRegex?: string,
): Promise<string> {
  const dataKey = randomBytes(32);
  const enc = await wrapWithAge(recipient, dataKey);
  const metadata = {
    keyGroups: [[{ type: 'age' as const, fields: sopsMap([{ key: 'recipient', value: recipient }]), enc }]],
    shamirThreshold: 0,
    lastModified: '2026-01-02T03:04:05Z',
    mac: '',
    macOnlyEncrypted: false,
    rule:
      encryptedRegex === undefined
        ? defaultCryptRule
        : { name: 'encrypted_regex' as const, pattern: encryptedRegex },
    version: '3.13.2',
  };
  const documents = readPlain(Buffer.from(text), format);
  return Buffer.from(encryptFile(documents, metadata, new SopsCipher(dataKey), format)).toString();
}
