import type { Secret } from '../../base/secret.ts';

/** Who is asking; nothing of it reaches an argument list or a log. */
export type GitAuth =
  | { readonly type: 'basic'; readonly username: string; readonly password: Secret<string> }
  | { readonly type: 'bearer'; readonly token: Secret<string> }
  /** The user's own git: configuration, agent and credential program. Only for a remote the user named. */
  | { readonly type: 'user' }
  | {
      readonly type: 'ssh';
      /** PEM or OpenSSH private key. */
      readonly identity: Secret<string>;
      /** Lines of a known_hosts file; any other host key is refused. */
      readonly knownHosts: string;
      /** Opens an encrypted key. */
      readonly passphrase?: Secret<string>;
    };

/** A repository elsewhere, and how to reach it. */
export interface GitRemote {
  /** `https`, `http` or `ssh`; for the user's own git also `file`. A user and password in it are used when `auth` is absent. */
  readonly url: string;
  readonly auth?: GitAuth;
  /** PEM; trusted besides the system's. */
  readonly caBundle?: string;
  readonly clientCertificate?: { readonly certificate: string; readonly key: Secret<string> };
  /** With user and password where the proxy wants them. */
  readonly proxyUrl?: Secret<string>;
  /** Ends each command; 60 s when absent. */
  readonly timeoutMs?: number;
}

/** The URL as it may be shown and passed to git: without user and password, except an SSH user name. */
export function publicUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  parsed.password = '';
  if (parsed.protocol !== 'ssh:') parsed.username = '';
  return parsed.toString();
}

/**
 * A key that two URLs of one repository share: host and path, without scheme, user, default port and `.git`.
 * Understands scp-like addresses (`git@host:path`); `ssh.github.com:443` is github.com. Undefined for local paths.
 */
export function repositoryKey(address: string): string | undefined {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(address);
  const parsed = scp === null ? URL.parse(address) : URL.parse(`ssh://${scp[1]}/${scp[2]}`);
  if (parsed === null || parsed.host === '') return undefined;
  const host = parsed.hostname.toLowerCase();
  const isAlias = host === 'ssh.github.com';
  const port = isAlias || parsed.port === '' || parsed.port === '22' ? '' : `:${parsed.port}`;
  const path = decodeURIComponent(parsed.pathname)
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '');
  return `${isAlias ? 'github.com' : host}${port}/${path}`;
}
