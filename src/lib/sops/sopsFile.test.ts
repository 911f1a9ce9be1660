import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { defaultCryptRule, type CryptRule } from './cryptRules.ts';
import type { SopsMetadata } from './metadata.ts';
import { SopsCipher } from './sopsCipher.ts';
import { decryptFile, encryptFile, readSopsFile } from './sopsFile.ts';
import {
  detectSopsFormat,
  formatOfPath,
  hasSopsMarker,
  printPlain,
  readPlain,
  type SopsFormat,
} from './sopsFormat.ts';
import { sopsMap } from './sopsTree.ts';

const dataKey = randomBytes(32);

function metadata(rule: CryptRule = defaultCryptRule): SopsMetadata {
  return {
    keyGroups: [[{ type: 'age', fields: sopsMap([{ key: 'recipient', value: 'age1x' }]), enc: 'wrapped' }]],
    shamirThreshold: 0,
    lastModified: '2026-01-02T03:04:05Z',
    mac: '',
    macOnlyEncrypted: false,
    rule,
    version: '3.13.2',
  };
}

function encrypted(text: string, format: SopsFormat = 'yaml', rule?: CryptRule): string {
  const documents = readPlain(Buffer.from(text), format);
  return Buffer.from(encryptFile(documents, metadata(rule), new SopsCipher(dataKey), format)).toString();
}

function decrypted(text: string, format: SopsFormat = 'yaml', key: Uint8Array = dataKey) {
  return decryptFile(readSopsFile(Buffer.from(text), format), key);
}

test('gives back what was encrypted, in every format', () => {
  const cases: readonly (readonly [SopsFormat, string])[] = [
    ['yaml', 'a: text\nb:\n    - 1\n    - true\n    - null\n---\nc: 1.5\n'],
    ['json', '{\n\t"a": 1,\n\t"b": [\n\t\t"<x>"\n\t]\n}\n'.replace('<x>', 'x')],
    ['dotenv', '# note\nA=1\nB=x\\ny\n'],
    ['ini', '[s]\na      = 1\nlonger = 2\n'],
    ['binary', 'any\ttext'],
  ];
  for (const [format, text] of cases) {
    const file = encrypted(text, format);
    const { documents, mac } = decrypted(file, format);
    assert.equal(Buffer.from(printPlain(documents, format)).toString(), text, format);
    assert.equal(mac, 'match', format);
  }
});

test('an unchanged value keeps its encrypted text, a changed one does not', () => {
  const file = encrypted('a: one\nb: two\n');
  const { cipher } = decrypted(file);
  const edited = readPlain(Buffer.from('a: one\nb: three\n'), 'yaml');
  const lines = (text: string): string[] => text.split('\n');
  const again = lines(Buffer.from(encryptFile(edited, metadata(), cipher, 'yaml')).toString());
  assert.equal(again[0], lines(file)[0]);
  assert.notEqual(again[1], lines(file)[1]);
  assert.equal(decrypted(again.join('\n')).mac, 'match');
});

test('a value that was changed, moved or added breaks the file or its MAC', () => {
  const rule: CryptRule = { name: 'encrypted_regex', pattern: '^secret' };
  const file = encrypted('secret: one\nsecret2: two\nopen: text\n', 'yaml', rule);
  assert.equal(decrypted(file.replace('open: text', 'open: changed')).mac, 'mismatch');
  assert.equal(decrypted(`added: 1\n${file}`).mac, 'mismatch');
  assert.equal(decrypted(file.replace(/^secret: .*\n/, '')).mac, 'mismatch');
  assert.equal(decrypted(file.replace(/mac: .*/, 'mac: ""')).mac, 'missing');
  assert.equal(
    decrypted(file.replace('03:04:05', '03:04:06')).mac,
    'mismatch',
    'the time is bound to the MAC',
  );
  assert.throws(
    () => decrypted(file.replace('secret: ', 'secret3: ')),
    (error) =>
      isPlumbError(error, 'DecryptionFailed') && error.message.startsWith('could not decrypt secret3: '),
  );
});

test('a wrong data key is told without any value', () => {
  assert.throws(
    () => decrypted(encrypted('a: topsecret\n'), 'yaml', randomBytes(32)),
    (error) => isPlumbError(error, 'DecryptionFailed') && !error.message.includes('ENC['),
  );
  assert.throws(() => decrypted(encrypted('a: 1\n'), 'yaml', randomBytes(16)), /has 16 bytes/);
});

test('plain text where encrypted text must be is not repeated', () => {
  const file = encrypted('a: 1\n').replace(/^a: .*/, 'a: topsecret');
  assert.throws(
    () => decrypted(file),
    (error) => isPlumbError(error, 'DecryptionFailed') && !error.message.includes('topsecret'),
  );
});

test('a file without metadata, with two rules or without keys is refused', () => {
  const file = encrypted('a: 1\n');
  assert.throws(() => decrypted('a: 1\n'), /sops metadata not found/);
  assert.throws(() => decrypted(`${file}    encrypted_regex: ^x\n`), /cannot use more than one of/);
  assert.throws(() => decrypted(file.replace(/ {4}age:\n( {8}.*\n)+/, '')), /no keys found in file/);
  assert.throws(() => decrypted(file.replace(/lastmodified: .*/, 'lastmodified: never')), /lastmodified/);
});

test('a comment in a list stays a comment and is not covered by the MAC', () => {
  const file = encrypted('a:\n    # note\n    - 1\n');
  assert.match(file, /\n {4}#ENC\[AES256_GCM,.*type:comment\]\n/);
  const { documents, mac } = decrypted(file);
  assert.equal(Buffer.from(printPlain(documents, 'yaml')).toString(), 'a:\n    # note\n    - 1\n');
  assert.equal(mac, 'match');
});

test('formats are told by ending and by mark', () => {
  assert.deepEqual(['a.yaml', 'a.yml', 'a.json', '.env', 'a.ini', 'a.txt', 'env'].map(formatOfPath), [
    'yaml',
    'yaml',
    'json',
    'dotenv',
    'ini',
    'binary',
    'binary',
  ]);
  for (const format of ['yaml', 'json', 'dotenv', 'ini'] as const) {
    const text = encrypted(
      format === 'dotenv'
        ? 'A=1\n'
        : format === 'json'
          ? '{"a":1}'
          : format === 'ini'
            ? '[s]\na = 1\n'
            : 'a: 1\n',
      format,
    );
    assert.equal(detectSopsFormat(Buffer.from(text)), format);
    assert.ok(hasSopsMarker(Buffer.from(text), format));
  }
  assert.equal(detectSopsFormat(Buffer.from('a: 1')), undefined);
});
