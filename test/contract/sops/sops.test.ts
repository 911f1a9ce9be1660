import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JsonObject } from '../../../src/base/json.ts';
import { cryptRuleNames, defaultCryptRule } from '../../../src/lib/sops/cryptRules.ts';
import type { KeyGroup, MasterKeyType } from '../../../src/lib/sops/masterKeys.ts';
import type { SopsMetadata } from '../../../src/lib/sops/metadata.ts';
import { SopsCipher } from '../../../src/lib/sops/sopsCipher.ts';
import { decryptFile, encryptFile, readSopsFile } from '../../../src/lib/sops/sopsFile.ts';
import { printPlain, readPlain, type SopsFormat } from '../../../src/lib/sops/sopsFormat.ts';
import { sopsMap } from '../../../src/lib/sops/sopsTree.ts';
import type { OracleAnswer } from '../../oracle/oracle.ts';
import { checkAgainstGolden, checkDifferencesAreCases } from '../knownDifference.ts';
import { readTables, vectorFolder } from '../vectors.ts';
import { knownDifferences } from './knownDifferences.ts';

interface SopsInput {
  readonly format: SopsFormat;
  readonly text: string;
  readonly dataKey: string;
  readonly lastModified: string;
  readonly shamirThreshold?: number;
  readonly macOnlyEncrypted?: boolean;
  readonly keyGroups: readonly (readonly { type: MasterKeyType; recipient: string; enc: string }[])[];
}

const names: string[] = [];
for (const [table, cases] of readTables('sops').filter(([table]) => table !== 'keys')) {
  const file = join(vectorFolder('sops'), 'golden', `${table}.json`);
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, OracleAnswer>;
  for (const { name, input } of cases) {
    names.push(name);
    test(`sops: ${name}`, () => {
      const answer = golden[name];
      assert.ok(answer, 'not recorded');
      if (answer.error !== undefined)
        checkAgainstGolden(name, knownDifferences, encryptedBy(input), 'refused');
      else checkAgainstGolden(name, knownDifferences, ownAnswer(input, answer), answer.output);
    });
  }
}

test('sops: known differences are cases', () => checkDifferencesAreCases(knownDifferences, names));

/** What upstream refuses must be refused. */
function encryptedBy(input: JsonObject): string {
  const { format, text, dataKey } = input as unknown as SopsInput;
  try {
    const cipher = new SopsCipher(Buffer.from(dataKey, 'hex'));
    return Buffer.from(
      encryptFile(readPlain(Buffer.from(text), format), metadataOf(input), cipher, format),
    ).toString();
  } catch {
    return 'refused';
  }
}

/**
 * Decrypts upstream's file and encrypts the plain input again: with the nonces of the file the text must be upstream's,
 * byte for byte, MAC and metadata too.
 */
function ownAnswer(input: JsonObject, answer: OracleAnswer): JsonObject {
  const { format, text, dataKey } = input as unknown as SopsInput;
  const { encrypted, plain } = answer.output as { encrypted: string; plain?: string };
  const { documents, mac, cipher } = decryptFile(
    readSopsFile(Buffer.from(encrypted), format),
    Buffer.from(dataKey, 'hex'),
  );
  assert.equal(mac, 'match', 'the MAC of upstream’s file');
  const again = encryptFile(readPlain(Buffer.from(text), format), metadataOf(input), cipher, format);
  return {
    encrypted: Buffer.from(again).toString(),
    ...(plain !== undefined && { plain: Buffer.from(printPlain(documents, format)).toString('base64') }),
  };
}

function metadataOf(input: JsonObject): SopsMetadata {
  const { keyGroups, shamirThreshold, lastModified, macOnlyEncrypted } = input as unknown as SopsInput;
  const rule = cryptRuleNames.flatMap((name) => {
    const pattern = input[name.replaceAll(/_(.)/g, (_all, letter: string) => letter.toUpperCase())];
    return typeof pattern === 'string' ? [{ name, pattern }] : [];
  })[0];
  return {
    keyGroups: keyGroups.map((group): KeyGroup =>
      group.map(({ type, recipient, enc }) => ({
        type,
        enc,
        fields: sopsMap(
          type === 'pgp'
            ? [
                { key: 'fp', value: recipient },
                { key: 'created_at', value: '2026-01-02T03:04:05Z' },
              ]
            : [{ key: 'recipient', value: recipient }],
        ),
      })),
    ),
    shamirThreshold: shamirThreshold ?? 0,
    lastModified,
    mac: '',
    macOnlyEncrypted: macOnlyEncrypted ?? false,
    // The library writes a rule only where it is told one; files read without one get upstream's default.
    rule: rule ?? defaultCryptRule,
    version: '3.13.2',
  };
}
