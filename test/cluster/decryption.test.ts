import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { parseAgeIdentities } from '../../src/clients/kms/ageKeys.ts';
import { buildDesired } from '../../src/controllers/kustomize/buildDesired.ts';
import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { encryptedFor } from '../servers/encryptedFile.ts';
import { conditionTexts, fleetOn, fluxCluster } from './fluxCluster.ts';
import { sandboxCluster } from './sandboxCluster.ts';

// The cluster itself holds plain text. Everything else that this process writes goes below a folder that is searched at the end.
const sandbox = await sandboxCluster();
const before = process.env['TMPDIR'];
const disk = mkdtempSync(join(tmpdir(), 'plumb-decryption-'));
process.env['TMPDIR'] = disk;
const flux = await fluxCluster(sandbox);
after(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(disk, { recursive: true, force: true });
});

const fleet = await fleetOn(flux, 'decryption');
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
/** In every plain text below, so that it can be searched for. */
const word = `word-${Buffer.from(identity.slice(-12)).toString('hex')}`;

await keySecret('keys', { 'mine.agekey': `# made for this test\n${identity}\n`, 'other.txt': 'ignored' });

async function keySecret(name: string, entries: Readonly<Record<string, string>>): Promise<void> {
  await flux.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: fleet.namespace },
    stringData: entries,
  } as KubeObject);
}

function secret(name: string, entries: string, extra = ''): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n  namespace: ${fleet.namespace}\n${extra}${entries}`;
}

function encryptedSecret(name: string, extra = ''): Promise<string> {
  const text = secret(name, `stringData:\n  password: ${word}\n`, extra);
  return encryptedFor(recipient, text, 'yaml', '^(data|stringData)$');
}

const decryption = { provider: 'sops' as const, secretRef: { name: 'keys' } };

async function valuesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const { data } = await flux.get<{ readonly data?: Record<string, string> }>(fleet.ref('Secret', name));
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

test('encrypted objects, generated Secrets and patches are applied decrypted', async () => {
  const revision = await fleet.commit({
    'all/kustomization.yaml': `namespace: ${fleet.namespace}
resources: [password.yaml, base]
generatorOptions: {disableNameSuffixHash: true}
secretGenerator:
- name: generated
  envs: [secret.env]
  files: [config.yaml=values.enc, raw.txt, .dockerconfigjson=docker.enc]
patches:
- path: patch.enc.yaml
`,
    'all/password.yaml': await encryptedSecret('password'),
    'all/base/kustomization.yaml': 'secretGenerator:\n- name: nested\n  envs: [nested.env]\n',
    'all/base/nested.env': await encryptedFor(recipient, `INNER=${word}\n`, 'dotenv'),
    'all/secret.env': await encryptedFor(recipient, `USER=admin\nPASSWORD=${word}\n`, 'dotenv'),
    'all/values.enc': await encryptedFor(recipient, `a:\n    - ${word}\n`),
    'all/raw.txt': await encryptedFor(recipient, `${word}\n`, 'binary'),
    'all/docker.enc': await encryptedFor(recipient, `{"auths":{"r":{"auth":"${word}"}}}`, 'json'),
    'all/patch.enc.yaml': await encryptedFor(
      recipient,
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: generated\nstringData:\n  patched: ${word}\n`,
      'yaml',
      '^stringData$',
    ),
  });
  const ref = await fleet.kustomization('all', { decryption });
  const outcome = await fleet.run(ref);
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.deepEqual(conditionTexts(await fleet.read(ref)), [
    `Ready=True ReconciliationSucceeded: Applied revision: ${revision}`,
  ]);
  assert.deepEqual(await valuesOf('password'), { password: word });
  assert.deepEqual(await valuesOf('generated'), {
    USER: 'admin',
    PASSWORD: word,
    'config.yaml': `a:\n    - ${word}\n`,
    'raw.txt': `${word}\n`,
    '.dockerconfigjson': `{\n\t"auths": {\n\t\t"r": {\n\t\t\t"auth": "${word}"\n\t\t}\n\t}\n}\n`,
    patched: word,
  });
  const nested = (await fleet.read(ref)).status?.inventory?.entries.find(({ id }) => id.includes('_nested-'));
  assert.ok(nested, 'the name of a generated Secret carries the hash of the plain text');
});

test('a value of a Secret that is an encrypted file itself is decrypted, and any kind can be encrypted', async () => {
  const inner = await encryptedFor(recipient, `KEY=${word}\n`, 'dotenv');
  const data = `data:\n  app.env: ${Buffer.from(inner).toString('base64')}\n  plain: YQ==\n`;
  await fleet.commit({
    'values/secret.yaml': secret('values', data),
    'values/map.yaml': await encryptedFor(
      recipient,
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\n  namespace: ${fleet.namespace}\ndata:\n  key: ${word}\n`,
      'yaml',
      '^data$',
    ),
  });
  const outcome = await fleet.run(await fleet.kustomization('values', { decryption }));
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.deepEqual(await valuesOf('values'), { 'app.env': `KEY=${word}\n`, plain: 'a' });
  assert.deepEqual((await flux.get(fleet.ref('ConfigMap', 'map')))['data'], { key: word });
});

test('a wrong key fails the build with the object and the keys that were tried, and applies nothing', async () => {
  await keySecret('wrong', { 'other.agekey': await generateX25519Identity() });
  await fleet.commit({
    'wrong/secret.yaml': await encryptedSecret('wrong-secret'),
    'wrong-env/kustomization.yaml': 'secretGenerator:\n- name: env\n  envs: [secret.env]\n',
    'wrong-env/secret.env': await encryptedFor(recipient, `A=${word}\n`, 'dotenv'),
  });
  const wrong = { ...decryption, secretRef: { name: 'wrong' } };
  const ref = await fleet.kustomization('wrong', { decryption: wrong });
  assert.equal((await fleet.run(ref)).result, 'failed');
  const [condition] = conditionTexts(await fleet.read(ref)).filter((text) => text.startsWith('Ready'));
  assert.equal(
    condition,
    `Ready=False BuildFailed: decryption failed for 'Secret.v1.[noGrp]/wrong-secret': failed to decrypt and format '${fleet.namespace}/wrong-secret' Secret data: cannot get sops data key: ${recipient}: age: no identity matched any of the file's recipients`,
  );
  assert.equal(await flux.exists(fleet.ref('Secret', 'wrong-secret')), false);
  const env = await fleet.kustomization('wrong-env', { decryption: wrong });
  await fleet.run(env);
  assert.match(
    conditionTexts(await fleet.read(env)).join('\n'),
    /Ready=False BuildFailed: error decrypting sources: wrong-env\/secret\.env: cannot get sops data key/,
  );
});

test('a Secret of keys that is missing or broken fails the build', async () => {
  await keySecret('broken', { 'a.agekey': 'AGE-SECRET-KEY-1BROKEN' });
  await fleet.commit({ 'lost/secret.yaml': await encryptedSecret('lost-secret') });
  const ref = await fleet.kustomization('lost', {
    decryption: { ...decryption, secretRef: { name: 'missing' } },
  });
  await fleet.run(ref);
  assert.match(
    conditionTexts(await fleet.read(ref)).join('\n'),
    /Ready=False BuildFailed: secrets "missing" not found/,
  );
  await fleet.kustomization('lost', { decryption: { ...decryption, secretRef: { name: 'broken' } } });
  await fleet.run(ref);
  const text = conditionTexts(await fleet.read(ref)).join('\n');
  assert.match(
    text,
    /Ready=False BuildFailed: failed to import 'a\.agekey' data from sops decryption Secret '.*\/broken': /,
  );
  assert.doesNotMatch(text, /BROKEN/);
});

test('an encrypted Secret without decryption fails before any apply, unless it opts out', async () => {
  await fleet.commit({
    'none/secret.yaml': await encryptedSecret('none-secret'),
    'out/secret.yaml': secret(
      'out-secret',
      `stringData:\n  plain: ${word}\n`,
      '  annotations:\n    kustomize.toolkit.fluxcd.io/decrypt: Disabled\n',
    ),
  });
  const ref = await fleet.kustomization('none');
  await fleet.run(ref);
  assert.match(
    conditionTexts(await fleet.read(ref)).join('\n'),
    /Ready=False ReconciliationFailed: Secret\/.*\/none-secret is SOPS encrypted, configuring decryption is required for this secret to be reconciled/,
  );
  assert.equal(await flux.exists(fleet.ref('Secret', 'none-secret')), false);
  const out = await fleet.kustomization('out', { decryption });
  assert.equal((await fleet.run(out)).result, 'succeeded');
});

test('the keys of --sops-age-secret serve Kustomizations that name no Secret', async () => {
  await fleet.commit({ 'fallback/secret.yaml': await encryptedSecret('fallback-secret') });
  const ref = await fleet.kustomization('fallback', { decryption: { provider: 'sops' } });
  const profile = { ...flux.kustomize.profile, runtimeNamespace: fleet.namespace, sopsAgeSecret: 'keys' };
  assert.equal((await fleet.run(ref, { profile })).result, 'succeeded');
  assert.deepEqual(await valuesOf('fallback-secret'), { password: word });
});

test('a MAC is judged on the source file: a change by hand is told there, and applied as Flux applies it', async () => {
  const file = await encryptedSecret('mac-secret');
  await fleet.commit({
    'mac/kustomization.yaml': `namespace: ${fleet.namespace}\nnamePrefix: x-\nresources: [good.yaml, bad.yaml]\n`,
    'mac/good.yaml': await encryptedSecret('mac-good'),
    'mac/bad.yaml': file.replace('kind: Secret', 'kind: Secret\ntype: Opaque'),
  });
  const ref = await fleet.kustomization('mac', { decryption });
  const kustomization = (await fleet.read(ref)) as Kustomization;
  const artifact = await flux.kustomize.fetchArtifact(await flux.get(fleet.source), flux.kustomize.signal);
  assert.ok(artifact);
  const { diagnostics } = await buildDesired(flux.kustomize, kustomization, artifact);
  assert.deepEqual(
    diagnostics.map(({ code, severity, path }) => `${severity} ${code} ${path}`),
    ['warning sops-mac-mismatch mac/bad.yaml'],
  );
  const refused = await fleet.run(ref, { requireSopsMac: true });
  assert.match(refused.message, /^mac\/bad\.yaml: the MAC of the encrypted file does not match/);
  assert.match(
    conditionTexts(await fleet.read(ref)).join('\n'),
    /Ready=False BuildFailed: mac\/bad\.yaml: the MAC/,
  );
  assert.equal(await flux.exists(fleet.ref('Secret', 'x-mac-good')), false, 'nothing is applied');
  const applied = await fleet.run(ref);
  assert.equal(applied.result, 'succeeded');
  assert.match((applied.warnings ?? []).join('\n'), /^mac\/bad\.yaml:1:1: warning: the MAC/);
  assert.deepEqual(await valuesOf('x-mac-secret'), { password: word });
});

test('a run that only the user’s own keys made possible says so beside the status upstream would leave', async () => {
  const revision = await fleet.commit({ 'own/secret.yaml': await encryptedSecret('own-secret') });
  await keySecret('foreign', { 'other.agekey': await generateX25519Identity() });
  const ref = await fleet.kustomization('own', {
    decryption: { ...decryption, secretRef: { name: 'foreign' } },
  });
  const age = parseAgeIdentities(identity);
  const ownKeys = () => Promise.resolve({ age, pgp: [], origin: 'own keys' });
  const before = flux.events.length;
  const outcome = await fleet.run(ref, { ownKeys });
  assert.equal(outcome.result, 'succeeded', outcome.message);
  assert.match((outcome.warnings ?? []).join('\n'), /^decrypted with keys of the user who runs Plumb/);
  assert.deepEqual(conditionTexts(await fleet.read(ref)), [
    `Ready=True ReconciliationSucceeded: Applied revision: ${revision}`,
  ]);
  const told = flux.events.slice(before).filter(({ message }) => message.startsWith('decrypted with keys'));
  assert.deepEqual(
    told.map(({ severity }) => severity),
    ['error'],
  );
  await fleet.kustomization('own', { decryption });
  const quiet = await fleet.run(ref, { ownKeys });
  assert.deepEqual([quiet.result, quiet.warnings], ['succeeded', undefined]);
});

test('no plain text of an encrypted file is in a log, an event, a status or on the disk', async () => {
  assert.doesNotMatch(JSON.stringify([flux.log, flux.events]), new RegExp(word));
  for (const name of ['all', 'values', 'wrong', 'lost', 'none', 'mac'])
    assert.doesNotMatch(
      JSON.stringify(await fleet.read(fleet.ref('Kustomization', name, 'kustomize.toolkit.fluxcd.io'))),
      new RegExp(word),
    );
  const entries = readdirSync(disk, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  assert.ok(entries.length > 0, 'the folder is the one that is written to');
  for (const entry of entries) {
    const content = readFileSync(join(entry.parentPath, entry.name));
    // The Secret without encryption of one test is plain in Git itself.
    if (entry.name === 'secret.yaml' && content.includes('out-secret')) continue;
    assert.equal(content.includes(word), false, join(entry.parentPath, entry.name));
  }
});
