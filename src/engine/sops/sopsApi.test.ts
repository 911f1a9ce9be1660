import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { createSopsApi } from './sopsApi.ts';

// Made for this test; it opens nothing else.
const identity = 'AGE-SECRET-KEY-1XV04Z59LGWHNN4LNN4FW99VR67VZ77UDHPUYYUTHLVM0LTCHD3KSDJF9QC';
const recipient = 'age1q9x2k0ujm5tv4njjz08u5sta2rx40ruhxpzz6jyhjxlrdqgejgxqslfc70';
const api = createSopsApi(() => AbortSignal.timeout(60_000));
const secret = 'kind: Secret\nstringData:\n    user: admin\n    password: 0ld-passw0rd\n';
let folder: string;
let path: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-sops-api-'));
  path = join(folder, 'secret.yaml');
  process.env['SOPS_AGE_KEY'] = identity;
  await writeFile(
    join(folder, '.sops.yaml'),
    `creation_rules:\n- encrypted_regex: ^stringData$\n  age: ${recipient}\n`,
  );
});
after(async () => {
  delete process.env['SOPS_AGE_KEY'];
  await rm(folder, { recursive: true });
});

async function encrypted(): Promise<string> {
  await writeFile(path, secret);
  await api.encryptFile(path);
  return readFile(path, 'utf8');
}

describe('files encrypted with SOPS in an editor', () => {
  it('encrypts by the creation rules, and tells encrypted files from plain ones', async () => {
    await writeFile(path, secret);
    assert.equal(await api.isEncrypted(path), false);
    const text = await encrypted();
    assert.match(text, /^kind: Secret$/m);
    assert.doesNotMatch(text, /admin|passw0rd/);
    assert.equal(await api.isEncrypted(path), true);
    assert.equal((await api.decryptFile(path)).text, secret);
  });

  it('encrypts only the values that changed, with a new MAC, and gives what the next save needs', async () => {
    const before = (await encrypted()).split('\n');
    const opened = await api.decryptFile(path);
    assert.equal(opened.warning, undefined);
    const saved = await api.saveEncrypted(path, opened.digest, secret.replace('0ld', 'new'));
    const changed = (await readFile(path, 'utf8'))
      .split('\n')
      .flatMap((line, at) => (line === before[at] ? [] : [line.trim().split(':')[0]]));
    assert.deepEqual(
      changed.filter((name) => name !== 'lastmodified'),
      ['password', 'mac'],
    );
    const again = await api.decryptFile(path);
    assert.equal(again.text, secret.replace('0ld', 'new'));
    assert.deepEqual(saved, again);
  });

  it('leaves the file as it is when nothing changed', async () => {
    const before = await encrypted();
    const { digest } = await api.decryptFile(path);
    await api.saveEncrypted(path, digest, secret);
    assert.equal(await readFile(path, 'utf8'), before);
  });

  it('does not write over what somebody else wrote meanwhile', async () => {
    await encrypted();
    const { digest } = await api.decryptFile(path);
    const other = await encrypted();
    await assert.rejects(api.saveEncrypted(path, digest, `${secret}    more: x\n`), (error) =>
      isPlumbError(error, 'PlanOutdated'),
    );
    assert.equal(await readFile(path, 'utf8'), other);
  });

  it('tells the line of a text that is no YAML, and nothing of what stands there', async () => {
    const before = await encrypted();
    const { digest } = await api.decryptFile(path);
    for (const broken of ['password: *0ld-passw0rd', 'password: !0ld-passw0rd x: y', '"0ld-passw0rd']) {
      await assert.rejects(api.saveEncrypted(path, digest, `kind: Secret\n${broken}\n`), (error) => {
        assert.ok(isPlumbError(error, 'DecryptionFailed'));
        assert.match(error.message, /the text is no yaml that sops could encrypt/);
        assert.doesNotMatch(JSON.stringify(error) + String(error.stack), /0ld-passw0rd/);
        assert.equal(error.cause, undefined);
        return true;
      });
    }
    assert.equal(await readFile(path, 'utf8'), before);
  });
});
