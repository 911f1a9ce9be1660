import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAgeIdentities, sshIdentityOf } from '../../../src/clients/kms/ageKeys.ts';
import { unwrapKey, wrapKey, type KeyRing } from '../../../src/clients/kms/keyRing.ts';
import { parsePgpKeys } from '../../../src/clients/kms/pgpKeys.ts';
import { unwrapDataKey, wrapDataKey } from '../../../src/lib/sops/dataKey.ts';
import { plainKeyOf, withWrapping } from '../../../src/lib/sops/masterKeys.ts';
import { decryptFile, readSopsFile } from '../../../src/lib/sops/sopsFile.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import type { OracleAnswer } from '../../oracle/oracle.ts';
import { readTables, vectorFolder } from '../vectors.ts';

const { signal } = new AbortController();
const [, cases] = readTables('sops').find(([table]) => table === 'keys') ?? ['', []];
const file = join(vectorFolder('sops'), 'golden', 'keys.json');
const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, OracleAnswer>;

for (const { name, input } of cases) {
  test(`unwraps what SOPS wrapped, and its own: ${name}`, async () => {
    const { encrypted } = golden[name]?.output as { encrypted: string };
    const dataKey = String(input['dataKey']);
    const ring = await ringOf(input);
    const { metadata, documents } = readSopsFile(Buffer.from(encrypted), 'yaml');
    const unwrapped = await unwrapDataKey(metadata, (key) => unwrapKey(ring, plainKeyOf(key), signal));
    assert.equal(Buffer.from(unwrapped).toString('hex'), dataKey);
    assert.equal(decryptFile({ metadata, documents }, unwrapped).mac, 'match');
    const groups = await wrapDataKey(
      unwrapped,
      metadata.keyGroups,
      metadata.shamirThreshold,
      async (key, part) => withWrapping(key, await wrapKey(ring, plainKeyOf(key), part, signal)),
    );
    const again = await unwrapDataKey({ ...metadata, keyGroups: groups }, (key) =>
      unwrapKey(ring, plainKeyOf(key), signal),
    );
    assert.equal(Buffer.from(again).toString('hex'), dataKey);
  });
}

async function ringOf(input: JsonObject): Promise<KeyRing> {
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '');
  return {
    age: [
      ...parseAgeIdentities(text('ageKey')),
      ...(text('sshKey') === '' ? [] : [sshIdentityOf(text('sshKey'))]),
    ],
    pgp: text('pgpKey') === '' ? [] : await parsePgpKeys(text('pgpKey')),
    origin: 'the case',
  };
}
