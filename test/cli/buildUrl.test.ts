import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { forOpenSsh, generateSshKey } from '../../src/clients/git/sshKey.ts';
import { type GitHttpServer, startGitHttpServer } from '../servers/gitHttpServer.ts';
import { commitFiles } from '../servers/gitRepository.ts';
import { type GitSshServer, startGitSshServer } from '../servers/gitSshServer.ts';
import { type Run, startPlumb } from './plumbProcess.ts';

let http: GitHttpServer;
let ssh: GitSshServer;
let home: string;
let repository: { readonly folder: string; readonly url: string };
let overSsh: { readonly folder: string; readonly url: string };

const files = {
  'apps/kustomization.yaml': 'namePrefix: p-\nresources: [a.yaml, ../shared]\n',
  'apps/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'shared/kustomization.yaml': 'resources: [b.yaml]\n',
  'shared/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  'outside/kustomization.yaml': 'resources: [../shared/b.yaml]\n',
  'broken/kustomization.yaml': 'resources: [gone.yaml]\n',
};

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  http = await startGitHttpServer();
  ssh = await startGitSshServer();
  repository = await http.createRepository('fleet');
  overSsh = await ssh.createRepository('fleet');
  await commitFiles(repository.folder, { files, tag: 'v1' });
  await commitFiles(repository.folder, { files: { 'shared/b.yaml': null, 'shared/kustomization.yaml': '' } });
  await commitFiles(overSsh.folder, { files });
  const key = await generateSshKey('ed25519');
  ssh.allow(key.publicKey, 'read');
  await writeFile(join(home, 'key'), forOpenSsh(key.identity).reveal(), { mode: 0o600 });
  await writeFile(join(home, 'known_hosts'), `${ssh.knownHosts}\n`);
  const command = `ssh -F /dev/null -i ${home}/key -o UserKnownHostsFile=${home}/known_hosts -o IdentitiesOnly=yes`;
  await writeFile(join(home, '.gitconfig'), `[core]\n\tsshCommand = ${command}\n`);
});

after(async () => {
  await http.close();
  await ssh.close();
  await rm(home, { recursive: true, force: true });
});

/** The servers run in this process, so it must not be blocked. */
function build(...args: readonly string[]): Promise<Run> {
  return startPlumb(['build', ...args], { cwd: home }).ended;
}

async function writeBase(base: string): Promise<string> {
  await writeFile(join(home, 'kustomization.yaml'), `resources:\n- ${base}\n`);
  return home;
}

const expected = `apiVersion: v1
kind: ConfigMap
metadata:
  name: p-a
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: p-b
`;

test('builds a folder of a repository behind a URL, at a tag', async () => {
  const run = await build(`${repository.url}//apps?ref=v1&timeout=90s`);
  assert.equal(run.err, '');
  assert.equal(run.out, expected);
  const explained = await build(`${repository.url}//apps?ref=v1`, '--explain');
  assert.match(explained.out, /^ConfigMap\/p-a \/metadata\/name {2}apps\/kustomization.yaml:1$/m);
});

test('restricts files of a repository to the folder of their kustomization', async () => {
  const url = `${repository.url}//outside?ref=v1`;
  const run = await build(url, '--load-restrictor', 'LoadRestrictionsNone');
  assert.equal(run.code, 2);
  assert.match(run.err, /outside\/kustomization.yaml:1:.*not in or below/);
});

test('tells what is wrong with a repository, or in it', async () => {
  const messages = {
    'nowhere?ref=v1': /the repository has no folder nowhere/,
    'apps?ref=v9': /cannot be fetched: .*v9/s,
    'broken?ref=v1': /broken\/kustomization.yaml:1:.*there is no file gone.yaml/,
  };
  for (const [target, message] of Object.entries(messages)) {
    const run = await build(`${repository.url}//${target}`);
    assert.notEqual(run.code, 0);
    assert.match(run.err, message);
    assert.equal(run.out, '');
  }
  const refused = await build(`${repository.url}//apps?ref=v1`, '--no-remote-bases');
  assert.match(refused.err, /remote bases are not allowed/);
});

test('builds over ssh with the user’s own git, as target and as base', async () => {
  const run = await build(`${overSsh.url}//apps`);
  assert.equal(run.err, '');
  assert.equal(run.out, expected);
  assert.equal((await build(await writeBase(`${overSsh.url}//apps?ref=main`))).out, expected);
});

test('builds a repository of the disk through file://, as target and as base', async () => {
  const url = `file://${overSsh.folder}//apps?ref=main`;
  const run = await build(url);
  assert.equal(run.err, '');
  assert.equal(run.out, expected);
  assert.equal((await build(await writeBase(url))).out, expected);
});
