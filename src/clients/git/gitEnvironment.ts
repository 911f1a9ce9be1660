import { chmod, rm, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import type { GitAuth, GitRemote } from './gitRemote.ts';
import { makeScratchFolder } from './scratchFolder.ts';
import { forOpenSsh } from './sshKey.ts';

export type GitEnvironment = Readonly<Record<string, string>>;

const passedOn = [
  'PATH',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'TMPDIR',
  'PATHEXT',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
];

/**
 * What git gets when it stands in for a controller: no home, so no configuration, hook, agent or credential program of the
 * user takes part, and no protocol but HTTP and SSH. The proxies of this machine do: there may be no other way out.
 */
export function controllerEnvironment(): GitEnvironment {
  return {
    ...pick(process.env, (name) => passedOn.includes(name.toUpperCase())),
    // A place in which no file can be, and that nobody has to make or remove.
    HOME: devNull,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'http:https:ssh',
  };
}

/** What git gets for a repository of the user's own: the user's home, agent and credential program, no prompts. */
export function userEnvironment(): GitEnvironment {
  const isOurs = (name: string): boolean =>
    !/^(GIT_|VSCODE_|ELECTRON_|SSH_ASKPASS|EDITOR$|PAGER$)/.test(name);
  return { ...pick(process.env, isOurs), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
}

/**
 * Runs `work` with the environment that reaches the remote. Credentials travel as configuration in the environment,
 * bound to the remote's host; keys and certificates lie in a private folder that is gone afterwards.
 */
export async function withRemote<T>(
  base: GitEnvironment,
  remote: GitRemote,
  work: (env: GitEnvironment) => Promise<T>,
): Promise<T> {
  const url = URL.parse(remote.url);
  const isUsers = remote.auth?.type === 'user';
  const protocols = ['http:', 'https:', 'ssh:', ...(isUsers ? ['file:'] : [])];
  if (url === null || !protocols.includes(url.protocol)) {
    throw plumbError('InvalidConfiguration', {
      message: `the URL ${JSON.stringify(remote.url.replace(/\/\/[^/@]*@/, '//'))} is none that git can be reached at`,
      reason: 'URLInvalid',
      hint: 'use http://, https:// or ssh://user@host/path',
    });
  }
  if (isUsers) return work(userEnvironment());
  const folder = await makeScratchFolder('auth');
  try {
    const write = async (name: string, content: string, mode = 0o600): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, content, { mode });
      if (mode !== 0o600) await chmod(path, mode);
      return path;
    };
    return await work({
      ...base,
      ...(url.protocol === 'ssh:'
        ? await sshVariables(remote.auth, write)
        : configVariables(await httpConfig(url, remote, write))),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type WriteFile = (name: string, content: string, mode?: number) => Promise<string>;
type Config = readonly (readonly [key: string, value: string])[];

async function httpConfig(url: URL, remote: GitRemote, write: WriteFile): Promise<Config> {
  const header = authorization(remote.auth ?? authOfUrl(url));
  const scope = `http.${url.protocol}//${url.host}/`;
  const config: [string, string][] = [['http.followRedirects', 'initial']];
  if (header !== undefined) config.push([`${scope}.extraHeader`, `Authorization: ${header.reveal()}`]);
  if (remote.proxyUrl !== undefined) config.push(['http.proxy', remote.proxyUrl.reveal()]);
  if (remote.caBundle !== undefined)
    config.push([`${scope}.sslCAInfo`, await write('ca.crt', remote.caBundle)]);
  if (remote.clientCertificate !== undefined) {
    const { certificate, key } = remote.clientCertificate;
    config.push([`${scope}.sslCert`, await write('tls.crt', certificate)]);
    config.push([`${scope}.sslKey`, await write('tls.key', key.reveal())]);
  }
  return config;
}

function authOfUrl(url: URL): GitAuth | undefined {
  if (url.username === '' && url.password === '') return undefined;
  return {
    type: 'basic',
    username: decodeURIComponent(url.username),
    password: new Secret(decodeURIComponent(url.password)),
  };
}

function authorization(auth: GitAuth | undefined): Secret<string> | undefined {
  switch (auth?.type) {
    case 'basic': {
      const pair = Buffer.from(`${auth.username}:${auth.password.reveal()}`);
      return new Secret(`Basic ${pair.toString('base64')}`);
    }
    case 'bearer':
      return new Secret(`Bearer ${auth.token.reveal()}`);
    case 'ssh':
    case 'user':
    case undefined:
      return undefined;
  }
}

function configVariables(config: Config): GitEnvironment {
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(config.length)],
    ...config.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]) as GitEnvironment;
}

async function sshVariables(auth: GitAuth | undefined, write: WriteFile): Promise<GitEnvironment> {
  if (auth?.type !== 'ssh') {
    throw plumbError('AuthenticationFailed', {
      message: 'an SSH address needs a key',
      hint: 'name a Secret with the keys identity and known_hosts in spec.secretRef',
    });
  }
  const key = forOpenSsh(auth.identity, auth.passphrase);
  const identity = await write('identity', `${key.reveal().trimEnd()}\n`);
  const knownHosts = await write('known_hosts', `${auth.knownHosts.trimEnd()}\n`);
  const options = [
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    'PreferredAuthentications=publickey',
    `BatchMode=${auth.passphrase === undefined ? 'yes' : 'no'}`,
    `UserKnownHostsFile="${knownHosts}"`,
    `GlobalKnownHostsFile=${devNull}`,
  ];
  const command = `ssh -F ${devNull} -i "${identity}" ${options.map((option) => `-o '${option}'`).join(' ')}`;
  if (auth.passphrase === undefined) return { GIT_SSH_COMMAND: command };
  const askPass = await write('askpass.sh', '#!/bin/sh\nprintf \'%s\\n\' "$PLUMB_PASSPHRASE"\n', 0o700);
  return {
    GIT_SSH_COMMAND: command,
    SSH_ASKPASS: askPass,
    SSH_ASKPASS_REQUIRE: 'force',
    PLUMB_PASSPHRASE: auth.passphrase.reveal(),
  };
}

function pick(env: NodeJS.ProcessEnv, keep: (name: string) => boolean): GitEnvironment {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== undefined && keep(name)),
  ) as GitEnvironment;
}
