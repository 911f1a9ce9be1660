import assert from 'node:assert/strict';
import { test } from 'node:test';
import { creationRuleFor } from './creationRules.ts';
import { nameOfMasterKey } from './masterKeys.ts';

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
});
