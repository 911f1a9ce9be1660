import { createHash, createPrivateKey, randomUUID, X509Certificate, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { keptToken, requestToken, signedToken, type TokenSource } from './accessToken.ts';
import type { AzureLogin } from './azureKeyVault.ts';

const publicAuthority = 'https://login.microsoftonline.com/';

/** Who asks for tokens, in the words of the `sops.azure-kv` entry. */
export interface AzureCredentials {
  readonly tenantId: string;
  readonly clientId: string;
  readonly authorityHost?: string;
  readonly clientSecret?: string;
  /** PEM: the certificates and the private key. */
  readonly clientCertificate?: string;
  readonly clientCertificatePassword?: string;
  readonly sendChain?: boolean;
}

/**
 * The login of a `sops.azure-kv` entry, JSON or YAML: tenantId and clientId with clientSecret or clientCertificate, or
 * tenant, appId and password as the Azure CLI prints them. Throws DecryptionFailed, never with the text.
 */
export function azureLoginOf(content: Uint8Array): AzureLogin {
  const entry = parseEntry(content);
  const text = (name: string): string | undefined => {
    const value = entry[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [tenant, app, password] = [text('tenant'), text('appId'), text('password')];
  const [tenantId, clientId, clientSecret] = [text('tenantId'), text('clientId'), text('clientSecret')];
  const clientCertificate = text('clientCertificate');
  const clientCertificatePassword = text('clientCertificatePassword');
  const authorityHost = text('authorityHost');
  const host = authorityHost === undefined ? {} : { authorityHost };
  if (tenantId !== undefined && clientId !== undefined && clientSecret !== undefined)
    return azureLogin({ tenantId, clientId, clientSecret, ...host });
  if (tenantId !== undefined && clientId !== undefined && clientCertificate !== undefined)
    return azureLogin({
      tenantId,
      clientId,
      clientCertificate,
      ...(clientCertificatePassword !== undefined && { clientCertificatePassword }),
      sendChain: entry['clientCertificateSendChain'] === true,
      ...host,
    });
  if (tenant !== undefined && app !== undefined && password !== undefined)
    return azureLogin({ tenantId: tenant, clientId: app, clientSecret: password, ...host });
  throw plumbError('DecryptionFailed', {
    message:
      clientId === undefined
        ? 'invalid data: tenantId, clientId and clientSecret (or clientCertificate) are needed'
        : 'clientId alone names a managed identity, which there is inside Azure only',
    hint: 'add tenantId and clientSecret, or clientCertificate',
  });
}

/** A login by secret or certificate; a token is kept for each resource. Throws DecryptionFailed. */
export function azureLogin(credentials: AzureCredentials): AzureLogin {
  const { tenantId, clientId, authorityHost, clientSecret } = credentials;
  if (!/^[\w.-]+$/.test(tenantId))
    throw plumbError('DecryptionFailed', { message: 'the Azure tenant id has characters that none has' });
  const endpoint = `${(authorityHost ?? publicAuthority).replace(/\/*$/, '/')}${tenantId}/oauth2/v2.0/token`;
  const prove =
    clientSecret === undefined
      ? certificateProof(credentials, endpoint)
      : () => ({ client_secret: clientSecret });
  return tokensByResource((resource) =>
    keptToken((signal) =>
      requestToken(
        endpoint,
        {
          grant_type: 'client_credentials',
          client_id: clientId,
          scope: `${resource}/.default`,
          ...prove(),
        },
        `the Azure application ${clientId}`,
        signal,
      ),
    ),
  );
}

/** One source of tokens for each resource. */
export function tokensByResource(sourceFor: (resource: string) => TokenSource): AzureLogin {
  const sources = new Map<string, TokenSource>();
  return (resource, signal) => {
    const source = sources.get(resource) ?? sourceFor(resource);
    sources.set(resource, source);
    return source(signal);
  };
}

/** RFC 7523: the certificate's key signs who asks. */
function certificateProof(
  { clientId, clientCertificate = '', clientCertificatePassword, sendChain }: AzureCredentials,
  endpoint: string,
): () => Readonly<Record<string, string>> {
  const { certificates, key } = readPem(clientCertificate, clientCertificatePassword);
  if (key.asymmetricKeyType !== 'rsa') throw broken('its key is no RSA key, which Azure asks for');
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined) throw broken('no certificate fits the private key');
  const chain = sendChain === true ? { x5c: certificates.map(({ raw }) => raw.toString('base64')) } : {};
  const thumbprint = createHash('sha256').update(own.raw).digest('base64url');
  return () => {
    const now = Math.floor(Date.now() / 1000);
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signedToken(
        { alg: 'PS256', 'x5t#S256': thumbprint, ...chain },
        { aud: endpoint, iss: clientId, sub: clientId, jti: randomUUID(), nbf: now, exp: now + 600 },
        key,
      ),
    };
  };
}

function readPem(
  pem: string,
  passphrase: string | undefined,
): { readonly certificates: readonly X509Certificate[]; readonly key: KeyObject } {
  const block = (name: string): readonly string[] =>
    [...pem.matchAll(new RegExp(`-----BEGIN (${name})-----[\\s\\S]+?-----END \\1-----`, 'g'))].map(
      ([text]) => text,
    );
  const [keyText] = block('(?:ENCRYPTED |RSA )?PRIVATE KEY');
  if (keyText === undefined) throw broken('it holds no private key in PEM');
  try {
    const key = createPrivateKey({ key: keyText, ...(passphrase !== undefined && { passphrase }) });
    return { certificates: block('CERTIFICATE').map((text) => new X509Certificate(text)), key };
  } catch {
    // The library's words may quote the key.
    throw broken('the private key or a certificate cannot be read');
  }
}

function broken(problem: string): Error {
  return plumbError('DecryptionFailed', {
    message: `the client certificate: ${problem}`,
    hint: 'give PEM with the certificate and its private key; convert PKCS #12 with openssl pkcs12 -nodes',
  });
}

/** JSON or YAML, in UTF-8 or, as PowerShell writes it, in UTF-16 with a byte order mark. */
function parseEntry(content: Uint8Array): JsonObject {
  const { value } = parseYaml('sops.azure-kv', decoded(Buffer.from(content)));
  const entry = value[0]?.value;
  if (isJsonObject(entry)) return entry;
  throw plumbError('DecryptionFailed', { message: 'it is neither a JSON object nor a YAML mapping' });
}

function decoded(content: Buffer): string {
  if (content[0] === 0xff && content[1] === 0xfe) return content.subarray(2).toString('utf16le');
  if (content[0] === 0xfe && content[1] === 0xff && content.length % 2 === 0)
    return Buffer.from(content.subarray(2)).swap16().toString('utf16le');
  return content.toString('utf8').replace(/^\uFEFF/, '');
}
