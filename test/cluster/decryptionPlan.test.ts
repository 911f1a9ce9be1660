import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { loggerTo, type LogEntry } from '../../src/base/logger.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { createEngine } from '../../src/engine/createEngine.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { PlanView } from '../../src/protocol/views.ts';
import { encryptedFor } from '../servers/encryptedFile.ts';
import { runGit } from '../servers/gitRepository.ts';
import { fleetOn, fluxCluster } from './fluxCluster.ts';

// The keys of whoever runs the tests must not decide.
const folder = await mkdtemp(join(tmpdir(), 'plumb-decryption-plan-'));
const ownKeys = join(folder, 'keys.txt');
for (const name of ['SOPS_AGE_KEY', 'SOPS_AGE_SSH_PRIVATE_KEY_FILE']) delete process.env[name];
process.env['SOPS_AGE_KEY_FILE'] = ownKeys;
await writeFile(ownKeys, '');

const flux = await fluxCluster();
const fleet = await fleetOn(flux, 'decryption-plan');
const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const clone = join(folder, 'fleet');
const log: LogEntry[] = [];

const keys = { group: '', version: 'v1', kind: 'Secret', namespace: fleet.namespace, name: 'keys' };
await flux.apply({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: fleet.namespace },
  stringData: { 'mine.agekey': identity },
} as KubeObject);

function secretText(password: string): Promise<string> {
  return encryptedFor(
    recipient,
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\n  namespace: ${fleet.namespace}\nstringData:\n  password: ${password}\n`,
    'yaml',
    '^stringData$',
  );
}

function settingsText(greeting: string): Promise<string> {
  return encryptedFor(
    recipient,
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: ${fleet.namespace}\ndata:\n  greeting: ${greeting}\n`,
    'yaml',
    '^data$',
  );
}

await fleet.commit({
  'apps/kustomization.yaml': `namespace: ${fleet.namespace}\nresources: [login.yaml, settings.yaml]\nsecretGenerator:\n- name: env\n  envs: [secret.env]\n`,
  'apps/login.yaml': await secretText('first-word'),
  'apps/settings.yaml': await settingsText('first-word'),
  'apps/secret.env': await encryptedFor(recipient, 'TOKEN=first-word\n', 'dotenv'),
});
const ref = await fleet.kustomization('apps', {
  decryption: { provider: 'sops', secretRef: { name: 'keys' } },
});
assert.equal((await fleet.run(ref)).result, 'succeeded');
await runGit(folder, ['clone', '--quiet', fleet.repository.url, clone]);

const engine = await createEngine(
  { folders: [clone], kubeconfig: [flux.sandbox.kubeconfig], schedule: 'onRequest' },
  { log: loggerTo((entry) => log.push(entry)) },
);
after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});

const unchanged = ['ConfigMap settings unchanged', 'Secret env-… unchanged', 'Secret login unchanged'];

const actions = (plan: PlanView): readonly string[] =>
  plan.changes.map(
    ({ ref: changed, action }) => `${changed.kind} ${changed.name.replace(/-\w{10}$/, '-…')} ${action}`,
  );

test('with the keys of the cluster nothing differs, and an edited value shows without its text', async () => {
  const same = await engine.plan(ref, 'workingTree');
  assert.deepEqual([...actions(same)].sort(), unchanged);
  assert.deepEqual(same.warnings, []);
  const file = join(clone, 'apps/login.yaml');
  const before = await readFile(file, 'utf8');
  await writeFile(file, await secretText('second-word'));
  engine.workspaceChanged([file]);
  const edited = await engine.plan(ref, 'workingTree');
  assert.ok(actions(edited).includes('Secret login configured'), actions(edited).join());
  assert.doesNotMatch(JSON.stringify(edited), /first-word|second-word|Zmlyc3Qtd29yZA|c2Vjb25kLXdvcmQ/);
  await writeFile(file, before);
  engine.workspaceChanged([file]);
});

test('decrypted values of other kinds show neither in a plan nor in a drift mark', async () => {
  const settings = {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    namespace: fleet.namespace,
    name: 'settings',
  };
  const file = join(clone, 'apps/settings.yaml');
  const before = await readFile(file, 'utf8');
  await writeFile(file, await settingsText('second-word'));
  engine.workspaceChanged([file]);
  const edited = await engine.plan(ref, 'workingTree');
  assert.ok(actions(edited).includes('ConfigMap settings configured'), actions(edited).join());
  const change = edited.changes.find(({ ref: { name } }) => name === 'settings');
  assert.deepEqual(
    change?.fields.map(({ pointer }) => pointer),
    ['/data/greeting'],
  );
  assert.match(change?.desiredYaml ?? '', /greeting: .*masked: 11 bytes/);
  await writeFile(file, before);
  engine.workspaceChanged([file]);
  const edit = await flux.client.patch(
    settings,
    { data: { greeting: 'third-word' } },
    { type: 'merge', fieldManager: 'somebody' },
  );
  assert.equal(edit.type, 'ok');
  const drift = await engine.drift(`file://${file}`);
  assert.deepEqual(
    drift.marks.map(({ field }) => field.pointer),
    ['/data/greeting'],
  );
  assert.doesNotMatch(JSON.stringify([edited, drift]), /first-word|second-word|third-word/);
  assert.equal((await fleet.run(ref)).result, 'succeeded');
});

test('without any key the object is unknown, not drift, and the plan cannot be applied', async () => {
  const answer = await flux.client.delete(keys, {});
  assert.equal(answer.type, 'ok');
  const plan = await engine.plan(ref, 'workingTree');
  assert.deepEqual(
    actions(plan).filter((text) => !text.endsWith('unchanged')),
    [],
  );
  assert.deepEqual(plan.stale, []);
  const warnings = plan.warnings.join('\n');
  assert.match(
    warnings,
    /Secret\/.*\/login cannot be decrypted here, so its values are not compared: .*secrets "keys" not found/,
  );
  assert.doesNotMatch(JSON.stringify(plan), /first-word/);
  assert.match(warnings, /apps\/secret\.env cannot be decrypted here/);
  await assert.rejects(
    engine.apply(plan.id),
    (error) => isPlumbError(error, 'SecretEncrypted') && /cannot be applied/.test(error.message),
  );
  const drift = await engine.drift(`file://${join(clone, 'apps/login.yaml')}`);
  assert.deepEqual(drift.marks, []);
  assert.match(drift.message ?? '', /not compared, because it cannot be decrypted here/);
});

test('the user’s own keys decrypt where those of the cluster do not, and the plan says so', async () => {
  await writeFile(ownKeys, `${identity}\n`);
  const plan = await engine.plan(ref, 'workingTree');
  assert.deepEqual([...actions(plan)].sort(), unchanged);
  assert.match(plan.warnings.join('\n'), /^decrypted with your own keys: .* the controllers would fail$/);
});

test('no plain text is in the engine’s log', () => {
  assert.doesNotMatch(JSON.stringify(log), /first-word|second-word/);
});
