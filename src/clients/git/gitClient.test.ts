import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { startGitHttpServer, type GitHttpServer } from '../../../test/servers/gitHttpServer.ts';
import { commitFiles, runGit } from '../../../test/servers/gitRepository.ts';
import { startConnectProxy } from '../../../test/servers/proxies.ts';
import { createGitClient, type GitClient, type GitSelector } from './gitClient.ts';
import type { GitRemote } from './gitRemote.ts';

const password = 'sécret:word';
let server: GitHttpServer;
let git: GitClient;
let scratch: string;
let remote: GitRemote;
let repository: string;
const hashes: string[] = [];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  server = await startGitHttpServer({ credentials: { username: 'flux', password } });
  git = createGitClient({ cacheFolder: scratch });
  const { folder, url } = await server.createRepository('fleet');
  repository = folder;
  remote = { url, auth: { type: 'basic', username: 'flux', password: new Secret(password) } };
  hashes.push(
    await commitFiles(folder, { files: { 'a.yaml': 'a: 1\n', 'b/c.bin': new Uint8Array([0, 255]) } }),
  );
  hashes.push(
    await commitFiles(folder, {
      files: { 'a.yaml': 'a: 2\n' },
      message: 'Second\n\nwith a body',
      tag: 'v1.0.0',
    }),
  );
  await runGit(folder, ['tag', '--annotate', '--message', 'release', 'v2.0.0', 'main']);
  hashes.push(await commitFiles(folder, { files: { 'a.yaml': 'a: 3\n' } }));
  hashes.push(await commitFiles(folder, { files: { 'side.yaml': 'x: 1\n' }, branch: 'side' }));
});

after(async () => {
  await git.close();
  await server.close();
  await rm(scratch, { recursive: true, force: true });
});

async function fetchText(selector: GitSelector, path = 'a.yaml'): Promise<string> {
  const commit = await git.fetch(remote, selector);
  const entries = await git.listTree(commit);
  const files = await git.readFiles(
    commit,
    entries.filter((entry) => entry.path === path),
  );
  return `${commit.hash} ${Buffer.from(files.get(path) ?? []).toString()}`;
}

test('fetches the newest commit of a branch, also after it moved', async () => {
  assert.equal(await fetchText({ type: 'branch', branch: 'main' }), `${hashes[2]} a: 3\n`);
  const moved = await commitFiles(repository, { files: { 'a.yaml': 'a: 4\n' } });
  assert.equal(await fetchText({ type: 'branch', branch: 'main' }), `${moved} a: 4\n`);
});

test('fetches tags, references and commits, reachable ones only on their branch', async () => {
  assert.equal(await fetchText({ type: 'tag', tag: 'v1.0.0' }), `${hashes[1]} a: 2\n`);
  assert.equal(await fetchText({ type: 'ref', name: 'refs/tags/v2.0.0^{}' }), `${hashes[1]} a: 2\n`);
  const commit = hashes[0] as string;
  assert.equal(await fetchText({ type: 'commit', commit }), `${commit} a: 1\n`);
  assert.equal(await fetchText({ type: 'commit', commit, branch: 'main' }), `${commit} a: 1\n`);
  await assert.rejects(fetchText({ type: 'commit', commit, branch: 'side' }), /not found in the repository/);
});

test('tells the message and the tag object', async () => {
  const commit = await git.fetch(remote, { type: 'tag', tag: 'v2.0.0' });
  assert.equal(commit.hash, hashes[1]);
  assert.equal(commit.message, 'Second\n\nwith a body');
  assert.match(Buffer.from(await git.readObject(commit, commit.tagHash ?? '')).toString(), /release/);
  assert.equal((await git.fetch(remote, { type: 'tag', tag: 'v1.0.0' })).tagHash, undefined);
});

test('lists references with peeled tags', async () => {
  const refs = await git.listRefs(remote, ['refs/tags/*']);
  assert.deepEqual([...refs.keys()], ['refs/tags/v1.0.0', 'refs/tags/v2.0.0', 'refs/tags/v2.0.0^{}']);
  assert.equal(refs.get('refs/tags/v2.0.0^{}'), hashes[1]);
});

test('a file that did not change stays the same bytes object', async () => {
  const read = async (): Promise<Uint8Array | undefined> => {
    const commit = await git.fetch(remote, { type: 'branch', branch: 'main' });
    return (await git.readFiles(commit, await git.listTree(commit))).get('b/c.bin');
  };
  const first = await read();
  await commitFiles(repository, { files: { 'other.yaml': 'x: 1\n' } });
  assert.deepEqual(first, new Uint8Array([0, 255]));
  assert.equal(await read(), first);
});

test('a missing branch, a wrong password and a dead host are told apart, without the password', async () => {
  const cases: readonly (readonly [GitRemote, string])[] = [
    [{ ...remote, url: `${server.url}/fleet.git` }, 'NotFound'],
    [{ url: remote.url, auth: { type: 'bearer', token: new Secret('wrong-token') } }, 'AuthenticationFailed'],
    [{ url: remote.url }, 'AuthenticationFailed'],
    [{ url: 'http://127.0.0.1:1/fleet.git' }, 'GitOperationFailed'],
    [{ url: 'ext::sh -c whoami' }, 'InvalidConfiguration'],
    [{ url: 'file:///etc' }, 'InvalidConfiguration'],
  ];
  for (const [where, code] of cases) {
    await assert.rejects(git.fetch(where, { type: 'branch', branch: 'nowhere' }), (error: Error) => {
      assert.ok(isPlumbError(error), String(error));
      assert.equal(`${error.code} ${where.url}`, `${code} ${where.url}`, error.message);
      assert.doesNotMatch(error.message, /wrong-token|sécret/);
      return true;
    });
  }
});

test('git in the place of a controller leaves through the proxy of this machine', async () => {
  const proxy = await startConnectProxy({ refuses: 403 });
  const names = ['HTTPS_PROXY', 'NO_PROXY', 'https_proxy', 'no_proxy'];
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy.port}`;
  try {
    const own = createGitClient({ cacheFolder: scratch });
    await assert.rejects(
      own.fetch({ url: 'https://git.invalid/fleet' }, { type: 'branch', branch: 'main' }),
      /403/,
    );
    await own.close();
  } finally {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    proxy.close();
  }
});

test('credentials of the URL are used and never shown', async () => {
  const url = remote.url.replace('://', `://flux:${encodeURIComponent(password)}@`);
  assert.ok((await git.listRefs({ url }, ['refs/heads/main'])).has('refs/heads/main'));
  await assert.rejects(
    git.fetch({ url: url.replace('fleet', 'none') }, { type: 'branch', branch: 'x' }),
    (error: Error) => {
      assert.doesNotMatch(error.message, /s%C3%A9cret|flux:/);
      return true;
    },
  );
});

test('an aborted signal ends a command as Cancelled, a timeout as GitOperationFailed', async () => {
  const aborted = AbortSignal.abort();
  await assert.rejects(git.fetch(remote, { type: 'branch', branch: 'main' }, aborted), {
    name: 'AbortError',
  });
  await assert.rejects(
    git.fetch({ ...remote, timeoutMs: 1 }, { type: 'branch', branch: 'main' }),
    /timed out/,
  );
});

test('commits changes on top of a branch and pushes them, and nothing when nothing changes', async () => {
  const request = {
    branch: 'main',
    changes: new Map([
      ['flux-system/a.yaml', 'kind: A\n'],
      ['b/c.bin', undefined],
    ]),
    message: 'Add Flux sync manifests\n',
    author: { name: 'Plumb', email: 'plumb@plumb.example' },
  };
  const pushed = await git.pushCommit(remote, request);
  assert.equal(await runGit(repository, ['rev-parse', 'main']), pushed);
  const files = (await runGit(repository, ['ls-tree', '-r', '--name-only', 'main'])).split('\n');
  assert.deepEqual(files, ['a.yaml', 'flux-system/a.yaml', 'other.yaml']);
  assert.equal(
    await git.pushCommit(remote, { ...request, changes: new Map([['b/c.bin', undefined]]) }),
    pushed,
  );
  await assert.rejects(git.pushCommit(remote, { ...request, expectedHead: hashes[0] as string }), /moved/);
  const first = await git.pushCommit(remote, { ...request, branch: 'new', expectedHead: null });
  assert.equal(await runGit(repository, ['rev-list', '--count', 'new']), '1');
  assert.notEqual(first, pushed);
});

test('two clients share a cache folder without touching each other', async () => {
  const second = createGitClient({ cacheFolder: scratch });
  const fetched = await Promise.all(
    [git, second].map((client) => client.fetch(remote, { type: 'branch', branch: 'side' })),
  );
  assert.deepEqual(
    fetched.map(({ hash }) => hash),
    [hashes[3], hashes[3]],
  );
  assert.notEqual(fetched[0]?.repository.folder, fetched[1]?.repository.folder);
  await second.close();
});

test('a store left by a dead process is taken over and its locks are removed', async () => {
  const cacheFolder = join(scratch, 'left');
  const first = createGitClient({ cacheFolder });
  const { folder } = (await first.fetch(remote, { type: 'branch', branch: 'main' })).repository;
  await first.close();
  await writeFile(`${folder}.pid`, '999999999');
  await writeFile(join(folder, 'shallow.lock'), '');
  await commitFiles(repository, { files: { 'late.yaml': 'x: 1\n' } });
  const second = createGitClient({ cacheFolder });
  assert.equal((await second.fetch(remote, { type: 'branch', branch: 'main' })).repository.folder, folder);
  await second.close();
  assert.deepEqual(
    (await readdir(join(cacheFolder, 'git'))).filter((name) => name.includes('.pid')),
    [],
  );
});

test('a working tree is read as the next commit would hold it, and stays untouched', async () => {
  const folder = join(scratch, 'work');
  await mkdir(folder);
  await runGit(scratch, ['clone', '--quiet', '--branch', 'side', repository, folder]);
  await runGit(folder, ['remote', 'set-url', 'origin', remote.url]);
  const clean = await git.readWorkingTree(folder);
  assert.equal(clean.treeHash, clean.head?.treeHash);
  await clean.close();
  await writeFile(join(folder, '.gitignore'), 'ignored.yaml\n');
  await writeFile(join(folder, '.gitattributes'), '*.txt text\n');
  await writeFile(join(folder, 'ignored.yaml'), 'x');
  await writeFile(join(folder, 'new.txt'), 'one\r\ntwo\r\n');
  await rm(join(folder, 'side.yaml'));
  const before = await runGit(folder, ['count-objects']);
  const tree = await git.readWorkingTree(folder);
  assert.deepEqual(
    tree.entries.map(({ path }) => path),
    ['.gitattributes', '.gitignore', 'new.txt'],
  );
  assert.deepEqual(tree.untracked, ['.gitattributes', '.gitignore', 'new.txt']);
  assert.equal(tree.branch, 'side');
  assert.equal(tree.head?.hash, hashes[3]);
  assert.notEqual(tree.treeHash, tree.head?.treeHash);
  assert.deepEqual(tree.remotes, [{ name: 'origin', url: remote.url }]);
  const files = await tree.readFiles(tree.entries);
  assert.equal(Buffer.from(files.get('new.txt') ?? []).toString(), 'one\ntwo\n');
  await tree.close();
  assert.equal(await runGit(folder, ['count-objects']), before);
  assert.equal(await runGit(folder, ['diff', '--cached', '--name-only']), '');
});

test('a folder outside any repository is read too, .gitignore included', async () => {
  const folder = join(scratch, 'plain');
  await mkdir(folder);
  await writeFile(join(folder, '.gitignore'), '*.log\n');
  await writeFile(join(folder, 'a.log'), '');
  await writeFile(join(folder, 'a.yaml'), 'a: 1\n');
  const tree = await git.readWorkingTree(folder);
  assert.deepEqual(
    tree.entries.map(({ path }) => path),
    ['.gitignore', 'a.yaml'],
  );
  assert.equal(tree.head, undefined);
  assert.equal(Buffer.from((await tree.readFiles(tree.entries)).get('a.yaml') ?? []).toString(), 'a: 1\n');
  await tree.close();
  assert.deepEqual((await readdir(folder)).sort(), ['.gitignore', 'a.log', 'a.yaml']);
});
