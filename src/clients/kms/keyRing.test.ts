import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { startVaultServer } from '../../../test/servers/cloudKeys/vaultServer.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { parseAgeIdentities, wrapWithAge } from './ageKeys.ts';
import { emptyKeyRing, unwrapKey, wrapKey, type KeyRing, type WrappedKey } from './keyRing.ts';
import { loadUserKeys } from './userKeys.ts';

const { signal } = new AbortController();
const dataKey = Buffer.from('0123456789abcdef0123456789abcdef');

function key(type: string, enc: string, fields: Record<string, string> = {}): WrappedKey {
  return { type, enc, fields: new Map(Object.entries(fields)) };
}

test('a wrong age key is told, and none at all', async () => {
  const recipient = await identityToRecipient(await generateX25519Identity());
  const wrong: KeyRing = { ...emptyKeyRing, age: [await generateX25519Identity()] };
  const wrapped = key('age', await wrapWithAge(recipient, dataKey));
  await assert.rejects(unwrapKey(wrong, wrapped, signal), /^.*age: no identity matched/);
  await assert.rejects(unwrapKey(emptyKeyRing, wrapped, signal), /no age identity to decrypt with was given/);
});

test('a broken key file is told by its line, never by its text', () => {
  for (const line of ['AGE-SECRET-KEY-1SECRET', 'AGE-PLUGIN-YUBIKEY-1SECRET', 'SECRET'])
    assert.throws(
      () => parseAgeIdentities(`# a comment\n\n${line}\n`),
      (error) =>
        isPlumbError(error, 'DecryptionFailed') &&
        /line 3/.test(error.message) &&
        !error.message.includes('SECRET'),
      line,
    );
});

test('a kind of key that cannot be used is named, with the remedy', async () => {
  await assert.rejects(
    unwrapKey(emptyKeyRing, key('hckms', 'x'), signal),
    (error) =>
      isPlumbError(error) &&
      error.message === 'keys of Huawei Cloud KMS are not supported' &&
      /age recipient/.test(error.hint ?? ''),
  );
});

test('keys of a transit engine are asked of Vault, with the token', async () => {
  const server = await startVaultServer('apps');
  try {
    const transit = (name: string, enc = ''): WrappedKey =>
      key('hc_vault', enc, { vault_address: `${server.url}/`, engine_path: 'sops', key_name: name });
    const ring: KeyRing = { ...emptyKeyRing, vault: { token: new Secret(server.token) } };
    const { enc } = await wrapKey(ring, transit('apps'), dataKey, signal);
    assert.match(enc, /^vault:v1:/);
    assert.deepEqual(Buffer.from(await unwrapKey(ring, transit('apps', enc), signal)), dataKey);
    assert.deepEqual(server.asked, ['POST /v1/sops/encrypt/apps', 'POST /v1/sops/decrypt/apps']);
    await assert.rejects(
      unwrapKey(ring, transit('apps', `${enc.slice(0, -4)}AAAA`), signal),
      /refused to decrypt: HTTP 400 \(invalid ciphertext: unable to decrypt\)/,
    );
    await assert.rejects(
      wrapKey(ring, transit('lost'), dataKey, signal),
      /HTTP 400 \(encryption key not found\)/,
    );
    await assert.rejects(
      unwrapKey({ ...ring, vault: { token: new Secret('other') } }, transit('apps', enc), signal),
      (error) =>
        isPlumbError(error) &&
        /refused to decrypt: HTTP 403 \(permission denied\)/.test(error.message) &&
        !/other/.test(error.message),
    );
  } finally {
    await server.close();
  }
  const unreachable = key('hc_vault', 'x', {
    vault_address: 'http://127.0.0.1:1',
    engine_path: 'a',
    key_name: 'b',
  });
  await assert.rejects(
    unwrapKey({ ...emptyKeyRing, vault: { token: new Secret('t') } }, unreachable, signal),
    /cannot reach 127.0.0.1:1/,
  );
  await assert.rejects(unwrapKey(emptyKeyRing, unreachable, signal), /no token for Vault was given/);
});

test('the own Vault token goes to the server of the environment alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-vault-'));
  const transit = key('hc_vault', 'x', {
    vault_address: 'http://127.0.0.1:1/',
    engine_path: 'sops',
    key_name: 'apps',
  });
  const outcome = async (environment: Record<string, string>): Promise<unknown> => {
    const { ring } = await loadUserKeys({ environment, home: folder, platform: 'linux' });
    return unwrapKey(ring, transit, signal).catch((error: unknown) => error);
  };
  try {
    writeFileSync(join(folder, '.vault-token'), 'kept-token\n');
    for (const environment of [
      {},
      { VAULT_TOKEN: 'given', VAULT_ADDR: 'https://vault.example.org' },
      { SOPS_HC_VAULT_ALLOWLIST: 'none' },
    ])
      assert.match(
        String(await outcome(environment)),
        /your Vault token is not sent to http:\/\/127\.0\.0\.1:1/,
      );
    for (const environment of [
      { VAULT_ADDR: 'http://127.0.0.1:1' },
      { SOPS_HC_VAULT_ALLOWLIST: 'https://a.example.org, http://127.0.0.1:1' },
      { SOPS_HC_VAULT_ALLOWLIST: 'all' },
    ])
      assert.match(String(await outcome(environment)), /cannot reach 127\.0\.0\.1:1/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('finds the keys that the sops command finds on this machine', async () => {
  const home = mkdtempSync(join(tmpdir(), 'plumb-keys-'));
  try {
    const [one, two, three] = [
      await generateX25519Identity(),
      await generateX25519Identity(),
      await generateX25519Identity(),
    ];
    mkdirSync(join(home, '.config', 'sops', 'age'), { recursive: true });
    writeFileSync(join(home, '.config', 'sops', 'age', 'keys.txt'), `# mine\n${one}\n`);
    writeFileSync(join(home, 'other'), `${two}\n`);
    const { ring, problems } = await loadUserKeys({
      environment: { SOPS_AGE_KEY: three, SOPS_AGE_KEY_FILE: join(home, 'other'), VAULT_TOKEN: 'token' },
      home,
      platform: 'linux',
    });
    assert.deepEqual(ring.age, [three, two, one]);
    assert.equal(ring.vault?.token.reveal(), 'token');
    assert.deepEqual(problems, []);
    const lost = await loadUserKeys({
      environment: { SOPS_AGE_KEY_FILE: join(home, 'missing'), SOPS_AGE_KEY: 'broken' },
      home,
      platform: 'darwin',
    });
    assert.deepEqual(lost.ring.age, []);
    assert.equal(lost.problems.length, 2);
  } finally {
    rmSync(home, { recursive: true });
  }
});
