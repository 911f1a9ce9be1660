import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { Secret } from '../../base/secret.ts';
import { startVaultServer } from '../../../test/servers/cloudKeys/vaultServer.ts';
import { emptyKeyRing, wrapKey, type KeyRing, type WrappedKey } from './keyRing.ts';
import { UnwrappedKeys } from './unwrappedKeys.ts';

const signal = AbortSignal.timeout(60_000);
const server = await startVaultServer('apps');
after(() => server.close());
const vault = { token: new Secret(server.token) };
const ring: KeyRing = { ...emptyKeyRing, vault, loginIds: { vault: 'one' } };
const dataKey = randomBytes(32);

async function wrapped(bytes: Uint8Array): Promise<WrappedKey> {
  const fields = new Map([
    ['vault_address', server.url],
    ['engine_path', 'sops'],
    ['key_name', 'apps'],
  ]);
  const key = { type: 'hc_vault', fields, enc: '' };
  return { ...key, enc: (await wrapKey(ring, key, bytes, signal)).enc };
}

/** How often the service unwrapped during the work. */
async function countAsked(work: () => Promise<unknown>): Promise<number> {
  const before = server.asked.length;
  await work();
  return server.asked.slice(before).filter((line) => line.includes('/decrypt/')).length;
}

const key = await wrapped(dataKey);

test('a service is asked once for what it unwraps, until the answer is old', async () => {
  let now = 1_000_000;
  const keys = new UnwrappedKeys({ now: () => now, maxAgeMs: 1000 });
  const unwrap = async () => assert.deepEqual(Buffer.from(await keys.unwrap(ring, key, signal)), dataKey);
  assert.equal(await countAsked(unwrap), 1);
  now += 999;
  assert.equal(await countAsked(unwrap), 0);
  now += 1;
  assert.equal(await countAsked(unwrap), 1, 'too old');
  now -= 10;
  assert.equal(await countAsked(unwrap), 1, 'the clock was set back');
});

test('an answer serves the login that asked alone, and none that cannot be told from another', async () => {
  const keys = new UnwrappedKeys({ now: () => 0 });
  await keys.unwrap(ring, key, signal);
  const refused = { ...ring, vault: { token: new Secret('other') } };
  await assert.rejects(keys.unwrap({ ...refused, loginIds: { vault: 'two' } }, key, signal), /HTTP 403/);
  await assert.rejects(keys.unwrap({ ...refused, loginIds: {} }, key, signal), /HTTP 403/);
  await assert.rejects(keys.unwrap(emptyKeyRing, key, signal), /no token for Vault was given/);
  const { loginIds: _, ...nameless } = ring;
  assert.equal(
    await countAsked(async () => {
      await keys.unwrap(nameless, key, signal);
      await keys.unwrap(nameless, key, signal);
    }),
    2,
  );
});

test('a refusal is not kept, nor what a caller makes of an answer, and old answers make room', async () => {
  const keys = new UnwrappedKeys({ now: () => 0, maxCount: 1 });
  const lost = { ...key, enc: `${key.enc.slice(0, -4)}AAAA` };
  const fail = () => assert.rejects(keys.unwrap(ring, lost, signal), /HTTP 400/);
  assert.equal(await countAsked(fail), 1);
  assert.equal(await countAsked(fail), 1);
  (await keys.unwrap(ring, key, signal)).fill(0);
  assert.deepEqual(Buffer.from(await keys.unwrap(ring, key, signal)), dataKey);
  await keys.unwrap(ring, await wrapped(randomBytes(32)), signal);
  assert.equal(await countAsked(() => keys.unwrap(ring, key, signal)), 1, 'the newer one took its place');
});
