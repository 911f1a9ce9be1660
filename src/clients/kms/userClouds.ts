import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isJsonObject, parseJson } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { keptToken, type AccessToken } from './accessToken.ts';
import { azureLogin, tokensByResource } from './azureLogin.ts';
import type { AzureLogin } from './azureKeyVault.ts';
import type { GcpLogin } from './gcpKms.ts';
import { gcpEndpoint, gcpLoginOf } from './gcpLogin.ts';
import type { KeyRing } from './keyRing.ts';
import type { UserKeyPlaces } from './userKeys.ts';

/**
 * The keys with the user's own logins at AWS, Google and Azure where the ring has none, for work that the user has allowed
 * them for. Each is looked for when a key of it is met, not before.
 */
export function withOwnClouds(ring: KeyRing, places: UserKeyPlaces): KeyRing {
  return {
    aws: { kind: 'own' },
    gcp: ownGcpLogin(places),
    azure: ownAzureLogin(places),
    ...ring,
    loginIds: { aws: 'own', gcp: 'own', azure: 'own', ...ring.loginIds },
  };
}

/** GOOGLE_CREDENTIALS (a path or JSON), GOOGLE_OAUTH_ACCESS_TOKEN, else Google's application default credentials. */
function ownGcpLogin(places: UserKeyPlaces): GcpLogin {
  const { environment } = places;
  const endpoint = gcpEndpoint(environment);
  const accessToken = environment['GOOGLE_OAUTH_ACCESS_TOKEN'] ?? '';
  const given = environment['GOOGLE_CREDENTIALS'] ?? '';
  let login: Promise<GcpLogin> | undefined;
  return async (signal) => {
    if (given === '' && accessToken !== '')
      return { token: new Secret(accessToken), endpoint: endpoint ?? 'https://cloudkms.googleapis.com' };
    login ??= readGcpCredentials(given, places).then((text) => gcpLoginOf(text, endpoint));
    return (await login)(signal);
  };
}

async function readGcpCredentials(
  given: string,
  { environment, home, platform }: UserKeyPlaces,
): Promise<string> {
  if (given.trimStart().startsWith('{')) return given;
  const configured = environment['CLOUDSDK_CONFIG'] ?? '';
  const folder =
    platform === 'win32'
      ? join(environment['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'gcloud')
      : join(home, '.config', 'gcloud');
  const named = given === '' ? (environment['GOOGLE_APPLICATION_CREDENTIALS'] ?? '') : given;
  const path =
    named === ''
      ? join(configured === '' ? folder : configured, 'application_default_credentials.json')
      : named;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw plumbError('DecryptionFailed', {
      message: `google cloud kms: no login: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
      hint: 'log in with gcloud auth application-default login',
      cause,
    });
  }
}

/** AZURE_TENANT_ID and AZURE_CLIENT_ID with a secret or a certificate, else the login of the Azure CLI. */
function ownAzureLogin({ environment }: UserKeyPlaces): AzureLogin {
  const [tenantId = '', clientId = '', clientSecret = '', certificate = '', authorityHost = ''] = [
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_ID',
    'AZURE_CLIENT_SECRET',
    'AZURE_CLIENT_CERTIFICATE_PATH',
    'AZURE_AUTHORITY_HOST',
  ].map((name) => environment[name]);
  const application = { tenantId, clientId, ...(authorityHost !== '' && { authorityHost }) };
  if (tenantId === '' || clientId === '' || (clientSecret === '' && certificate === ''))
    return tokensByResource((resource) => keptToken((signal) => tokenOfAzureCli(resource, signal)));
  if (clientSecret !== '') return azureLogin({ ...application, clientSecret });
  const clientCertificatePassword = environment['AZURE_CLIENT_CERTIFICATE_PASSWORD'];
  let login: Promise<AzureLogin> | undefined;
  return async (resource, signal) => {
    login ??= readFile(certificate, 'utf8').then((clientCertificate) =>
      azureLogin({
        ...application,
        clientCertificate,
        ...(clientCertificatePassword !== undefined && { clientCertificatePassword }),
      }),
    );
    return (await login)(resource, signal);
  };
}

const runFile = promisify(execFile);
const cliTimeoutMs = 30_000;

async function tokenOfAzureCli(resource: string, signal: AbortSignal): Promise<AccessToken> {
  try {
    const { stdout } = await runFile(
      'az',
      ['account', 'get-access-token', '--output', 'json', '--resource', resource],
      // On Windows az is a command file, which runs in a shell only; a resource is an origin, so it cannot break out.
      { signal, timeout: cliTimeoutMs, shell: process.platform === 'win32' },
    );
    const answer = parseJson(stdout);
    const [token, expires] = isJsonObject(answer) ? [answer['accessToken'], answer['expires_on']] : [];
    if (typeof token === 'string')
      return { token: new Secret(token), expiresAt: typeof expires === 'number' ? expires * 1000 : 0 };
  } catch (cause) {
    signal.throwIfAborted();
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw noAzureLogin(
      isMissing ? 'the Azure CLI (az) is not installed' : 'the Azure CLI gave no token',
      cause,
    );
  }
  throw noAzureLogin('the Azure CLI gave no token');
}

function noAzureLogin(problem: string, cause?: unknown): Error {
  return plumbError('DecryptionFailed', {
    message: `azure key vault: no login: ${problem}`,
    hint: 'log in with az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET',
    ...(cause !== undefined && { cause }),
  });
}
