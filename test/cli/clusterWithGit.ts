import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ownSandboxCluster } from '../cluster/sandboxCluster.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';

/** A sandbox, a Git server and a folder of a test file's own, and the place of a `plumb` that uses them. */
export async function clusterWithGit() {
  const cluster = await ownSandboxCluster();
  const git = await startGitHttpServer();
  const folder = mkdtempSync(join(tmpdir(), 'plumb-cli-'));
  after(async () => {
    await git.close();
    rmSync(folder, { recursive: true });
  });
  const env = { XDG_CACHE_HOME: join(folder, 'cache'), KUBECONFIG: cluster.kubeconfig };
  return { cluster, git, place: { cwd: folder, env } };
}
