import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Workbench } from '../../scripts/editor/workbench.ts';
import { createSopsApi } from '../../src/engine/sops/sopsApi.ts';
import { startEditor, temporaryFolder } from './harness.ts';
import { until } from './setupCluster.ts';

const identity = await generateX25519Identity();
const editor = await startEditor({ env: { SOPS_AGE_KEY: identity } });
const run = promisify(execFile);
process.env['SOPS_AGE_KEY'] = identity;
after(() => delete process.env['SOPS_AGE_KEY']);
const sops = createSopsApi(() => AbortSignal.timeout(60_000));
const secret = 'kind: Secret\nstringData:\n    user: admin\n    password: f1rst-passw0rd\n';
const tab = '.tabs-container .tab';
const mark = `${tab}.active [aria-label*="Not encrypted yet"]`;
const editButton = '.editor-group-container.active .editor-actions [aria-label="Edit Encrypted File"]';

/** A folder with a plain Secret and a rule how to encrypt it. */
async function secretFolder(test: TestContext): Promise<string> {
  const folder = await temporaryFolder(test, 'secrets');
  const recipient = await identityToRecipient(identity);
  await writeFile(
    join(folder, '.sops.yaml'),
    `creation_rules:\n- encrypted_regex: ^stringData$\n  age: ${recipient}\n`,
  );
  await writeFile(join(folder, 'kustomization.yaml'), 'resources: [secret.yaml]\nnamePrefix: a\n');
  await writeFile(join(folder, 'secret.yaml'), secret);
  return folder;
}

/** Where the text lies: files of the editor and the folder, databases of the page. That is where backups go. */
async function traces(workbench: Workbench, folder: string, text: string): Promise<readonly string[]> {
  const { stdout } = await run('grep', ['-rlF', '--', text, editor.stateFolder, folder]).catch(
    (error: { readonly code: number; readonly stdout: string }) => {
      // 1: found nothing, 2: a file went while it looked.
      assert.ok(error.code === 1 || error.code === 2, `grep ended with ${error.code}`);
      return error;
    },
  );
  const inPage = (await workbench.page.evaluate<string>(databases)).includes(text);
  return [...stdout.split('\n').filter((line) => line !== ''), ...(inPage ? ['a database of the page'] : [])];
}

/** By the keyboard: the find widget keeps a history of what was typed into it. */
async function typeAtEnd(workbench: Workbench, line: 'last value' | 'new line', text: string): Promise<void> {
  const { keyboard } = workbench.page;
  await workbench.page.locator('.editor-group-container.active .monaco-editor .view-line').first().click();
  await keyboard.press('Control+End');
  if (line === 'last value') for (const key of ['ArrowUp', 'End']) await keyboard.press(key);
  await keyboard.type(text);
}

const databases = `(async () => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const textOf = (value) => value instanceof Uint8Array || value instanceof ArrayBuffer ? new TextDecoder().decode(value) : JSON.stringify(value) ?? '';
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames)
      found.push(...(await done(database.transaction(store).objectStore(store).getAll())).map(textOf));
    database.close();
  }
  return found.join('\\n');
})()`;

describe('an encrypted file in the editor', () => {
  it('is edited in memory, and a save encrypts what changed', async (test) => {
    const folder = await secretFolder(test);
    const path = join(folder, 'secret.yaml');
    await editor.inWindow(test, folder, async (workbench) => {
      await workbench.openFile('secret.yaml');
      await workbench.gone(editButton);
      await workbench.runCommand('Plumb: Edit Encrypted File');
      assert.match(
        await workbench.dialogText(),
        /secret.yaml is not encrypted[^]*creation rules of the nearest .sops.yaml/,
      );
      await workbench.dialogButton('Encrypt');
      await workbench.tab('Decrypted secret.yaml');
      await workbench.line('password: f1rst-passw0rd');
      const before = await readFile(path, 'utf8');
      assert.match(before, /password: ENC\[/);

      await typeAtEnd(workbench, 'last value', '-sec0nd');
      await workbench.line('password: f1rst-passw0rd-sec0nd');
      await workbench.see(mark);
      await workbench.screenshot('encrypted file, edited');
      // The editor has backed up what was typed later into an ordinary file, and nothing of this one.
      await workbench.openFile('kustomization.yaml');
      await workbench.replaceText('namePrefix: a', 'namePrefix: backed-up-');
      await until(async () => (await traces(workbench, folder, 'namePrefix: backed-up-')).length > 0);
      assert.deepEqual(await traces(workbench, folder, 'passw0rd-sec0nd'), [], 'it is in memory only');
      assert.equal(await readFile(path, 'utf8'), before, 'only a save encrypts');

      await (await workbench.tab('Decrypted secret.yaml')).click();
      await workbench.line('password: f1rst-passw0rd-sec0nd');
      await workbench.page.keyboard.press('Control+S');
      await until(async () => (await readFile(path, 'utf8')) !== before);
      const edited = secret.replace('f1rst-passw0rd', 'f1rst-passw0rd-sec0nd');
      await workbench.gone(mark);
      assert.equal((await sops.decryptFile(path)).text, edited);
      const changed = (await readFile(path, 'utf8'))
        .split('\n')
        .flatMap((line, at) => (line === before.split('\n')[at] ? [] : [line.trim().split(':')[0]]));
      assert.deepEqual(
        changed.filter((name) => name !== 'lastmodified'),
        ['password', 'mac'],
      );
      assert.deepEqual(await traces(workbench, folder, 'passw0rd-sec0nd'), []);
    });
  });

  it('is asked about when its tab closes, and tells the line that cannot be encrypted and no more', async (test) => {
    const folder = await secretFolder(test);
    const path = join(folder, 'secret.yaml');
    await sops.encryptFile(path);
    const before = await readFile(path, 'utf8');
    await editor.inWindow(test, folder, async (workbench) => {
      await workbench.openFile('secret.yaml');
      await workbench.line('ENC[AES256_GCM');
      await workbench.openContainer('GitOps');
      await (await workbench.see(editButton)).click();
      await workbench.line('password: f1rst-passw0rd');
      await typeAtEnd(workbench, 'new line', 'bad: *th1rd-passw0rd');
      await workbench.see(mark);
      const told = workbench.toast(/secret.yaml: the text is no yaml that sops could encrypt: see line 5/);
      await workbench.page.keyboard.press('Control+S');
      await told;
      await workbench.screenshot('encrypted file, refused');
      assert.equal(await readFile(path, 'utf8'), before);

      await workbench.runCommand('View: Close Editor');
      assert.match(await workbench.dialogText(), /secret.yaml has changes that are not encrypted/);
      await workbench.screenshot('encrypted file, closed');
      await workbench.dialogButton('Cancel');
      await workbench.line('*th1rd-passw0rd');
      await workbench.runCommand('View: Close Editor');
      await workbench.dialogButton('Discard');
      await workbench.runCommand('Plumb: Edit Encrypted File');
      await workbench.line('password: f1rst-passw0rd');
      assert.equal(await readFile(path, 'utf8'), before);
      assert.deepEqual(await traces(workbench, folder, 'th1rd-passw0rd'), []);
    });
  });
});
