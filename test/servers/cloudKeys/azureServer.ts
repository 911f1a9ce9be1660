import {
  constants,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  verify,
  X509Certificate,
} from 'node:crypto';
import { startCloudServer, type CloudAnswer, type CloudServer } from './cloudServer.ts';

/** An Azure key vault with one key, and the authority that gives tokens for it, on one address. */
export interface AzureServer extends CloudServer {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The version of the key. */
  readonly version: string;
  /** The token that opens the vault. */
  readonly accessToken: string;
  /** A certificate whose key may sign for the application. */
  certificate?: string;
  /** For whom the vault says tokens must be; its own address when empty. */
  resource: string;
}

export async function startAzureServer(
  keyName: string,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<AzureServer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [tenantId, clientId, version] = ['tenant-1', 'application-1', randomBytes(16).toString('hex')];
  const clientSecret = randomBytes(16).toString('hex');
  const accessToken = randomBytes(16).toString('hex');
  const padding = { oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING };
  const isGranted = (form: URLSearchParams, url: string): boolean =>
    form.get('grant_type') === 'client_credentials' &&
    form.get('client_id') === clientId &&
    form.get('scope') === `${url}/.default` &&
    (form.get('client_secret') === clientSecret ||
      isAsserted(form.get('client_assertion') ?? '', server.certificate));
  const started = await startCloudServer(({ message, path, body }, url) => {
    const [route = ''] = path.split('?');
    if (route === `/${tenantId}/oauth2/v2.0/token`)
      return isGranted(new URLSearchParams(body.toString()), url)
        ? answered(200, { access_token: accessToken, expires_in: 3600, token_type: 'Bearer' })
        : answered(401, {
            error: 'invalid_client',
            error_description: 'AADSTS7000215: Invalid client secret.',
          });
    if (message.headers.authorization !== `Bearer ${accessToken}`)
      return challenge(server.resource || url, tenantId);
    const [, , name, ...rest] = route.split('/');
    const operation = rest.at(-1);
    if (name !== keyName || (rest.length > 1 && rest[0] !== version))
      return answered(404, { error: { code: 'KeyNotFound', message: `A key with ${name} was not found.` } });
    const kid = `${url}/keys/${keyName}/${version}`;
    if (message.method === 'GET') return answered(200, { key: { kid, kty: 'RSA' } });
    const asked = JSON.parse(body.toString()) as Record<string, string>;
    if (asked['alg'] !== 'RSA-OAEP-256') return badParameter('alg');
    const value = Buffer.from(asked['value'] ?? '', 'base64url');
    try {
      const result =
        operation === 'encrypt'
          ? publicEncrypt({ key: publicKey, ...padding }, value)
          : privateDecrypt({ key: privateKey, ...padding }, value);
      return answered(200, { kid, value: result.toString('base64url') });
    } catch {
      return badParameter('value');
    }
  }, tls);
  const server: AzureServer = {
    ...started,
    tenantId,
    clientId,
    clientSecret,
    version,
    accessToken,
    resource: '',
  };
  return server;
}

function isAsserted(assertion: string, certificate: string | undefined): boolean {
  const [header = '', claims = '', signature = ''] = assertion.split('.');
  if (certificate === undefined || signature === '') return false;
  return verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    {
      key: new X509Certificate(certificate).publicKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    },
    Buffer.from(signature, 'base64url'),
  );
}

function challenge(resource: string, tenantId: string): CloudAnswer {
  const authenticate = `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="${resource}"`;
  return {
    status: 401,
    headers: { 'www-authenticate': authenticate },
    body: JSON.stringify({
      error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer token.' },
    }),
  };
}

function answered(status: number, body: object): CloudAnswer {
  return { status, body: JSON.stringify(body) };
}

function badParameter(name: string): CloudAnswer {
  return answered(400, { error: { code: 'BadParameter', message: `Property ${name} has an invalid value` } });
}
