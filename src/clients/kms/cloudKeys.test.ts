import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { startAwsServer, type AwsServer } from '../../../test/servers/cloudKeys/awsServer.ts';
import { startAzureServer, type AzureServer } from '../../../test/servers/cloudKeys/azureServer.ts';
import { applicationCertificate } from '../../../test/servers/cloudKeys/certificate.ts';
import { startGcpServer, type GcpServer } from '../../../test/servers/cloudKeys/gcpServer.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import { Secret } from '../../base/secret.ts';
import { azureLoginOf } from './azureLogin.ts';
import { gcpLoginOf } from './gcpLogin.ts';
import { emptyKeyRing, unwrapKey, wrapKey, type KeyRing, type WrappedKey } from './keyRing.ts';
import { withOwnClouds } from './userClouds.ts';

const { signal } = new AbortController();
const dataKey = Buffer.from('0123456789abcdef0123456789abcdef');
const [arn, roleArn] = [
  'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555',
  'arn:aws:kms:eu-west-1:111122223333:alias/by-role',
];
const role = 'arn:aws:iam::111122223333:role/sops';
const resourceId = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';

let aws: AwsServer;
let gcp: GcpServer;
let azure: AzureServer;
let home: string;
const environment = { ...process.env };

before(async () => {
  [aws, gcp, azure] = await Promise.all([
    startAwsServer([arn, roleArn], role),
    startGcpServer([resourceId]),
    startAzureServer('sops'),
  ]);
  aws.secrets.set('AKIAGIVEN', 'given-secret');
  home = mkdtempSync(join(tmpdir(), 'plumb-clouds-'));
  // The SDK reads the process's own environment; no profile of whoever runs the tests may decide.
  for (const name of Object.keys(process.env))
    if (/^(AWS|GOOGLE|AZURE|CLOUDSDK|SOPS)_/.test(name)) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_KMS: aws.url,
    AWS_ENDPOINT_URL_STS: aws.url,
    AWS_CONFIG_FILE: join(home, 'aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'aws-credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
  });
});

after(async () => {
  process.env = environment;
  await Promise.all([aws.close(), gcp.close(), azure.close()]);
  rmSync(home, { recursive: true });
});

function key(type: string, fields: Record<string, string>, context: Record<string, string> = {}): WrappedKey {
  return {
    type,
    enc: '',
    fields: new Map(Object.entries(fields)),
    context: new Map(Object.entries(context)),
  };
}

async function roundTrip(ring: KeyRing, asked: WrappedKey): Promise<WrappedKey> {
  const { enc, fields = {} } = await wrapKey(ring, asked, dataKey, signal);
  const wrapped = { ...asked, enc, fields: new Map([...asked.fields, ...Object.entries(fields)]) };
  assert.deepEqual(Buffer.from(await unwrapKey(ring, wrapped, signal)), dataKey);
  return wrapped;
}

/** Fails unless the refusal has these words, and none of the secrets. */
async function refuses(work: Promise<unknown>, words: RegExp, ...secrets: readonly string[]): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isPlumbError(error, 'DecryptionFailed'), String(error));
    assert.match(error.message, words);
    for (const secret of secrets) assert.ok(!JSON.stringify(error.toJSON()).includes(secret), error.message);
    return true;
  });
}

const awsRing = (secret: string): KeyRing => ({
  ...emptyKeyRing,
  aws: { kind: 'keys', accessKeyId: 'AKIAGIVEN', secretAccessKey: new Secret(secret) },
});

test('AWS KMS wraps and unwraps, bound to the encryption context', async () => {
  const ring = awsRing('given-secret');
  await roundTrip(ring, key('kms', { arn }));
  const bound = await roundTrip(ring, key('kms', { arn }, { cluster: 'prod', app: 'web' }));
  await refuses(
    unwrapKey(ring, { ...bound, context: new Map([['cluster', 'dev']]) }, signal),
    /aws kms refused to decrypt: HTTP 400 \(InvalidCiphertextException/,
  );
});

test('a role is assumed first where the key names one', async () => {
  const ring = awsRing('given-secret');
  await refuses(wrapKey(ring, key('kms', { arn: roleArn }), dataKey, signal), /AccessDeniedException/);
  await roundTrip(ring, key('kms', { arn: roleArn, role }));
  await refuses(
    wrapKey(ring, key('kms', { arn, role: `${role}-other` }), dataKey, signal),
    /may not assume that role/,
    'given-secret',
  );
});

test('wrong keys and a broken ARN are told by AWS KMS, without the keys', async () => {
  await refuses(
    wrapKey(awsRing('other-secret'), key('kms', { arn }), dataKey, signal),
    /aws kms refused to encrypt: HTTP 403 \(InvalidSignatureException/,
    'other-secret',
  );
  const count = aws.asked.length;
  for (const broken of ['arn:aws:kms:evil.example/x:1:key/a', 'key/a', ''])
    await refuses(
      wrapKey(awsRing('given-secret'), key('kms', { arn: broken }), dataKey, signal),
      /no ARN of a key/,
    );
  assert.equal(aws.asked.length, count, 'a region that is no region makes no host');
});

test('the own login at AWS is that of the environment or of the profile that the key names', async () => {
  const ring = withOwnClouds(emptyKeyRing, { environment: process.env, home, platform: 'linux' });
  await refuses(wrapKey(ring, key('kms', { arn }), dataKey, signal), /aws kms: no login: /);
  aws.secrets.set('AKIAPROFILE', 'profile-secret');
  writeFileSync(
    join(home, 'aws-credentials'),
    '[work]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile-secret\n',
  );
  await roundTrip(ring, key('kms', { arn, aws_profile: 'work' }));
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAGIVEN', AWS_SECRET_ACCESS_KEY: 'given-secret' });
  await roundTrip(ring, key('kms', { arn }));
});

test('a service account of Google signs for its token, once', async () => {
  const ring: KeyRing = { ...emptyKeyRing, gcp: gcpLoginOf(gcp.credentials, gcp.url) };
  await roundTrip(ring, key('gcp_kms', { resource_id: resourceId }));
  assert.deepEqual(gcp.asked, [
    'POST /token',
    `POST /v1/${resourceId}:encrypt`,
    `POST /v1/${resourceId}:decrypt`,
  ]);
  await refuses(
    wrapKey(ring, key('gcp_kms', { resource_id: `${resourceId}2` }), dataKey, signal),
    /google cloud kms refused to encrypt: HTTP 403 \(PERMISSION_DENIED: Permission denied/,
  );
  await refuses(
    wrapKey(ring, key('gcp_kms', { resource_id: 'k' }), dataKey, signal),
    /no resource id of a key/,
  );
});

test('the credentials say where Google Cloud KMS is, unless the environment does', async () => {
  const elsewhere = JSON.stringify({ ...JSON.parse(gcp.credentials), universe_domain: 's3nsapis.fr' });
  assert.equal((await gcpLoginOf(elsewhere, undefined)(signal)).endpoint, 'https://cloudkms.s3nsapis.fr');
  assert.equal((await gcpLoginOf(elsewhere, gcp.url)(signal)).endpoint, gcp.url);
  const standard = await gcpLoginOf(gcp.credentials, undefined)(signal);
  assert.equal(standard.endpoint, 'https://cloudkms.googleapis.com');
});

test('the own login at Google is that of gcloud, also on behalf of a service account', async () => {
  const user = {
    type: 'authorized_user',
    client_id: 'id',
    client_secret: 'client-secret',
    refresh_token: gcp.refreshToken,
    token_uri: `${gcp.url}/token`,
  };
  const folder = join(home, '.config', 'gcloud');
  const own = (more: Record<string, string> = {}): KeyRing =>
    withOwnClouds(emptyKeyRing, {
      environment: { SOPS_GCP_KMS_ENDPOINT: gcp.url, ...more },
      home,
      platform: 'linux',
    });
  const asked = key('gcp_kms', { resource_id: resourceId });
  await refuses(wrapKey(own(), asked, dataKey, signal), /no login: .*application_default_credentials\.json/);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'application_default_credentials.json'), JSON.stringify(user));
  await roundTrip(own(), asked);
  await roundTrip(own({ GOOGLE_CREDENTIALS: gcp.credentials }), asked);
  const lost = { ...user, refresh_token: 'lost-token' };
  await refuses(
    wrapKey(own({ GOOGLE_CREDENTIALS: JSON.stringify(lost) }), asked, dataKey, signal),
    /gave no token: HTTP 400 \(invalid_grant/,
    'lost-token',
    'client-secret',
  );
  await refuses(
    wrapKey(own({ GOOGLE_OAUTH_ACCESS_TOKEN: 'stale-token' }), asked, dataKey, signal),
    /HTTP 401 \(UNAUTHENTICATED/,
    'stale-token',
  );
});

test('Google credentials that read files or run programs are refused, broken ones told without their text', () => {
  const external = { type: 'external_account', credential_source: { file: '/etc/passwd' } };
  for (const [text, words] of [
    [JSON.stringify(external), /of type "external_account" are not used/],
    [
      '{"type":"service_account","client_email":"a","private_key":"SECRET"}',
      /no private key that can be read/,
    ],
    ['{"type":"service_account","private_key":"SECRET"}', /have no client_email/],
    ['SECRET', /are no JSON object/],
  ] as const)
    assert.throws(
      () => gcpLoginOf(text, undefined),
      (error) => isPlumbError(error) && words.test(error.message) && !error.message.includes('SECRET'),
    );
});

test('Azure Key Vault wraps with a secret, and fills in the version of the key', async () => {
  const entry = { tenantId: azure.tenantId, clientId: azure.clientId, clientSecret: azure.clientSecret };
  const login = (text: string | Buffer) => azureLoginOf(Buffer.from(text));
  const host = { authorityHost: azure.url };
  const yaml = Object.entries({ ...entry, ...host }).map(([name, value]) => `${name}: ${value}\n`);
  const asked = key('azure_kv', { vault_url: azure.url, name: 'sops', version: '' });
  const utf16 = Buffer.from(`\uFEFF${JSON.stringify({ ...entry, ...host })}`, 'utf16le');
  for (const text of [JSON.stringify({ ...entry, ...host }), yaml.join(''), utf16]) {
    const wrapped = await roundTrip({ ...emptyKeyRing, azure: login(text) }, asked);
    assert.equal(wrapped.fields.get('version'), azure.version);
  }
  const cli = { tenant: azure.tenantId, appId: azure.clientId, password: azure.clientSecret, ...host };
  await roundTrip({ ...emptyKeyRing, azure: login(JSON.stringify(cli)) }, asked);
  const wrong = login(JSON.stringify({ ...entry, ...host, clientSecret: 'wrong-secret' }));
  await refuses(
    wrapKey({ ...emptyKeyRing, azure: wrong }, asked, dataKey, signal),
    /the Azure application application-1: .* gave no token: HTTP 401 \(invalid_client: AADSTS7000215/,
    'wrong-secret',
  );
});

test('Azure Key Vault is asked with a certificate that signs', async () => {
  azure.certificate = applicationCertificate.certificate;
  const entry = {
    tenantId: azure.tenantId,
    clientId: azure.clientId,
    clientCertificate: `${applicationCertificate.certificate}${applicationCertificate.encryptedKey}`,
    clientCertificatePassword: applicationCertificate.password,
    authorityHost: azure.url,
  };
  const asked = key('azure_kv', { vault_url: azure.url, name: 'sops', version: azure.version });
  const login = azureLoginOf(Buffer.from(JSON.stringify(entry)));
  await roundTrip({ ...emptyKeyRing, azure: login }, asked);
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const curveKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem);
  const foreignKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem);
  for (const [change, words] of [
    [{ clientCertificatePassword: 'wrong-password' }, /the private key or a certificate cannot be read/],
    [{ clientCertificate: 'MIIsecret' }, /it holds no private key in PEM/],
    [{ clientCertificate: `${applicationCertificate.certificate}${curveKey}` }, /its key is no RSA key/],
    [{ clientCertificate: foreignKey }, /no certificate fits the private key/],
    [{ clientCertificate: '', clientSecret: '' }, /clientId alone names a managed identity/],
    [{ tenantId: 'a/b' }, /characters that none has/],
  ] as const)
    assert.throws(
      () => azureLoginOf(Buffer.from(JSON.stringify({ ...entry, ...change }))),
      (error) =>
        isPlumbError(error) && words.test(error.message) && !/wrong-password|MIIsecret/.test(error.message),
    );
});

test('no token goes to a vault that asks for one of another service', async () => {
  let given = 0;
  const ring: KeyRing = {
    ...emptyKeyRing,
    azure: () => {
      given += 1;
      return Promise.resolve(new Secret('a-token'));
    },
  };
  const asked = key('azure_kv', { vault_url: azure.url, name: 'sops', version: azure.version });
  for (const resource of ['https://management.azure.com', 'https://vault.azure.net', 'nonsense']) {
    azure.resource = resource;
    await refuses(wrapKey(ring, asked, dataKey, signal), /does not answer as an Azure key vault/);
  }
  azure.resource = '';
  assert.equal(given, 0);
  const open = key('azure_kv', { vault_url: 'http://vault.example.org', name: 'sops', version: '' });
  await refuses(wrapKey(ring, open, dataKey, signal), /the address of the Azure key vault is no https URL/);
});

test('the own login at Azure is that of the environment, else of the Azure CLI', async () => {
  const asked = key('azure_kv', { vault_url: azure.url, name: 'sops', version: azure.version });
  const own = (more: Record<string, string>): KeyRing =>
    withOwnClouds(emptyKeyRing, { environment: more, home, platform: 'linux' });
  const application = {
    AZURE_TENANT_ID: azure.tenantId,
    AZURE_CLIENT_ID: azure.clientId,
    AZURE_AUTHORITY_HOST: azure.url,
  };
  await roundTrip(own({ ...application, AZURE_CLIENT_SECRET: azure.clientSecret }), asked);
  const path = process.env['PATH'];
  process.env['PATH'] = `${home}${delimiter}${path}`;
  const az = join(home, 'az');
  try {
    writeFileSync(az, '#!/bin/sh\nexit 1\n');
    chmodSync(az, 0o700);
    await refuses(wrapKey(own({}), asked, dataKey, signal), /no login: the Azure CLI gave no token/);
    const answer = { accessToken: azure.accessToken, expires_on: 4_000_000_000 };
    writeFileSync(az, `#!/bin/sh\n[ "$6" = ${azure.url} ] && echo '${JSON.stringify(answer)}'\n`);
    await roundTrip(own({}), asked);
    process.env['PATH'] = home;
    rmSync(az);
    await refuses(wrapKey(own({}), asked, dataKey, signal), /the Azure CLI \(az\) is not installed/);
  } finally {
    process.env['PATH'] = path;
  }
});

test('a ring without a login names the entry of the Secret that it belongs in', async () => {
  for (const [type, entry] of [
    ['kms', 'sops.aws-kms'],
    ['gcp_kms', 'sops.gcp-kms'],
    ['azure_kv', 'sops.azure-kv'],
    ['hc_vault', 'sops.vault-token'],
  ] as const)
    await assert.rejects(
      unwrapKey(emptyKeyRing, key(type, {}), signal),
      (error) => isPlumbError(error, 'DecryptionFailed') && error.hint?.includes(entry) === true,
    );
});
