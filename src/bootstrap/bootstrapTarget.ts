import { parseDuration } from '../base/duration.ts';
import { plumbError } from '../base/plumbError.ts';
import type { Secret } from '../base/secret.ts';
import { joinTreePath } from '../base/treePath.ts';
import type { SshKeyPair } from '../clients/git/sshKey.ts';

/** How the repository is reached, with the credentials themselves. */
export type SyncAuth =
  | { readonly type: 'none' }
  | { readonly type: 'password'; readonly username: string; readonly password: Secret<string> }
  | { readonly type: 'bearer'; readonly token: Secret<string> }
  /** A pair made for the cluster; pushes go through the user's own git. */
  | { readonly type: 'deployKey'; readonly pair: SshKeyPair }
  | {
      readonly type: 'privateKey';
      readonly identity: Secret<string>;
      readonly passphrase?: Secret<string>;
    };

/** What the user asked for. */
export interface BootstrapRequest {
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  readonly namespace: string;
  readonly secretName: string;
  readonly interval: string;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly commitMessageAppendix?: string;
  readonly caBundle?: string;
  readonly sshHostname?: string;
  readonly recurseSubmodules: boolean;
  readonly allowInsecureHttp: boolean;
  readonly force: boolean;
  readonly auth: SyncAuth;
}

/** The request, checked, with what follows from it. */
export interface BootstrapTarget {
  readonly request: BootstrapRequest;
  /** What this run talks to. */
  readonly url: URL;
  /** What the GitRepository gets (contract 7.2, step 5): no user for HTTP, a user for SSH. */
  readonly syncUrl: string;
  /** The cluster's folder from the repository's root; '' is the root. */
  readonly path: string;
  /** The folder of the Flux manifests. */
  readonly folder: string;
}

/** Checks what can be checked without asking anybody. Throws InvalidConfiguration naming the option. */
export function bootstrapTarget(request: BootstrapRequest): BootstrapTarget {
  const url = repositoryUrl(request);
  requireMatchingAuth(url, request.auth);
  requireBranchName(request.branch);
  requireName('namespace', request.namespace, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 63);
  requireName('secret name', request.secretName, /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, 253);
  requireInterval(request.interval);
  const path = cleanPath(request.path);
  const folder = path === '' ? request.namespace : `${path}/${request.namespace}`;
  return { request, url, syncUrl: syncUrlOf(url, request.sshHostname), path, folder };
}

/** `./clusters/dev`; `./` for the root: how spec.path of the sync Kustomization is written. */
export function syncPathOf(path: string): string {
  return `./${path}`;
}

/** `./clusters/dev/`, `clusters/dev` and `/clusters/dev` are the same place in a repository. */
export function normalizedSyncPath(specPath: string): string {
  return joinTreePath('', specPath.replace(/^\/+/, '')) ?? specPath;
}

function repositoryUrl(request: BootstrapRequest): URL {
  const scp = /^([\w.-]+@)?([\w.-]+):(?!\/\/)(\S+)$/.exec(request.url);
  const url = URL.parse(scp === null ? request.url : `ssh://${scp[1] ?? 'git@'}${scp[2]}/${scp[3]}`);
  if (url === null || !['http:', 'https:', 'ssh:'].includes(url.protocol) || url.hostname === '')
    throw invalid(
      `the repository URL ${JSON.stringify(withoutPassword(request.url))} is none that Flux can sync from`,
      'use https://host/path, ssh://git@host/path, or http:// on this machine',
    );
  if (url.password !== '')
    throw invalid(
      `the repository URL of ${url.host} holds a password`,
      'leave it out and give it through GIT_PASSWORD or the prompt: a URL ends up in Git and in the cluster',
    );
  if (url.pathname.replaceAll('/', '') === '')
    throw invalid(`the URL of ${url.host} names no repository`, 'add its path, as in /team/fleet.git');
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !request.allowInsecureHttp)
    throw invalid(
      `${url.origin} is plain HTTP: credentials and manifests would travel in clear text`,
      'use https:// or ssh://, or allow it with --allow-insecure-http',
    );
  return url;
}

function requireMatchingAuth(url: URL, auth: SyncAuth): void {
  const isSshAuth = auth.type === 'deployKey' || auth.type === 'privateKey';
  if (url.protocol === 'ssh:' && !isSshAuth)
    throw invalid(
      `${url.host} is reached over SSH, which takes a key and no password or token`,
      'use a deploy key or --private-key-file, or an https:// URL',
    );
  if (url.protocol !== 'ssh:' && isSshAuth)
    throw invalid(
      `${url.origin} is reached over HTTP, which takes no SSH key`,
      'use an ssh:// URL, or give a user name and password or a token',
    );
}

/** What git check-ref-format refuses and shells or URLs would trip over. */
function requireBranchName(branch: string): void {
  const isValid =
    /^[^\s~^:?*[\\\u0000-\u001f\u007f-]/.test(branch) &&
    !/[\s~^:?*[\\\u0000-\u001f\u007f]|\.\.|@\{|\/\/|\/\.|^\.|\.lock(\/|$)|[/.]$/.test(branch) &&
    !branch.startsWith('/');
  if (!isValid)
    throw invalid(
      `${JSON.stringify(branch)} is no name of a branch`,
      'git branch --list shows the names there are',
    );
}

function requireName(what: string, name: string, pattern: RegExp, longest: number): void {
  if (pattern.test(name) && name.length <= longest) return;
  throw invalid(
    `${what} ${JSON.stringify(name)} is not allowed in Kubernetes`,
    `use lower-case letters, digits and -, at most ${longest} characters`,
  );
}

function requireInterval(interval: string): void {
  const isValid = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/.test(interval) && (parseDuration(interval) ?? 0) > 0;
  if (!isValid)
    throw invalid(
      `interval ${JSON.stringify(interval)} is not a duration`,
      'write it as Go does, e.g. 1m or 10m0s',
    );
}

function cleanPath(path: string): string {
  const clean = joinTreePath('', path.replace(/^\.?\/+/, ''));
  if (clean !== undefined && !clean.includes('\\') && clean !== '.git' && !clean.startsWith('.git/'))
    return clean;
  throw plumbError('InvalidPath', {
    message: `path ${JSON.stringify(path)} leaves the repository`,
    hint: 'name a folder below the repository root, as clusters/dev',
  });
}

function syncUrlOf(url: URL, sshHostname: string | undefined): string {
  const sync = new URL(url);
  if (url.protocol !== 'ssh:') {
    sync.username = '';
    return sync.toString();
  }
  if (sync.username === '') sync.username = 'git';
  if (sshHostname !== undefined && sshHostname !== '') sync.host = sshHostname;
  return sync.toString();
}

/** Whether the host is this machine, so that nothing travels. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function withoutPassword(url: string): string {
  return url.replace(/:\/\/[^/\s@]+@/, '://');
}

function invalid(message: string, hint: string): Error {
  return plumbError('InvalidConfiguration', { message, hint });
}
