import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseYaml } from '../../src/kube/yaml.ts';
import { ownSandboxCluster, type SandboxCluster } from '../cluster/sandboxCluster.ts';
import { startGitHttpServer } from '../servers/gitHttpServer.ts';
import { runGit } from '../servers/gitRepository.ts';
import { startGitSshServer, type GitSshServer } from '../servers/gitSshServer.ts';
import { writeUserGit } from '../servers/userGit.ts';

interface Repository {
  readonly folder: string;
  readonly url: string;
}

/** An empty cluster, Git servers and a kubeconfig with contexts that work, are dead, or may only look. */
export interface SetupCluster {
  readonly sandbox: SandboxCluster;
  readonly ssh: GitSshServer;
  /** Contexts `sandbox`, `dead` and `viewer`. */
  readonly kubeconfig: string;
  /** A home whose git logs in to the SSH server. */
  readonly home: string;
  httpRepository(name: string): Promise<Repository>;
  /** On a server of its own, which wants the user `git` with `token`. */
  tokenRepository(name: string): Promise<Repository>;
  readonly token: string;
  /** Waits until nobody asks the server of `tokenRepository` for anything. */
  untilNobodyPushes(): Promise<void>;
  sshRepository(name: string): Promise<Repository>;
  /** Makes every push to the repository run this shell script first; gives back a function that removes it. */
  beforePush(repository: Repository, script: string): Promise<() => Promise<void>>;
  /** Subjects of the commits, oldest first; none when nothing was pushed. */
  commits(repository: Repository): Promise<readonly string[]>;
  /** The HTTP status and body of an object. */
  read(path: string): ReturnType<SandboxCluster['request']>;
}

/** Call it at the top of a test file: everything it starts ends after the file's tests. */
export async function startSetupCluster(): Promise<SetupCluster> {
  const sandbox = await ownSandboxCluster();
  const http = await startGitHttpServer();
  const token = 'ghp_0nly4tests';
  const withToken = await startGitHttpServer({ credentials: { username: 'git', password: token } });
  const ssh = await startGitSshServer();
  const home = await mkdtemp(join(tmpdir(), 'plumb-home-'));
  after(async () => {
    await http.close();
    await withToken.close();
    await ssh.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  await writeUserGit(home, ssh);
  return {
    sandbox,
    ssh,
    home,
    kubeconfig: await writeKubeconfig(sandbox, join(home, 'kubeconfig')),
    httpRepository: (name) => http.createRepository(name),
    tokenRepository: (name) => withToken.createRepository(name),
    token,
    untilNobodyPushes: () => until(() => Promise.resolve(withToken.pending() === 0)),
    sshRepository: (name) => ssh.createRepository(name),
    beforePush: async ({ folder }, script) => {
      const hook = join(folder, 'hooks', 'pre-receive');
      await writeFile(hook, `#!/bin/sh\n${script}\n`);
      await chmod(hook, 0o755);
      return () => rm(hook);
    },
    commits: async ({ folder }) => {
      const log = await runGit(folder, ['log', '--all', '--reverse', '--format=%s']);
      return log === '' ? [] : log.split('\n');
    },
    read: (path) => sandbox.request('GET', path),
  };
}

/** Asks again until it holds; fails after so many minutes. */
export async function until(holds: () => Promise<boolean>, minutes = 1): Promise<void> {
  for (const deadline = Date.now() + minutes * 60_000; Date.now() < deadline; await delay(50))
    if (await holds()) return;
  throw new Error(`that did not come true within ${minutes} min`);
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: object }[];
  readonly users: readonly { readonly name: string; readonly user: object }[];
}

async function writeKubeconfig(sandbox: SandboxCluster, path: string): Promise<string> {
  const namespace = await sandbox.freshNamespace('team');
  const viewer = await readKubeconfig(
    await sandbox.userKubeconfig({ userName: 'viewer', namespace, clusterRole: 'view' }),
  );
  const administrator = await readKubeconfig(sandbox.kubeconfig);
  const context = (name: string, cluster: string) => ({ name, context: { cluster, user: name } });
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'sandbox',
    contexts: [context('sandbox', 'sandbox'), context('viewer', 'sandbox'), context('dead', 'dead')],
    clusters: [
      { name: 'sandbox', cluster: administrator.clusters[0]?.cluster },
      { name: 'dead', cluster: { server: 'https://127.0.0.1:1' } },
    ],
    users: [
      { name: 'sandbox', user: administrator.users[0]?.user },
      { name: 'viewer', user: viewer.users[0]?.user },
      { name: 'dead', user: { token: 'x' } },
    ],
  };
  await writeFile(path, JSON.stringify(merged), { mode: 0o600 });
  return path;
}

async function readKubeconfig(path: string): Promise<Kubeconfig> {
  const [document] = parseYaml(path, await readFile(path, 'utf8')).value;
  return document?.value as unknown as Kubeconfig;
}
