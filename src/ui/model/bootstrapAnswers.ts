import { bootstrapDefaults, type BootstrapAuth, type BootstrapOptions } from '../../protocol/bootstrap.ts';

/** What the user has said so far; kept for the next time, so it holds no secret. */
export interface BootstrapAnswers {
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  readonly auth: BootstrapAuth;
  readonly namespace: string;
}

/** A way to log in, as it is offered. */
export interface AuthChoice {
  readonly label: string;
  readonly detail: string;
  readonly auth: BootstrapAuth;
}

/** What is proposed to somebody who was never asked: the folder's own repository, the context's name as path. */
export function firstAnswers(remoteUrl: string | undefined, context: string): BootstrapAnswers {
  const url = repositoryUrl(remoteUrl ?? '');
  const folder = context
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '');
  return {
    url,
    branch: bootstrapDefaults.branch,
    path: folder === '' ? bootstrapDefaults.path : `clusters/${folder}`,
    auth: authChoices(url)[0]?.auth ?? { type: 'none' },
    namespace: bootstrapDefaults.namespace,
  };
}

/** The whole request; what was not asked is as upstream's flags default to. */
export function bootstrapOptions(answers: BootstrapAnswers): BootstrapOptions {
  return { ...bootstrapDefaults, ...answers };
}

/** The address as Flux takes it: `git@host:team/fleet.git` is what git calls short for an ssh:// URL. */
export function repositoryUrl(text: string): string {
  const url = text.trim();
  const short = /^(?:([\w.-]+)@)?([\w.-]+\.[\w.-]+|localhost):(?!\/\/)\/?(\S+)$/.exec(url);
  if (short === null) return url;
  const [, user = 'git', host = '', path = ''] = short;
  return `ssh://${user}@${host}/${path}`;
}

/** Why the text is no repository to sync from; undefined when it may be one. */
export function urlProblem(text: string): string | undefined {
  const url = URL.parse(repositoryUrl(text));
  if (text.trim() === '') return 'The address of the repository is needed.';
  if (url === null || !['https:', 'http:', 'ssh:'].includes(url.protocol) || url.hostname === '')
    return 'Use https://host/path, ssh://git@host/path, or http:// on this machine.';
  if (url.password !== '')
    return 'Leave the password out: the address ends up in Git and in the cluster. It is asked for later.';
  if (url.pathname.replaceAll('/', '') === '')
    return 'The path of the repository is missing, as /team/fleet.git.';
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'Plain HTTP is for this machine only: everything would travel in clear text. Use https:// or ssh://.';
  return undefined;
}

/** Why the text is no name of a branch. */
export function branchProblem(text: string): string | undefined {
  const name = text.trim();
  if (name === '') return 'The branch is needed.';
  const isValid = !/[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|\/\.|^[./-]|\.lock(\/|$)|[/.]$/u.test(name);
  return isValid ? undefined : `${name} is no name that git takes for a branch.`;
}

/** Why the text is no folder of a repository. */
export function pathProblem(text: string): string | undefined {
  const parts = text.trim().split('/');
  if (parts.includes('..') || text.includes('\\')) return 'The folder has to lie in the repository.';
  return parts.some((part) => part === '.git') ? 'That folder is git’s own.' : undefined;
}

/** Why the text is no name of a namespace. */
export function namespaceProblem(text: string): string | undefined {
  const isValid = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text.trim()) && text.trim().length <= 63;
  return isValid ? undefined : 'Use lower-case letters, digits and -, at most 63 characters.';
}

/** Why the text is no file to name: the engine has no current folder. */
export function keyFileProblem(text: string): string | undefined {
  return /^(\/|[a-z]:[\\/]|\\\\)./i.test(text.trim()) ? undefined : 'Give the full path of the private key.';
}

/** Ways to log in that the address allows, the usual one first. */
export function authChoices(url: string): readonly AuthChoice[] {
  const parsed = URL.parse(repositoryUrl(url));
  if (parsed?.protocol === 'ssh:') return sshChoices;
  const username = parsed === null || parsed.username === '' ? 'git' : decodeURIComponent(parsed.username);
  const token: AuthChoice = {
    label: 'User name and token',
    detail: 'For the push and for the cluster; a password works too. It is kept in a Secret of the cluster.',
    auth: { type: 'password', username },
  };
  const bearer: AuthChoice = {
    label: 'Bearer token',
    detail: 'Sent as an Authorization header, for servers that want no user name.',
    auth: { type: 'bearer' },
  };
  const none: AuthChoice = {
    label: 'No login',
    detail: 'The server lets everybody read and push. No Secret is made.',
    auth: { type: 'none' },
  };
  return parsed?.protocol === 'http:' ? [none, token, bearer] : [token, bearer, none];
}

const sshChoices: readonly AuthChoice[] = [
  {
    label: 'Deploy key',
    detail:
      'An ed25519 key is made for the cluster and shown, for you to register. Your own git does the push.',
    auth: { type: 'deployKey', algorithm: 'ed25519' },
  },
  {
    label: 'Deploy key, RSA',
    detail: 'The same with 4096 bits of RSA, for servers that know no ed25519.',
    auth: { type: 'deployKey', algorithm: 'rsa' },
  },
  {
    label: 'Private key file',
    detail: 'A key you have, for the push and for the cluster. It is kept in a Secret of the cluster.',
    auth: { type: 'privateKeyFile', path: '' },
  },
];

/** Whether two ways to log in are the same choice, whatever was typed into it. */
export function isSameChoice(one: BootstrapAuth, other: BootstrapAuth): boolean {
  if (one.type === 'deployKey' && other.type === 'deployKey') return one.algorithm === other.algorithm;
  return one.type === other.type;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
