import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { wrapWithAge } from '../../src/clients/kms/ageKeys.ts';
import type { SopsMetadata } from '../../src/lib/sops/metadata.ts';
import { SopsCipher } from '../../src/lib/sops/sopsCipher.ts';
import { decryptFile, encryptFile, readSopsFile } from '../../src/lib/sops/sopsFile.ts';
import { printPlain, readPlain, type SopsFormat } from '../../src/lib/sops/sopsFormat.ts';
import { sopsMap } from '../../src/lib/sops/sopsTree.ts';
import { readTables } from '../contract/vectors.ts';
import { startSopsOracle } from '../oracle/oracle.ts';

test('the real library decrypts what Plumb encrypts, to the same bytes', async () => {
  const oracle = await startSopsOracle();
  try {
    let compared = 0;
    for (const [table, cases] of readTables('sops')) {
      if (table === 'keys') continue;
      for (const [index, { name, input }] of cases.entries()) {
        if (/is refused$/.test(name)) continue;
        const format = input['format'] as SopsFormat;
        const identity = index % 2 === 0 ? await generateX25519Identity() : await generateHybridIdentity();
        const dataKey = randomBytes(32);
        const metadata = await metadataFor(identity, dataKey);
        const documents = readPlain(Buffer.from(String(input['text'])), format);
        const encrypted = encryptFile(documents, metadata, new SopsCipher(dataKey), format);
        const own = decryptFile(readSopsFile(encrypted, format), dataKey);
        assert.equal(own.mac, 'match', name);
        const answer = await oracle.ask('decrypt', {
          format,
          text: Buffer.from(encrypted).toString(),
          environment: { SOPS_AGE_KEY: identity },
        });
        assert.equal(answer.error, undefined, name);
        const { plain } = answer.output as { plain?: string };
        const printed = Buffer.from(printPlain(own.documents, format)).toString('base64');
        assert.equal(plain ?? '', printed, name);
        compared++;
      }
    }
    assert.ok(compared > 30, `${compared} files compared`);
  } finally {
    await oracle.close();
  }
});

async function metadataFor(identity: string, dataKey: Uint8Array): Promise<SopsMetadata> {
  const recipient = await identityToRecipient(identity);
  const enc = await wrapWithAge(recipient, dataKey);
  return {
    keyGroups: [[{ type: 'age', fields: sopsMap([{ key: 'recipient', value: recipient }]), enc }]],
    shamirThreshold: 0,
    lastModified: '2026-01-02T03:04:05Z',
    mac: '',
    macOnlyEncrypted: false,
    rule: { name: 'unencrypted_suffix', pattern: '_unencrypted' },
    version: '3.13.2',
  };
}
