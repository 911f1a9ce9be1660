import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { commitFiles, runGit } from '../../../test/servers/gitRepository.ts';
import { type GitSshServer, startGitSshServer } from '../../../test/servers/gitSshServer.ts';
import { createGitClient, type GitClient } from './gitClient.ts';
import type { GitRemote } from './gitRemote.ts';
import { scanHostKeys } from './scanHostKeys.ts';
import { generateSshKey, type SshKeyPair } from './sshKey.ts';

let server: GitSshServer;
let git: GitClient;
let scratch: string;
let repository: { readonly folder: string; readonly url: string };

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  server = await startGitSshServer();
  git = createGitClient({ cacheFolder: scratch });
  repository = await server.createRepository('fleet');
  await commitFiles(repository.folder, { files: { 'a.yaml': 'a: 1\n' } });
});

after(async () => {
  await git.close();
  await server.close();
  await rm(scratch, { recursive: true, force: true });
});

function remoteWith({ identity }: SshKeyPair, knownHosts = server.knownHosts): GitRemote {
  return { url: repository.url, auth: { type: 'ssh', identity, knownHosts } };
}

const change = {
  branch: 'main',
  changes: new Map([['b.yaml', 'b: 1\n']]),
  message: 'Add b',
  author: { name: 'Plumb', email: 'plumb@plumb.example' },
};

for (const algorithm of ['ed25519', 'ecdsa', 'rsa'] as const) {
  test(`fetches and pushes with a ${algorithm} key as Flux keeps it`, async () => {
    const pair = await generateSshKey(algorithm);
    server.allow(pair.publicKey, 'write');
    const remote = remoteWith(pair);
    const commit = await git.fetch(remote, { type: 'branch', branch: 'main' });
    assert.equal(commit.hash, await runGit(repository.folder, ['rev-parse', 'main']));
    const hash = await git.pushCommit(remote, {
      ...change,
      changes: new Map([[`${algorithm}.yaml`, 'x: 1\n']]),
    });
    assert.equal(await runGit(repository.folder, ['rev-parse', 'main']), hash);
  });
}

test('an unknown key, a key that may only read and another host key are told apart', async () => {
  const stranger = await generateSshKey('ed25519');
  const reader = await generateSshKey('ed25519');
  server.allow(reader.publicKey, 'read');
  await assert.rejects(
    git.fetch(remoteWith(stranger), { type: 'branch', branch: 'main' }),
    (error) => isPlumbError(error, 'AuthenticationFailed') && /publickey/.test(error.message),
  );
  await git.fetch(remoteWith(reader), { type: 'branch', branch: 'main' });
  await assert.rejects(
    git.pushCommit(remoteWith(reader), change),
    (error) => isPlumbError(error) && /may only read/.test(error.message),
  );
  const otherHost = `[127.0.0.1]:${server.port} ${stranger.publicKey}`;
  await assert.rejects(
    git.fetch(remoteWith(reader, otherHost), { type: 'branch', branch: 'main' }),
    (error) =>
      isPlumbError(error, 'AuthenticationFailed') &&
      /host key verification failed: the server shows SHA256:/.test(error.message),
  );
});

test('the scan gives the host key as known_hosts wants it, and says when nobody answers', async () => {
  const keys = await scanHostKeys('127.0.0.1', server.port);
  assert.deepEqual(
    keys.map(({ line }) => line),
    [server.knownHosts],
  );
  await assert.rejects(
    scanHostKeys('127.0.0.1', 1),
    (error) => isPlumbError(error, 'GitOperationFailed') && /ECONNREFUSED/.test(error.message),
  );
});
