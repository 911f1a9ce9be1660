import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { runPlumb, type Run } from './plumbProcess.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const secret = `apiVersion: v1
kind: Secret
metadata:
    name: login
stringData:
    # who
    user: admin
    password: old
`;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-sops-'));
  write('keys.txt', `# a key of this test\n${identity}\n`);
  write('.sops.yaml', `creation_rules:\n- encrypted_regex: ^(data|stringData)$\n  age: ${recipient}\n`);
});

after(() => rmSync(folder, { recursive: true }));

test('encrypts by the rules of .sops.yaml, and decrypts to the same bytes', () => {
  write('secret.yaml', secret);
  const encrypted = sops(['encrypt', 'secret.yaml']);
  assert.equal(encrypted.code, 0, encrypted.err);
  assert.match(encrypted.out, /^kind: Secret$/m);
  assert.match(encrypted.out, /^ {4}password: ENC\[AES256_GCM,/m);
  assert.doesNotMatch(encrypted.out, /admin|old/);
  assert.equal(read('secret.yaml'), secret, 'without --in-place the file stays');

  assert.equal(sops(['encrypt', '-i', 'secret.yaml']).code, 0);
  const decrypted = sops(['decrypt', 'secret.yaml']);
  assert.equal(decrypted.out, secret);
  assert.equal(decrypted.code, 0);
  assert.match(sops(['encrypt', '-i', 'secret.yaml']).err, /encrypted already/);
});

test('takes recipients, a pattern, a format and key files from the command line', () => {
  write('plain.txt', 'A=1\nB=2\n');
  const options = ['--age', recipient, '--encrypted-regex', '^A$', '--format', 'dotenv'];
  const { out } = sops(['encrypt', 'plain.txt', ...options]);
  assert.match(out, /^A=ENC\[.*\nB=2\nsops_age__list_0__map_enc=/);
  write('plain.enc', out);
  const run = runPlumb(['sops', 'decrypt', 'plain.enc', '--format', 'dotenv', '--key', 'keys.txt'], {
    cwd: folder,
  });
  assert.equal(run.out, 'A=1\nB=2\n');
});

test('edit gives the editor plain text in memory, and encrypts only what changed', () => {
  write('edit.yaml', secret);
  chmodSync(join(folder, 'edit.yaml'), 0o640);
  sops(['encrypt', '-i', 'edit.yaml']);
  const before = read('edit.yaml').split('\n');
  write(
    'editor.mjs',
    `import { readFileSync, statSync, writeFileSync } from 'node:fs';
const file = process.argv[2];
const { mode } = statSync(file);
writeFileSync('${join(folder, 'seen')}', JSON.stringify([file, mode & 0o777]));
writeFileSync(file, readFileSync(file, 'utf8').replace('password: old', 'password: new'));
`,
  );
  const run = sops(['edit', 'edit.yaml'], { EDITOR: `${process.execPath} ${join(folder, 'editor.mjs')}` });
  assert.equal(run.code, 0, run.err);
  assert.equal(run.err, 'edit.yaml encrypted\n');
  const [path, mode] = JSON.parse(read('seen')) as [string, number];
  assert.match(path, /^\/dev\/shm\/plumb-\w+\/edit\.yaml$/);
  assert.equal(mode, 0o600);
  const changed = read('edit.yaml')
    .split('\n')
    .flatMap((line, index) => (line === before[index] ? [] : [line.trim().split(':')[0]]));
  // The time has whole seconds: two saves within one have the same.
  assert.deepEqual(
    changed.filter((name) => name !== 'lastmodified'),
    ['password', 'mac'],
  );
  assert.equal(statSync(join(folder, 'edit.yaml')).mode & 0o777, 0o640);
  assert.equal(sops(['decrypt', 'edit.yaml']).out, secret.replace('old', 'new'));
  assert.deepEqual(
    readdirSync('/dev/shm').filter((name) => name === path.split('/')[3]),
    [],
  );
});

test('edit leaves the file alone when nothing changed, the text is broken or the editor fails', () => {
  write('same.yaml', secret);
  sops(['encrypt', '-i', 'same.yaml']);
  const content = read('same.yaml');
  assert.equal(sops(['edit', 'same.yaml'], { EDITOR: 'true' }).err, 'same.yaml not changed\n');
  const failing = sops(['edit', 'same.yaml'], { EDITOR: 'false' });
  assert.equal(failing.code, 64);
  assert.match(failing.err, /false ended with 1; the file is as it was/);
  write(
    'breaker.mjs',
    `import { writeFileSync } from 'node:fs';\nwriteFileSync(process.argv[2], 'password: [open\\n');\n`,
  );
  const broken = sops(['edit', 'same.yaml'], {
    EDITOR: `${process.execPath} ${join(folder, 'breaker.mjs')}`,
  });
  assert.equal(broken.code, 2);
  assert.match(broken.err, /could not read the YAML: line/);
  assert.equal(read('same.yaml'), content);
});

test('a wrong key, a broken MAC and a missing file have exit codes and words of their own', async () => {
  write('mac.yaml', secret);
  sops(['encrypt', '-i', 'mac.yaml']);
  write('other.txt', `${await generateX25519Identity()}\n`);
  const wrong = runPlumb(['sops', 'decrypt', 'mac.yaml', '--key', 'other.txt'], { cwd: folder });
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /cannot get sops data key: age1.*: age: no identity matched/);
  write('mac.yaml', read('mac.yaml').replace('kind: Secret', 'kind: Other'));
  const broken = sops(['decrypt', 'mac.yaml']);
  assert.equal(broken.code, 1);
  assert.equal(broken.out, secret.replace('kind: Secret', 'kind: Other'));
  assert.match(broken.err, /the MAC of .*mac\.yaml does not match/);
  assert.equal(sops(['decrypt', 'gone.yaml']).code, 2);
  assert.equal(sops(['burn', 'mac.yaml']).code, 64);
  assert.equal(sops(['edit']).code, 64);
});

function sops(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  return runPlumb(['sops', ...args], {
    cwd: folder,
    env: { SOPS_AGE_KEY_FILE: join(folder, 'keys.txt'), ...env },
  });
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
