import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileTree } from '../base/fileTree.ts';
import { createGitClient } from '../clients/git/gitClient.ts';
import { buildWithRemotes } from '../lib/kustomize/buildWithRemotes.ts';
import type { BuildOptions, BuildResult } from '../lib/kustomize/buildKustomization.ts';
import { startGitHttpServer } from '../../test/servers/gitHttpServer.ts';
import { commitFiles } from '../../test/servers/gitRepository.ts';
import { remoteFetcher } from './remoteBases.ts';
import { systemClock } from './systemClock.ts';

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
const folder = mkdtempSync(join(tmpdir(), 'plumb-remote-'));
const server = await startGitHttpServer();
const files = createServer((request, response) => {
  if (request.url === '/one.yaml') response.end(configMap('over-http'));
  else response.writeHead(404).end();
});
await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
const site = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
const { folder: bare, url } = await server.createRepository('bases');
await commitFiles(bare, {
  files: {
    'apps/kustomization.yaml': 'resources: [a.yaml, ../shared]\n',
    'apps/a.yaml': configMap('a'),
    'shared/kustomization.yaml': 'resources: [b.yaml]\n',
    'shared/b.yaml': configMap('b'),
  },
  tag: 'v1',
});
await commitFiles(bare, { files: { 'apps/a.yaml': configMap('newer') } });
const git = createGitClient({ cacheFolder: folder });
after(async () => {
  await git.close();
  await server.close();
  files.close();
  rmSync(folder, { recursive: true, force: true });
});

function build(resource: string, options: BuildOptions = {}): Promise<BuildResult> {
  const tree = FileTree.from([['kustomization.yaml', `resources:\n  - ${resource}\n`]]);
  const fetch = remoteFetcher({ git, clock: systemClock });
  return buildWithRemotes(tree, '', options, { fetch, signal: new AbortController().signal });
}

const namesOf = ({ objects }: BuildResult) => objects.map(({ object }) => object.metadata.name);

test('a remote base is built at its tag, its branch or the default branch, with the bases it names itself', async () => {
  assert.deepEqual(namesOf(await build(`${url}//apps?ref=v1`)), ['a', 'b']);
  assert.deepEqual(namesOf(await build(`${url}//apps?ref=main`)), ['newer', 'b']);
  assert.deepEqual(namesOf(await build(`${url}//apps`)), ['newer', 'b']);
});

test('a field of a remote base comes from a file of that repository', async () => {
  const { objects } = await build(`${url}//apps?ref=v1`);
  assert.equal(objects[0]?.origins.at('/metadata/name')?.path, `${url}//apps?ref=v1:apps/a.yaml`);
});

test('a file behind a URL is a resource', async () => {
  assert.deepEqual(namesOf(await build(`${site}/one.yaml`)), ['over-http']);
});

test('what cannot be fetched, or is not there, is told at the line that names it', async () => {
  const problemOf = async (resource: string, options?: BuildOptions) => {
    const [problem] = (await build(resource, options)).diagnostics;
    return `${problem?.code} ${problem?.path}:${(problem?.range.start.line ?? 0) + 1} ${problem?.message}`;
  };
  assert.match(await problemOf(`${site}/two.yaml`), /^build-file-missing kustomization.yaml:2 .*404/);
  assert.match(await problemOf(`${url}//gone`), /^build-file-missing kustomization.yaml:2 .*no folder gone/);
  assert.match(await problemOf(`${url}//apps?ref=v9`), /^build-file-missing kustomization.yaml:2 .*v9/);
  assert.match(
    await problemOf(`${url}//apps`, { refuseRemotes: true }),
    /^build-remote-refused kustomization.yaml:2 /,
  );
});

test('what was fetched is not fetched again at once', async () => {
  const tree = FileTree.from([['kustomization.yaml', `resources:\n  - ${url}//shared\n`]]);
  const how = {
    fetch: remoteFetcher({ git, clock: systemClock }),
    signal: new AbortController().signal,
  };
  await buildWithRemotes(tree, '', {}, how);
  const { length } = server.requests;
  await buildWithRemotes(tree, '', {}, how);
  assert.equal(server.requests.length, length);
});
