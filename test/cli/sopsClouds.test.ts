import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startAwsServer } from '../servers/cloudKeys/awsServer.ts';
import { startAzureServer } from '../servers/cloudKeys/azureServer.ts';
import { startGcpServer } from '../servers/cloudKeys/gcpServer.ts';
import { startPlumb, type Run } from './plumbProcess.ts';

const arn = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const resourceId = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
const [aws, gcp, azure] = await Promise.all([
  startAwsServer([arn]),
  startGcpServer([resourceId]),
  startAzureServer('sops'),
]);
const folder = mkdtempSync(join(tmpdir(), 'plumb-sops-clouds-'));
after(async () => {
  await Promise.all([aws.close(), gcp.close(), azure.close()]);
  rmSync(folder, { recursive: true });
});

aws.secrets.set('AKIAOWN', 'aws-secret');
const awsLogin = {
  AWS_ENDPOINT_URL_KMS: aws.url,
  AWS_ACCESS_KEY_ID: 'AKIAOWN',
  AWS_SECRET_ACCESS_KEY: 'aws-secret',
};
const gcpLogin = { SOPS_GCP_KMS_ENDPOINT: gcp.url, GOOGLE_CREDENTIALS: gcp.credentials };
const azureLogin = {
  AZURE_TENANT_ID: azure.tenantId,
  AZURE_CLIENT_ID: azure.clientId,
  AZURE_CLIENT_SECRET: azure.clientSecret,
  AZURE_AUTHORITY_HOST: azure.url,
};
const none = { AWS_EC2_METADATA_DISABLED: 'true' };
const secret = 'apiVersion: v1\nkind: Secret\nmetadata:\n    name: login\nstringData:\n    password: old\n';

write(
  '.sops.yaml',
  `creation_rules:
- path_regex: groups
  shamir_threshold: 2
  key_groups:
  - kms: [{arn: "${arn}", context: {app: web}}]
  - gcp_kms: [{resource_id: ${resourceId}}]
  - azure_keyvault: [{vaultUrl: "${azure.url}", key: sops}]
- path_regex: aws
  kms: ${arn}
- gcp_kms: ${resourceId}
`,
);

test('a file of three clouds opens with the logins of any two, as its rule says', async () => {
  write('groups.yaml', secret);
  const encrypted = await sops(['encrypt', '-i', 'groups.yaml'], { ...awsLogin, ...gcpLogin, ...azureLogin });
  assert.deepEqual([encrypted.code, encrypted.err], [0, 'groups.yaml encrypted\n'], 'no library speaks up');
  const text = read('groups.yaml');
  assert.match(text, new RegExp(`version: ${azure.version}$`, 'm'), 'the vault told the version');
  assert.match(text, /^ +context:\n +app: web$/m);
  for (const logins of [
    { ...awsLogin, ...gcpLogin },
    { ...none, ...gcpLogin, ...azureLogin },
  ]) {
    const decrypted = await sops(['decrypt', 'groups.yaml'], logins);
    assert.equal(decrypted.out, secret, decrypted.err);
  }
  const lacking = await sops(['decrypt', 'groups.yaml'], { ...none, ...gcpLogin });
  assert.equal(lacking.code, 2);
  assert.match(
    lacking.err,
    /cannot get sops data key \(1 of 2 key groups\): arn:aws:kms:.*: aws kms: no login: /,
  );
  assert.match(lacking.err, /keys\/sops\/\w+: azure key vault: no login: /);
});

test('edit keeps what AWS has wrapped and encrypts what changed', async () => {
  write('aws.yaml', secret);
  await sops(['encrypt', '-i', 'aws.yaml'], awsLogin);
  const [, wrapped] = /^ +enc: (.+)$/m.exec(read('aws.yaml')) ?? [];
  write(
    'editor.mjs',
    `import { readFileSync, writeFileSync } from 'node:fs';
const file = process.argv[2];
writeFileSync(file, readFileSync(file, 'utf8').replace('old', 'new'));
`,
  );
  const editor = `${process.execPath} ${join(folder, 'editor.mjs')}`;
  const edited = await sops(['edit', 'aws.yaml'], { ...awsLogin, EDITOR: editor });
  assert.equal(edited.code, 0, edited.err);
  assert.equal(/^ +enc: (.+)$/m.exec(read('aws.yaml'))?.[1], wrapped);
  assert.equal((await sops(['decrypt', 'aws.yaml'], awsLogin)).out, secret.replace('old', 'new'));
});

test('a refused login is told without what it was made of, and nothing is written', async () => {
  write('aws.yaml', secret);
  write('other.yaml', secret);
  const wrong = { ...awsLogin, AWS_SECRET_ACCESS_KEY: 'wrong-secret' };
  const refusals = [
    await sops(['encrypt', '-i', 'aws.yaml'], wrong),
    await sops(['encrypt', '-i', 'other.yaml'], {
      ...gcpLogin,
      GOOGLE_CREDENTIALS: '{"private_key":"wrong-secret"}',
    }),
  ];
  assert.match(refusals[0]?.err ?? '', /aws kms refused to encrypt: HTTP 403 \(InvalidSignatureException/);
  assert.match(refusals[1]?.err ?? '', /Google credentials of type "" are not used/);
  for (const { code, out, err } of refusals) {
    assert.equal(code, 2);
    assert.doesNotMatch(out + err, /wrong-secret|AKIAOWN/);
  }
  assert.equal(read('aws.yaml'), secret);
});

function sops(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  return startPlumb(['sops', ...args], { cwd: folder, env }).ended;
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
