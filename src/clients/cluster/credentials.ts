import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../../base/digest.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import { asPlumbError, plumbError } from '../../base/plumbError.ts';
import { trustedAuthorities } from '../http/trustedAuthorities.ts';
import { execCredentialRunner, type ExecConfig, type ExecCredential } from './execCredential.ts';
import type { ClusterConnection, KubeconfigUser } from './kubeconfig.ts';
import { oidcToken } from './oidcToken.ts';
import { storedLogin } from './storedLogin.ts';

/** TLS options of a connection; `id` differs when the material does, so that connections are made anew. */
export interface TlsMaterial {
  readonly id: string;
  readonly ca: (string | Buffer)[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** Lower-case names; a name given more than once has a list. */
export interface Headers {
  readonly authorization?: string;
  readonly [name: string]: string | readonly string[] | undefined;
}

/** What one request shows to the server. */
export interface Identity {
  readonly headers: Headers;
  readonly tls: TlsMaterial;
}

/** The identity of a kubeconfig user, kept fresh: files are read again, programs run again, tokens refreshed. */
export interface Credentials {
  current(): Promise<Identity>;
  /** The server answered 401 to that identity. True when another one can be had. */
  refresh(refused: Identity): Promise<boolean>;
  /** Ends what still runs for them. */
  close(): void;
}

/** What a user's way to log in gives beside the files; the same object as long as nothing changed. */
interface Login {
  readonly headers: Headers;
  readonly cert?: string;
  readonly key?: string;
}

interface LoginSource {
  current(): Promise<Login>;
  /** Drops the login in use; true when the next one may be another. */
  drop(): boolean;
  close?(): void;
}

/** Rotated certificates and token files are noticed within this time, or at once after a 401. */
const fileLifetimeMs = 5_000;

/** Credentials of the connection. A renewed login that cannot be kept in the kubeconfig is logged. */
export function credentialsOf(connection: ClusterConnection, log: Logger): Credentials {
  const login = loginOf(connection, log);
  let tls: Promise<TlsMaterial> | undefined;
  let whole: TlsMaterial | undefined;
  let readAt = -Infinity;
  let kept: { readonly login: Login; readonly tlsId: string; readonly identity: Identity } | undefined;

  const material = async (): Promise<TlsMaterial> => {
    if (tls === undefined || performance.now() - readAt > fileLifetimeMs) {
      readAt = performance.now();
      tls = readTls(connection, whole).then((read) => (whole = read));
      tls.catch(() => (readAt = -Infinity));
    }
    return await tls;
  };

  return {
    async current() {
      const [present, files] = await Promise.all([login.current(), material()]);
      if (kept === undefined || kept.login !== present || kept.tlsId !== files.id)
        kept = {
          login: present,
          tlsId: files.id,
          identity: { headers: present.headers, tls: withCertificate(files, present) },
        };
      return kept.identity;
    },
    async refresh(refused) {
      if (kept?.identity !== refused) return true;
      const canLogInAgain = login.drop();
      const before = await material();
      readAt = -Infinity;
      return (await material()).id !== before.id || canLogInAgain;
    },
    close: () => login.close?.(),
  };
}

function withCertificate(tls: TlsMaterial, { cert, key }: Login): TlsMaterial {
  return cert === undefined || key === undefined ? tls : { ...tls, cert, key, id: `${tls.id}\n${cert}` };
}

function loginOf(connection: ClusterConnection, log: Logger): LoginSource {
  const { user } = connection;
  if (isSet(user.exec)) return execLogin(connection, user.exec as ExecConfig);
  if (isSet(user.authProvider)) return oidcLogin(connection, log);
  if (user.tokenFile !== undefined) return tokenFileLogin(user, user.tokenFile);
  const login = {
    headers: {
      ...impersonation(user),
      ...(isSet(user.username) && basic(user.username, user.password ?? '')),
      ...(isSet(user.token) && bearer(user.token)),
    },
  };
  return { current: () => Promise.resolve(login), drop: () => false };
}

function tokenFileLogin(user: KubeconfigUser, path: string): LoginSource {
  let kept: Login | undefined;
  let readAt = -Infinity;
  return {
    async current() {
      if (kept !== undefined && performance.now() - readAt < fileLifetimeMs) return kept;
      readAt = performance.now();
      const headers = { ...impersonation(user), ...bearer((await readSecretFile(path)).toString().trim()) };
      if (kept?.headers.authorization !== headers.authorization) kept = { headers };
      return kept as Login;
    },
    drop() {
      readAt = -Infinity;
      return true;
    },
  };
}

function execLogin(connection: ClusterConnection, config: ExecConfig): LoginSource {
  const { user } = connection;
  const runner = execCredentialRunner(config, clusterInfo(connection), user.folder);
  let kept: { readonly credential: ExecCredential; readonly login: Login } | undefined;
  return {
    async current() {
      const credential = await runner.current();
      if (kept?.credential === credential) return kept.login;
      const { token, certificate, key } = credential;
      const login: Login = {
        headers: { ...impersonation(user), ...(token !== undefined && bearer(token.reveal())) },
        ...(certificate !== undefined && { cert: certificate }),
        ...(key !== undefined && { key: key.reveal() }),
      };
      kept = { credential, login };
      return login;
    },
    drop() {
      if (kept !== undefined) runner.forget(kept.credential);
      return true;
    },
    close: () => runner.stop(),
  };
}

/** What a program that asks for it learns about the cluster. */
function clusterInfo({ cluster }: ClusterConnection): JsonObject {
  const ca = isSet(cluster.caFile) ? readFileSync(cluster.caFile).toString('base64') : cluster.caData;
  return {
    server: cluster.server,
    ...(isSet(ca) && { 'certificate-authority-data': ca }),
    ...(isSet(cluster.tlsServerName) && { 'tls-server-name': cluster.tlsServerName }),
    ...(cluster.skipTLSVerify && { 'insecure-skip-tls-verify': true }),
    ...(isSet(cluster.proxyUrl) && { 'proxy-url': cluster.proxyUrl }),
    ...(cluster.execConfig !== undefined && { config: cluster.execConfig }),
  };
}

/** OIDC; kubectl knows no other provider either since 1.26. Throws AuthenticationFailed with what to use instead. */
function oidcLogin(connection: ClusterConnection, log: Logger): LoginSource {
  const { user, contextName } = connection;
  const { name, config } = user.authProvider as { readonly name: string; readonly config?: unknown };
  if (name !== 'oidc')
    throw plumbError('AuthenticationFailed', {
      message: `context ${contextName}: the auth-provider ${name} is not supported, nor is it by kubectl since 1.26`,
      hint: insteadOfProvider[name] ?? 'use an exec plugin for this login',
    });
  const token = oidcToken({
    contextName,
    config: (config ?? {}) as Readonly<Record<string, string | undefined>>,
    folder: user.folder,
    stored: user.file === undefined ? undefined : storedLogin(user.file, user.name),
    onNotKept: (error) => {
      const { message, hint } = asPlumbError(error);
      log.warn('the renewed login is not kept', { message, ...(hint !== undefined && { hint }) });
    },
  });
  let kept: { readonly token: string; readonly login: Login } | undefined;
  return {
    async current() {
      const present = await token.current();
      if (kept?.token !== present)
        kept = { token: present, login: { headers: { ...impersonation(user), ...bearer(present) } } };
      return kept.login;
    },
    drop: () => kept === undefined || token.drop(kept.token),
  };
}

const insteadOfProvider: Readonly<Record<string, string>> = {
  gcp: 'gcloud container clusters get-credentials writes a login with gke-gcloud-auth-plugin',
  azure: 'kubelogin convert-kubeconfig turns it into an exec plugin',
};

/** The material as it is now; the one before while certificate and key do not belong together: a rotation is under way. */
async function readTls(connection: ClusterConnection, before: TlsMaterial | undefined): Promise<TlsMaterial> {
  const { cluster, user } = connection;
  const [ca, cert, key] = await Promise.all([
    fileOrData(cluster.caFile, cluster.caData),
    fileOrData(user.certFile, user.certData),
    fileOrData(user.keyFile, user.keyData),
  ]);
  const id = sha256Hex([ca, cert, key].map((part) => part?.toString('base64') ?? '').join(' '));
  if (id === before?.id) return before;
  const problem = cert === undefined || key === undefined ? undefined : pairProblem(cert, key);
  if (problem !== undefined && before !== undefined) return before;
  if (problem !== undefined)
    throw plumbError('KubeconfigInvalid', {
      message: `context ${connection.contextName}: the client certificate cannot be used: ${problem}`,
      hint: 'the kubeconfig names certificate and key; log in again or correct them',
    });
  return {
    id,
    ca: ca === undefined ? trustedAuthorities() : [ca],
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(isSet(cluster.tlsServerName) && { servername: cluster.tlsServerName }),
    rejectUnauthorized: !cluster.skipTLSVerify,
  };
}

/** What is wrong with a client certificate and its key, without a word of them. */
function pairProblem(cert: Buffer, key: Buffer): string | undefined {
  try {
    const isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
    return isPair ? undefined : 'it does not belong to its key';
  } catch (error) {
    return `certificate or key cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no PEM'})`;
  }
}

async function fileOrData(file: string | undefined, data: string | undefined): Promise<Buffer | undefined> {
  if (isSet(file)) return await readSecretFile(file);
  return isSet(data) ? Buffer.from(data, 'base64') : undefined;
}

async function readSecretFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw plumbError('KubeconfigInvalid', {
      message: `${path}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      hint: 'the kubeconfig names this file; log in again or correct the path',
      cause: error,
    });
  }
}

function impersonation(user: KubeconfigUser): Omit<Headers, 'authorization'> {
  const extra = Object.entries(user.impersonateExtra ?? {}).map(
    ([key, values]) => [`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`, values] as const,
  );
  return {
    ...(isSet(user.impersonateUser) && { 'impersonate-user': user.impersonateUser }),
    ...(user.impersonateUid !== undefined && { 'impersonate-uid': user.impersonateUid }),
    ...(user.impersonateGroups !== undefined && { 'impersonate-group': user.impersonateGroups }),
    ...Object.fromEntries(extra),
  };
}

function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function basic(name: string, password: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** The loader gives null for what a file leaves out. */
function isSet<T>(value: T | null | undefined): value is T & {} {
  return value !== undefined && value !== null && value !== '';
}
