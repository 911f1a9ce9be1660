import { generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { seal, startCloudServer, unseal, type CloudAnswer, type CloudServer } from './cloudServer.ts';

/** Google Cloud KMS, and the token endpoint that checks what a service account has signed. */
export interface GcpServer extends CloudServer {
  /** The credentials of the service account, as Google writes them. */
  readonly credentials: string;
  /** The token that opens the service. */
  readonly accessToken: string;
  /** A refresh token that the endpoint takes. */
  readonly refreshToken: string;
}

/** `keys` are the resource ids of the keys that there are. */
export async function startGcpServer(keys: readonly string[]): Promise<GcpServer> {
  const material = new Map(keys.map((id) => [id, randomBytes(32)]));
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const email = 'sops@plumb.iam.gserviceaccount.com';
  const accessToken = randomBytes(16).toString('hex');
  const refreshToken = randomBytes(16).toString('hex');
  const isGranted = (form: URLSearchParams, url: string): boolean => {
    if (form.get('grant_type') === 'refresh_token') return form.get('refresh_token') === refreshToken;
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const { iss, aud, scope, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
      string,
      string | number
    >;
    return (
      verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url')) &&
      iss === email &&
      aud === `${url}/token` &&
      scope === 'https://www.googleapis.com/auth/cloud-platform' &&
      Number(exp) * 1000 > Date.now()
    );
  };
  const server = await startCloudServer(({ message, path, body }, url) => {
    if (path === '/token')
      return isGranted(new URLSearchParams(body.toString()), url)
        ? answered(200, { access_token: accessToken, expires_in: 3600, token_type: 'Bearer' })
        : answered(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    if (message.headers.authorization !== `Bearer ${accessToken}`)
      return refused(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    const [id = '', operation] = decodeURIComponent(path.replace(/^\/v1\//, '').split('?')[0] ?? '').split(
      ':',
    );
    const key = material.get(id);
    if (key === undefined) return refused(403, 'PERMISSION_DENIED', `Permission denied on resource ${id}`);
    const asked = JSON.parse(body.toString()) as Record<string, string>;
    if (operation === 'encrypt') {
      const sealed = seal(key, Buffer.from(asked['plaintext'] ?? '', 'base64'), id);
      return answered(200, { name: `${id}/cryptoKeyVersions/1`, ciphertext: sealed.toString('base64') });
    }
    const plain = unseal(key, Buffer.from(asked['ciphertext'] ?? '', 'base64'), id);
    return plain === undefined
      ? refused(400, 'INVALID_ARGUMENT', 'Decryption failed: the ciphertext is invalid.')
      : answered(200, { plaintext: plain.toString('base64') });
  });
  const credentials = JSON.stringify({
    type: 'service_account',
    client_email: email,
    private_key_id: 'one',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${server.url}/token`,
  });
  return { ...server, credentials, accessToken, refreshToken };
}

function answered(status: number, body: object): CloudAnswer {
  return { status, body: JSON.stringify(body) };
}

function refused(code: number, status: string, message: string): CloudAnswer {
  return answered(code, { error: { code, status, message } });
}
