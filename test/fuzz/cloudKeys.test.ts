import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { Secret } from '../../src/base/secret.ts';
import { gcpLoginOf } from '../../src/clients/kms/gcpLogin.ts';
import { azureLoginOf } from '../../src/clients/kms/azureLogin.ts';
import { emptyKeyRing, type KeyRing } from '../../src/clients/kms/keyRing.ts';
import { createAuthority, issueServerCertificate } from '../../src/clients/sandbox/certificates.ts';
import { closeEncrypted, encryptNew, openEncrypted } from '../../src/engine/sops/encryptedFile.ts';
import { creationRuleFor } from '../../src/lib/sops/creationRules.ts';
import { startSopsOracle } from '../oracle/oracle.ts';
import { startAwsServer } from '../servers/cloudKeys/awsServer.ts';
import { startAzureServer } from '../servers/cloudKeys/azureServer.ts';
import { startGcpServer } from '../servers/cloudKeys/gcpServer.ts';
import { startVaultServer } from '../servers/cloudKeys/vaultServer.ts';
import { installMoto, startMoto } from './moto/startMoto.ts';

// The real library and Plumb ask the same servers: what one wraps the other unwraps.
const folder = mkdtempSync(join(tmpdir(), 'plumb-cloud-keys-'));
const { signal } = new AbortController();
const arn = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const resourceId = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
const authority = createAuthority('plumb-tests');
const [aws, gcp, azure, vault] = await Promise.all([
  startAwsServer([arn]),
  startGcpServer([resourceId]),
  startAzureServer('sops', issueServerCertificate(authority, 'vault', ['127.0.0.1'])),
  startVaultServer('apps'),
]);
aws.secrets.set('AKIAGIVEN', 'given-secret');
setDefaultCACertificates([...getCACertificates('default'), authority.certificate]);
writeFileSync(join(folder, 'authorities.pem'), authority.certificate);
// Both SDKs of AWS read these from the process; the Go runtime reads its authorities when it starts.
Object.assign(process.env, {
  SSL_CERT_FILE: join(folder, 'authorities.pem'),
  AWS_CONFIG_FILE: join(folder, 'none'),
  AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
  AWS_EC2_METADATA_DISABLED: 'true',
});
const oracle = await startSopsOracle();
after(async () => {
  await oracle.close();
  await Promise.all([aws.close(), gcp.close(), azure.close(), vault.close()]);
  rmSync(folder, { recursive: true });
});

const ring: KeyRing = {
  ...emptyKeyRing,
  aws: { kind: 'keys', accessKeyId: 'AKIAGIVEN', secretAccessKey: new Secret('given-secret') },
  vault: { token: new Secret(vault.token) },
  gcp: gcpLoginOf(gcp.credentials, gcp.url),
  azure: azureLoginOf(
    Buffer.from(
      JSON.stringify({
        tenantId: azure.tenantId,
        clientId: azure.clientId,
        clientSecret: azure.clientSecret,
        authorityHost: azure.url,
      }),
    ),
  ),
};
const environment = {
  AWS_ACCESS_KEY_ID: 'AKIAGIVEN',
  AWS_SECRET_ACCESS_KEY: 'given-secret',
  GOOGLE_OAUTH_ACCESS_TOKEN: gcp.accessToken,
  SOPS_GCP_KMS_CLIENT_TYPE: 'rest',
  SOPS_GCP_KMS_ENDPOINT: gcp.url,
  VAULT_TOKEN: vault.token,
  ORACLE_AZURE_TOKEN: azure.accessToken,
};
const lastModified = '2026-01-02T03:04:05Z';
const plain = 'user: admin\npassword: old\n';

interface CloudCase {
  /** What the library is told. */
  readonly keyGroups: readonly (readonly JsonObject[])[];
  /** The same in the words of a creation rule. */
  readonly rule: string;
}

async function checkBothWays(kmsUrl: string, { keyGroups, rule }: CloudCase): Promise<void> {
  process.env['AWS_ENDPOINT_URL_KMS'] = kmsUrl;
  const asked = { format: 'yaml', environment: { ...environment, AWS_ENDPOINT_URL_KMS: kmsUrl } };
  const theirs = await oracle.ask('encrypt', {
    ...asked,
    text: plain,
    dataKey: '0123456789abcdef'.repeat(4),
    lastModified,
    shamirThreshold: keyGroups.length > 1 ? 2 : 0,
    keyGroups,
  });
  assert.equal(theirs.error, undefined);
  const { encrypted } = theirs.output as { encrypted: string };
  const opened = await openEncrypted(Buffer.from(encrypted), 'yaml', ring, signal);
  assert.equal(Buffer.from(opened.plain).toString(), plain);
  assert.equal(opened.mac, 'match');
  const closed = closeEncrypted(opened, opened.plain, Date.parse(lastModified));
  assert.equal(Buffer.from(closed).toString(), encrypted, 'closed again it is the same, byte for byte');

  const config = creationRuleFor(`creation_rules:\n- ${rule}\n`, 'file.yaml', lastModified);
  const ours = await encryptNew(Buffer.from(plain), 'yaml', config, { ring, nowMs: Date.now(), signal });
  const answer = await oracle.ask('decrypt', { ...asked, text: Buffer.from(ours).toString() });
  assert.equal(answer.error, undefined);
  assert.equal(Buffer.from((answer.output as { plain: string }).plain, 'base64').toString(), plain);
}

const awsKey = { type: 'kms', recipient: arn };
const gcpKey = { type: 'gcp_kms', recipient: resourceId };
const azureKey = { type: 'azure_kv', recipient: azure.url, name: 'sops', version: azure.version };

test('AWS KMS: what the real library wraps Plumb unwraps, and the other way round', async () => {
  await checkBothWays(aws.url, { keyGroups: [[awsKey]], rule: `kms: ${arn}` });
  await checkBothWays(aws.url, {
    keyGroups: [[{ ...awsKey, context: { app: 'web', cluster: 'prod' } }]],
    rule: `key_groups: [{kms: [{arn: "${arn}", context: {cluster: prod, app: web}}]}]`,
  });
});

test('Google Cloud KMS: what the real library wraps Plumb unwraps, and the other way round', () =>
  checkBothWays(aws.url, { keyGroups: [[gcpKey]], rule: `gcp_kms: ${resourceId}` }));

test('Azure Key Vault: what the real library wraps Plumb unwraps, and the other way round', async () => {
  await checkBothWays(aws.url, { keyGroups: [[azureKey]], rule: `azure_keyvault: ${azure.url}/keys/sops` });
});

test('Vault: what the real library wraps Plumb unwraps, and the other way round', () => {
  const uri = `${vault.url}/v1/sops/keys/apps`;
  return checkBothWays(aws.url, {
    keyGroups: [[{ type: 'hc_vault', recipient: uri }]],
    rule: `hc_vault_transit_uri: ${uri}`,
  });
});

test('three clouds, two of them needed: what the real library splits Plumb joins, and the other way round', () =>
  checkBothWays(aws.url, {
    keyGroups: [[awsKey], [gcpKey], [azureKey]],
    rule: `{shamir_threshold: 2, key_groups: [{kms: [{arn: "${arn}"}]}, {gcp_kms: [{resource_id: ${resourceId}}]}, {azure_keyvault: [{vaultUrl: "${azure.url}", key: sops}]}]}`,
  }));

test('moto, the emulator of AWS: what the real library wraps Plumb unwraps, and the other way round', async (t) => {
  const found = installMoto();
  if ('problem' in found) {
    t.diagnostic(`not compared: ${found.problem}`);
    return;
  }
  const moto = await startMoto(found.packages);
  try {
    const recipient = await createKey(moto.url);
    const context = { app: 'web' };
    await checkBothWays(moto.url, { keyGroups: [[{ ...awsKey, recipient }]], rule: `kms: ${recipient}` });
    await checkBothWays(moto.url, {
      keyGroups: [[{ ...awsKey, recipient, context }]],
      rule: `key_groups: [{kms: [{arn: "${recipient}", context: {app: web}}]}]`,
    });
  } finally {
    await moto.stop();
  }
});

async function createKey(url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'x-amz-target': 'TrentService.CreateKey',
      'content-type': 'application/x-amz-json-1.1',
      authorization:
        'AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: '{}',
  });
  const answer = (await response.json()) as JsonObject;
  const key = answer['KeyMetadata'];
  assert.ok(isJsonObject(key) && typeof key['Arn'] === 'string', 'moto made no key');
  return key['Arn'];
}
