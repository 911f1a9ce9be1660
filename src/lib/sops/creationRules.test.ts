import assert from 'node:assert/strict';
import { test } from 'node:test';
import { creationRuleFor } from './creationRules.ts';
import { nameOfMasterKey, plainKeyOf } from './masterKeys.ts';

const now = '2026-01-02T03:04:05Z';

const config = `creation_rules:
- path_regex: ^clusters/prod/.*\\.ya?ml$
  encrypted_regex: ^(data|stringData)$
  mac_only_encrypted: true
  age: age1a, age1b
  pgp: AB CD
- path_regex: (?i)\\.ENV$
  shamir_threshold: 2
  key_groups:
  - age: [age1a]
  - merge:
    - age: [age1b]
    kms: [{arn: "arn:aws:kms:eu-west-1:1:key/x"}]
    hc_vault: ["https://vault.example.org:8200/v1/sops/keys/apps"]
- age: [age1c]
`;

function keysFor(path: string): readonly (readonly string[])[] {
  return creationRuleFor(config, path, now).keyGroups.map((group) => group.map(nameOfMasterKey));
}

test('the first rule whose pattern fits decides, and one without a pattern fits always', () => {
  assert.deepEqual(keysFor('clusters/prod/a.yaml'), [['age1a', 'age1b', 'ABCD']]);
  assert.deepEqual(keysFor('x/secret.env'), [
    ['age1a'],
    ['age1b', 'arn:aws:kms:eu-west-1:1:key/x', 'https://vault.example.org:8200/v1/sops/keys/apps'],
  ]);
  assert.deepEqual(keysFor('other.yaml'), [['age1c']]);
});

test('a rule says what is encrypted and how many groups are needed', () => {
  const { rule, macOnlyEncrypted } = creationRuleFor(config, 'clusters/prod/a.yaml', now);
  assert.deepEqual(rule, { name: 'encrypted_regex', pattern: '^(data|stringData)$' });
  assert.equal(macOnlyEncrypted, true);
  assert.equal(creationRuleFor(config, 'a.env', now).shamirThreshold, 2);
  assert.equal(creationRuleFor(config, 'a.txt', now).rule.name, 'unencrypted_suffix');
});

test('keys of clouds are named with all that it takes to ask for them', () => {
  const text = `creation_rules:
- path_regex: ^single$
  aws_profile: work
  kms: arn:aws:kms:eu-west-1:1:key/a, arn:aws:kms:eu-west-1:1:key/b+arn:aws:iam::1:role/sops
  gcp_kms: projects/p/locations/global/keyRings/r/cryptoKeys/k
  azure_keyvault: https://v.vault.azure.net/keys/one/abc, https://v.vault.azure.net/keys/two
- path_regex: ^groups$
  key_groups:
  - kms:
    - {arn: "arn:aws:kms:eu-west-1:1:key/a", role: "arn:aws:iam::1:role/sops", aws_profile: other, context: {b: two, a: 1}}
    - {arn: "arn:aws:kms:eu-west-1:1:key/a", context: {a: 1}}
    - {arn: "arn:aws:kms:eu-west-1:1:key/a", context: {a: 1}}
  - azure_keyvault: [{vaultUrl: "https://v.vault.azure.net", key: one, version: abc}]
    hckms: [{key_id: "eu:1"}]
`;
  const keysOf = (path: string) =>
    creationRuleFor(text, path, now).keyGroups.map((group) =>
      group.map((key) => {
        const { type, fields, context } = plainKeyOf(key);
        const members = [...fields].flatMap(([name, value]) => (name === 'created_at' ? [] : [value]));
        return [type, ...members, ...[...context].flat()].join(' ');
      }),
    );
  assert.deepEqual(keysOf('single'), [
    [
      'kms arn:aws:kms:eu-west-1:1:key/a work',
      'kms arn:aws:kms:eu-west-1:1:key/b arn:aws:iam::1:role/sops work',
      'gcp_kms projects/p/locations/global/keyRings/r/cryptoKeys/k',
      'azure_kv https://v.vault.azure.net one abc',
      'azure_kv https://v.vault.azure.net two ',
    ],
  ]);
  assert.deepEqual(keysOf('groups'), [
    [
      'kms arn:aws:kms:eu-west-1:1:key/a arn:aws:iam::1:role/sops other a 1 b two',
      'kms arn:aws:kms:eu-west-1:1:key/a a 1',
    ],
    ['hckms eu:1', 'azure_kv https://v.vault.azure.net one abc'],
  ]);
});

test('no rule that fits, a broken file and a broken pattern are told', () => {
  const only = 'creation_rules:\n- path_regex: ^a$\n  age: age1a\n';
  assert.throws(() => creationRuleFor(only, 'b', now), /no creation rule fits b/);
  assert.throws(() => creationRuleFor('a: [', 'b', now), /\.sops\.yaml: line 1/);
  assert.throws(
    () => creationRuleFor('creation_rules:\n- path_regex: "("\n', 'b', now),
    /no regular expression/,
  );
  assert.throws(
    () => creationRuleFor('creation_rules:\n- hc_vault_transit_uri: x\n', 'b', now),
    /no transit URI/,
  );
  assert.throws(
    () => creationRuleFor('creation_rules:\n- azure_keyvault: https://v.vault.azure.net\n', 'b', now),
    /no URL of one/,
  );
});
