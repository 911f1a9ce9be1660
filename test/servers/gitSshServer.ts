import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import { forOpenSsh, generateSshKey } from '../../src/clients/git/sshKey.ts';
import { runGit } from './gitRepository.ts';

export interface GitSshServer {
  /** `ssh://git@127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** The folder that holds the bare repositories. */
  readonly folder: string;
  /** The server's host key as a line of a known_hosts file. */
  readonly knownHosts: string;
  /** Commands run so far, as `git-upload-pack /fleet.git`. */
  readonly commands: readonly string[];
  /** Lets this key, one authorized_keys line, in; `read` may only fetch, as a deploy key. */
  allow(publicKey: string, rights: 'read' | 'write'): void;
  /** Makes an empty bare repository `<name>.git`; gives its folder and URL. */
  createRepository(name: string): Promise<{ readonly folder: string; readonly url: string }>;
  close(): Promise<void>;
}

/** Real bare repositories over SSH on loopback: git's own programs behind an ssh2 server with public-key login. */
export async function startGitSshServer(): Promise<GitSshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-ssh-'));
  const hostKey = await generateSshKey('ed25519');
  const keys = new Map<string, 'read' | 'write'>();
  const commands: string[] = [];
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [forOpenSsh(hostKey.identity).reveal()] }, (connection) => {
    let rights: 'read' | 'write' | undefined;
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => undefined);
    connection.on('authentication', (login) => {
      rights = rightsOf(login, keys);
      if (rights === undefined) login.reject(['publickey']);
      else login.accept();
    });
    connection.on('session', (accept) => {
      const session = accept();
      session.on('env', (acceptEnv) => acceptEnv?.());
      session.on('exec', (acceptExec, _reject, { command }) => {
        const match = /^(git-upload-pack|git-receive-pack) '\/?([\w./-]+)'$/.exec(command);
        const channel = acceptExec();
        if (match === null || match[2]?.includes('..') === true) return refuse(channel, 'unknown command');
        const [, program = '', path = ''] = match;
        commands.push(`${program} /${path}`);
        if (program === 'git-receive-pack' && rights !== 'write')
          return refuse(channel, 'this deploy key may only read');
        serve(channel, program.replace('git-', ''), join(folder, path));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `ssh://git@127.0.0.1:${port}`;
  return {
    url,
    port,
    folder,
    knownHosts: `[127.0.0.1]:${port} ${hostKey.publicKey}`,
    commands,
    allow(publicKey, rights) {
      keys.set(publicKey.split(' ')[1] ?? '', rights);
    },
    async createRepository(name) {
      const path = join(folder, `${name}.git`);
      await runGit(folder, ['init', '--quiet', '--bare', '--initial-branch=main', path]);
      return { folder: path, url: `${url}/${name}.git` };
    },
    async close() {
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function rightsOf(
  login: AuthContext,
  keys: ReadonlyMap<string, 'read' | 'write'>,
): 'read' | 'write' | undefined {
  if (login.method !== 'publickey') return undefined;
  const rights = keys.get(login.key.data.toString('base64'));
  if (rights === undefined || login.signature === undefined || login.blob === undefined) return rights;
  const key = ssh2.utils.parseKey(`${login.key.algo} ${login.key.data.toString('base64')}`);
  if (key instanceof Error) return undefined;
  return key.verify(login.blob, login.signature, login.hashAlgo) === true ? rights : undefined;
}

function serve(channel: ServerChannel, program: string, repository: string): void {
  const child = spawn('git', [program, repository], {
    env: { PATH: process.env['PATH'], HOME: repository, GIT_CONFIG_NOSYSTEM: '1' },
  });
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.stdin.on('error', () => undefined);
  channel.on('error', () => undefined);
  child.on('error', (error) => refuse(channel, error.message));
  child.on('close', (exitCode) => {
    channel.exit(exitCode ?? 1);
    channel.end();
  });
}

function refuse(channel: ServerChannel, message: string): void {
  channel.stderr.write(`${message}\n`);
  channel.exit(1);
  channel.end();
}
