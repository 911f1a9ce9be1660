import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { asPlumbError, isPlumbError } from '../../base/plumbError.ts';
import { createGitClient } from '../../clients/git/gitClient.ts';
import { Workspace } from './workspace.ts';

const folder = await mkdtemp(join(tmpdir(), 'plumb-workspace-'));
const git = createGitClient({ cacheFolder: join(folder, 'cache') });
await writeFile(join(folder, 'a.yaml'), 'a: 1\n');
after(async () => {
  await git.close();
  await rm(folder, { recursive: true, force: true });
});

test('a caller that goes away takes nothing from another that waits for the same files', async () => {
  const workspace = new Workspace(git, [folder], new AbortController().signal);
  const first = new AbortController();
  const left = assert.rejects(workspace.saved(first.signal), (error) => isPlumbError(error, 'Cancelled'));
  const waiting = workspace.saved();
  first.abort();
  await left;
  assert.equal((await waiting)[0]?.files.text('a.yaml'), 'a: 1\n');
});

test('the end of the engine ends the reading', async () => {
  const closing = new AbortController();
  const workspace = new Workspace(git, [folder], closing.signal);
  const waiting = workspace.saved();
  closing.abort();
  await assert.rejects(waiting, (error) => asPlumbError(error).code === 'Cancelled');
});
