import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loggerTo, type LogEntry } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { emptyKeyRing, type KeyRing } from '../../src/clients/kms/keyRing.ts';
import { ownKeyPlaces } from '../../src/clients/kms/userKeys.ts';
import { withOwnClouds } from '../../src/clients/kms/userClouds.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import { encryptNew } from '../../src/engine/sops/encryptedFile.ts';
import type { Engine } from '../../src/protocol/engine.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { creationRuleFor } from '../../src/lib/sops/creationRules.ts';
import { startAwsServer } from '../servers/cloudKeys/awsServer.ts';
import { startAzureServer } from '../servers/cloudKeys/azureServer.ts';
import { startGcpServer } from '../servers/cloudKeys/gcpServer.ts';
import { runGit } from '../servers/gitRepository.ts';
import { conditionTexts, fleetOn, fluxCluster } from './fluxCluster.ts';

const arn = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const resourceId = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
const [aws, gcp, azure] = await Promise.all([
  startAwsServer([arn]),
  startGcpServer([resourceId]),
  startAzureServer('sops'),
]);
const folder = await mkdtemp(join(tmpdir(), 'plumb-cloud-decryption-'));
after(async () => {
  await Promise.all([aws.close(), gcp.close(), azure.close()]);
  await rm(folder, { recursive: true, force: true });
});

// The logins of whoever runs the tests must not decide: the user of this process has one at AWS, and no key.
for (const name of Object.keys(process.env))
  if (/^(AWS|GOOGLE|AZURE|CLOUDSDK|SOPS|VAULT)_/.test(name)) delete process.env[name];
Object.assign(process.env, {
  SOPS_AGE_KEY_FILE: '/dev/null',
  AWS_ENDPOINT_URL_KMS: aws.url,
  AWS_CONFIG_FILE: join(folder, 'none'),
  AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: 'AKIAOWN',
  AWS_SECRET_ACCESS_KEY: 'own-secret',
  SOPS_GCP_KMS_ENDPOINT: gcp.url,
  GOOGLE_CREDENTIALS: gcp.credentials,
  AZURE_TENANT_ID: azure.tenantId,
  AZURE_CLIENT_ID: azure.clientId,
  AZURE_CLIENT_SECRET: azure.clientSecret,
  AZURE_AUTHORITY_HOST: azure.url,
});
aws.secrets.set('AKIAOWN', 'own-secret');
aws.secrets.set('AKIACLUSTER', 'cluster-secret');

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'cloud-decryption');
const everyLogin: KeyRing = withOwnClouds(emptyKeyRing, ownKeyPlaces());
const rules = {
  aws: `key_groups: [{kms: [{arn: "${arn}", context: {app: web}}]}]`,
  gcp: `gcp_kms: ${resourceId}`,
  azure: `key_groups: [{azure_keyvault: [{vaultUrl: "${azure.url}", key: sops}]}]`,
  two: `{shamir_threshold: 2, key_groups: [{kms: [{arn: "${arn}"}]}, {gcp_kms: [{resource_id: ${resourceId}}]}]}`,
};

async function encryptedSecret(name: string, rule: string): Promise<string> {
  const text = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n  namespace: ${fleet.namespace}\nstringData:\n  password: word-of-${name}\n`;
  const config = creationRuleFor(`creation_rules:\n- ${rule}\n`, 'secret.yaml', '2026-01-02T03:04:05Z');
  const pattern = { name: 'encrypted_regex' as const, pattern: '^stringData$' };
  const given = { ring: everyLogin, nowMs: Date.now(), signal: flux.kustomize.signal };
  return Buffer.from(
    await encryptNew(Buffer.from(text), 'yaml', { ...config, rule: pattern }, given),
  ).toString();
}

async function keySecret(name: string, entries: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name, namespace: fleet.namespace };
  await flux.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: entries } as KubeObject);
}

async function passwordOf(name: string): Promise<string> {
  const { data } = await flux.get<{ readonly data?: Record<string, string> }>(fleet.ref('Secret', name));
  return Buffer.from(data?.['password'] ?? '', 'base64').toString();
}

const awsEntry = 'aws_access_key_id: AKIACLUSTER\naws_secret_access_key: cluster-secret\n';
const azureEntry = JSON.stringify({
  tenantId: azure.tenantId,
  clientId: azure.clientId,
  clientSecret: azure.clientSecret,
  authorityHost: azure.url,
});

await fleet.commit(
  Object.fromEntries(
    await Promise.all(
      Object.entries(rules).map(async ([name, rule]) => [
        `${name}/secret.yaml`,
        await encryptedSecret(name, rule),
      ]),
    ),
  ) as Record<string, string>,
);

test('the logins of the decryption Secret open the keys of each cloud, and of two at once', async () => {
  const logins = {
    'sops.aws-kms': awsEntry,
    'sops.gcp-kms': `${gcp.credentials}\n`,
    'sops.azure-kv': azureEntry,
  };
  await keySecret('logins', logins);
  for (const name of Object.keys(rules)) {
    const ref = await fleet.kustomization(name, {
      decryption: { provider: 'sops', secretRef: { name: 'logins' } },
    });
    const outcome = await fleet.run(ref);
    assert.equal(outcome.result, 'succeeded', outcome.message);
    assert.equal(outcome.warnings, undefined);
    assert.equal(await passwordOf(name), `word-of-${name}`);
  }
});

test('a login that is broken or refused fails the build, and its text is in no condition', async () => {
  for (const [entry, value, words] of [
    [
      'sops.aws-kms',
      'aws_access_key_id: AKIACLUSTER\n',
      /failed to import 'sops\.aws-kms' data .* is missing/,
    ],
    ['sops.gcp-kms', '{"private_key": "secret-text"}', /failed to import 'sops\.gcp-kms' data/],
    ['sops.azure-kv', 'clientId: secret-text', /failed to import 'sops\.azure-kv' data .* managed identity/],
    [
      'sops.aws-kms',
      'aws_access_key_id: AKIACLUSTER\naws_secret_access_key: secret-text\n',
      /cannot get sops data key: arn:aws:kms:.*: aws kms refused to decrypt: HTTP 403/,
    ],
  ] as const) {
    await keySecret('broken', { [entry]: value });
    const ref = await fleet.kustomization('broken', {
      path: 'aws',
      decryption: { provider: 'sops', secretRef: { name: 'broken' } },
    });
    assert.equal((await fleet.run(ref)).result, 'failed');
    const conditions = conditionTexts(await fleet.read(ref)).join('\n');
    assert.match(conditions, /Ready=False BuildFailed: /);
    assert.match(conditions, words);
    assert.doesNotMatch(conditions, /secret-text/);
    await flux.client.delete(fleet.ref('Secret', 'broken'), {});
  }
  assert.doesNotMatch(JSON.stringify([flux.log, flux.events]), /cluster-secret|secret-text|PRIVATE KEY/);
});

test('workload identity: the own login is offered in the plan, and used and named once it is allowed', async () => {
  const clone = join(folder, 'fleet');
  await runGit(folder, ['clone', '--quiet', fleet.repository.url, clone]);
  const log: LogEntry[] = [];
  const withEngine = async (own: boolean, work: (engine: Engine) => Promise<void>): Promise<void> => {
    const engine = await createEngine(
      {
        folders: [clone],
        kubeconfig: [flux.sandbox.kubeconfig],
        schedule: 'onRequest',
        ...(own && { useOwnCloudLogin: true }),
      },
      { log: loggerTo((entry) => log.push(entry)) },
    );
    try {
      await work(engine);
    } finally {
      await engine.dispose();
    }
  };
  const ref = await fleet.kustomization('two', { decryption: { provider: 'sops' } });
  const asked = aws.asked.length;
  await withEngine(false, async (engine) => {
    const plan = await engine.plan(ref, 'workingTree');
    assert.deepEqual(plan.offeredLogins, ['AWS KMS', 'Google Cloud KMS']);
    const offers = plan.warnings.filter((text) => text.includes('plumb.useOwnCloudLogin'));
    assert.deepEqual(
      offers.map((text) => /^keys of (.+?) are opened with the workload identity/.exec(text)?.[1]),
      ['AWS KMS', 'Google Cloud KMS'],
    );
    await assert.rejects(engine.apply(plan.id), (error) => isPlumbError(error, 'SecretEncrypted'));
  });
  assert.equal(aws.asked.length, asked, 'nobody is asked without the user’s word');
  await withEngine(true, async (engine) => {
    const plan = await engine.plan(ref, 'workingTree');
    assert.deepEqual(
      plan.changes.map(({ action }) => action),
      ['unchanged'],
    );
    assert.equal(plan.offeredLogins, undefined);
    assert.equal(aws.asked.length, asked + 1);
    const uri = pathToFileURL(join(clone, 'two', 'secret.yaml')).href;
    // Of the other Kustomizations of the folder too.
    await engine.drift(uri);
    const once = [aws, gcp].map((cloud) => cloud.asked.length);
    for (const edit of ['# one\n', '# two\n']) {
      const text = edit + (await readFile(new URL(uri), 'utf8'));
      engine.documents.open({ uri, version: 1, text });
      assert.equal((await engine.drift(uri)).message, undefined);
      engine.documents.close(uri);
    }
    assert.deepEqual((await engine.plan(ref, 'workingTree')).warnings, plan.warnings);
    assert.deepEqual(
      [aws, gcp].map((cloud) => cloud.asked.length),
      once,
      'no key service is asked again for the data key of a file that is edited',
    );
    assert.deepEqual(plan.warnings, [
      'decrypted with your own login at AWS KMS, in place of the workload identity of the controllers',
      'decrypted with your own login at Google Cloud KMS, in place of the workload identity of the controllers',
    ]);
  });
  const withOwnLogins = (ring: KeyRing): KeyRing => withOwnClouds(ring, ownKeyPlaces());
  const outcome = await fleet.run(ref, { withOwnLogins });
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.match((outcome.warnings ?? []).join('\n'), /^decrypted with your own login at AWS KMS/);
  assert.doesNotMatch(JSON.stringify([log, flux.log]), /own-secret|word-of-/);
});
