import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { isPlumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { forOpenSsh, generateSshKey, isEncryptedKey, sshFingerprint, sshPublicKeyOf } from './sshKey.ts';

const run = promisify(execFile);
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-sshkey-'));
});

after(() => rm(folder, { recursive: true }));

async function sshKeygen(...args: string[]): Promise<string> {
  return (await run('ssh-keygen', args)).stdout.trim();
}

for (const algorithm of ['ed25519', 'ecdsa', 'rsa'] as const) {
  test(`ssh-keygen finds the same public key and fingerprint for a new ${algorithm} key`, async () => {
    const { identity, publicKey } = await generateSshKey(algorithm);
    assert.match(identity.reveal(), /^-----BEGIN PRIVATE KEY-----/);
    const file = join(folder, algorithm);
    await writeFile(file, forOpenSsh(identity).reveal(), { mode: 0o600 });
    assert.equal(await sshKeygen('-y', '-f', file), publicKey);
    await writeFile(`${file}.pub`, `${publicKey}\n`);
    assert.equal((await sshKeygen('-l', '-f', `${file}.pub`)).split(' ')[1], sshFingerprint(publicKey));
    assert.equal(sshPublicKeyOf(identity), publicKey);
  });
}

for (const passphrase of ['', 'open sesame']) {
  test(`reads the public key of ssh-keygen's files ${passphrase === '' ? 'without' : 'with'} a passphrase`, async () => {
    for (const format of ['RFC4716', 'PEM', 'PKCS8']) {
      const file = join(folder, `made-${format}-${passphrase.length}`);
      await sshKeygen('-q', '-t', 'rsa', '-b', '2048', '-m', format, '-N', passphrase, '-C', '', '-f', file);
      const identity = new Secret(await readFile(file, 'utf8'));
      const expected = (await readFile(`${file}.pub`, 'utf8')).trim();
      assert.equal(isEncryptedKey(identity), passphrase !== '', format);
      assert.equal(sshPublicKeyOf(identity, new Secret(passphrase)), expected, format);
    }
  });
}

test('refuses what is no key, a wrong passphrase and a cut-off file, without showing the text', async () => {
  const file = join(folder, 'encrypted');
  await sshKeygen('-q', '-t', 'ecdsa', '-m', 'PKCS8', '-N', 'right', '-f', file);
  const encrypted = new Secret(await readFile(file, 'utf8'));
  const cutOff = Buffer.from('openssh-key-v1\0\0\0\0\u0004none').toString('base64');
  const cases: readonly (readonly [Secret<string>, RegExp])[] = [
    [new Secret('hunter2'), /no private key in PEM/],
    [encrypted, /passphrase does not open it/],
    [
      new Secret(`-----BEGIN OPENSSH PRIVATE KEY-----\n${cutOff}\n-----END OPENSSH PRIVATE KEY-----`),
      /cut off/,
    ],
  ];
  for (const [identity, message] of cases) {
    assert.throws(
      () => sshPublicKeyOf(identity, new Secret('wrong')),
      (error) => {
        assert.ok(isPlumbError(error, 'InvalidConfiguration'));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2|wrong/);
        return true;
      },
    );
  }
});
