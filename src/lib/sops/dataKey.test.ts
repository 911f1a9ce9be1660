import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { unwrapDataKey, wrapDataKey } from './dataKey.ts';
import type { KeyGroup, MasterKey, MasterKeyType } from './masterKeys.ts';
import type { SopsMetadata } from './metadata.ts';
import { combineShares, splitSecret } from './shamir.ts';
import { sopsMap } from './sopsTree.ts';

function key(name: string, type: MasterKeyType = 'age'): MasterKey {
  const field = type === 'pgp' ? 'fp' : type === 'age' ? 'recipient' : 'arn';
  return { type, enc: '', fields: sopsMap([{ key: field, value: name }]) };
}

function metadata(keyGroups: readonly KeyGroup[], shamirThreshold: number): SopsMetadata {
  return {
    keyGroups,
    shamirThreshold,
    lastModified: '2026-01-02T03:04:05Z',
    mac: '',
    macOnlyEncrypted: false,
    rule: { name: 'unencrypted_suffix', pattern: '_unencrypted' },
    version: '3.13.2',
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const wrap = (one: MasterKey, part: Uint8Array): Promise<MasterKey> =>
  Promise.resolve({ ...one, enc: hex(part) });
const unwrap = ({ enc, fields }: MasterKey): Promise<Uint8Array> => {
  const [name] = fields.items.map(({ value }) => value);
  if (name === 'lost') throw new Error('no identity matched');
  return Promise.resolve(Buffer.from(enc, 'hex'));
};

test('enough parts of a secret give it back, any of them', () => {
  const secret = randomBytes(32);
  const parts = splitSecret(secret, 5, 3);
  for (const chosen of [
    [0, 1, 2],
    [4, 2, 0],
    [1, 2, 3, 4],
  ])
    assert.equal(hex(combineShares(chosen.map((index) => parts[index] as Uint8Array))), hex(secret));
  assert.notEqual(hex(combineShares(parts.slice(0, 2))), hex(secret));
  assert.throws(() => combineShares([parts[0], parts[0]] as Uint8Array[]), /duplicate part/);
  assert.throws(() => splitSecret(secret, 2, 3), /threshold/);
});

test('any key of one group gives the data key', async () => {
  const dataKey = randomBytes(32);
  const groups = await wrapDataKey(dataKey, [[key('lost'), key('mine')]], 0, wrap);
  assert.equal(hex(await unwrapDataKey(metadata(groups, 0), unwrap)), hex(dataKey));
});

test('several groups give it from as many as the threshold says', async () => {
  const dataKey = randomBytes(32);
  const groups = await wrapDataKey(dataKey, [[key('a')], [key('lost')], [key('c')]], 2, wrap);
  assert.equal(hex(await unwrapDataKey(metadata(groups, 2), unwrap)), hex(dataKey));
  await assert.rejects(
    unwrapDataKey(metadata(groups, 3), unwrap),
    /cannot get sops data key \(2 of 3 key groups\): lost: no identity matched/,
  );
});

test('age keys are tried first, then PGP, then the clouds', async () => {
  const order: string[] = [];
  const group = [key('arn:x', 'kms'), key('FP', 'pgp'), key('age1')];
  await assert.rejects(
    unwrapDataKey(metadata([group], 0), ({ type }) => {
      order.push(type);
      return Promise.reject(new Error('no'));
    }),
    /age1: no; FP: no; arn:x: no/,
  );
  assert.deepEqual(order, ['age', 'pgp', 'kms']);
});
