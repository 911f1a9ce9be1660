import { RE2JS } from 're2js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { cryptRuleNames, defaultCryptRule, type CryptRule } from './cryptRules.ts';
import type { KeyGroup, MasterKey, MasterKeyType } from './masterKeys.ts';
import { decryptionError, sopsMap } from './sopsTree.ts';

/** How a new file is to be encrypted, as `.sops.yaml` says; keys have wrapped nothing yet. */
export interface CreationRule {
  readonly keyGroups: readonly KeyGroup[];
  readonly shamirThreshold: number;
  readonly rule: CryptRule;
  readonly macOnlyEncrypted: boolean;
}

/**
 * The first rule of a `.sops.yaml` whose path_regex finds something in the path, which is relative to the file's
 * folder. `now` becomes the time at which keys were made. Throws DecryptionFailed when there is none or it is broken.
 */
export function creationRuleFor(text: string, path: string, now: string): CreationRule {
  const { value: documents, diagnostics } = parseYaml('.sops.yaml', text);
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined)
    throw decryptionError(`.sops.yaml: line ${problem.range.start.line + 1}: ${problem.message}`);
  const config = documents[0]?.value;
  const rules = listOf(isJsonObject(config) ? config['creation_rules'] : undefined).filter(isJsonObject);
  const rule = rules.find((candidate) => matches(candidate['path_regex'], path));
  if (rule === undefined)
    throw decryptionError(
      `.sops.yaml: no creation rule fits ${path}`,
      'add one without path_regex as the last, or name recipients with --age',
    );
  return ruleOf(rule, now);
}

/** A group of age recipients, for files without a `.sops.yaml`. */
export function ageGroup(recipients: readonly string[]): KeyGroup {
  return recipients.map((recipient) => masterKey('age', { recipient }));
}

function ruleOf(rule: JsonObject, now: string): CreationRule {
  const groups = listOf(rule['key_groups']).filter(isJsonObject);
  const cryptRules = cryptRuleNames.flatMap((name): CryptRule[] => {
    const pattern = rule[name];
    return typeof pattern === 'string' && pattern !== '' ? [{ name, pattern }] : [];
  });
  if (cryptRules.length > 1)
    throw decryptionError(`.sops.yaml: cannot use more than one of ${cryptRuleNames.join(', ')}`);
  const threshold = rule['shamir_threshold'];
  return {
    keyGroups: groups.length > 0 ? groups.map((group) => groupOf(group, now)) : [singleGroup(rule, now)],
    shamirThreshold:
      typeof threshold === 'number' && threshold > 0 ? threshold : groups.length > 1 ? groups.length : 0,
    rule: cryptRules[0] ?? defaultCryptRule,
    macOnlyEncrypted: rule['mac_only_encrypted'] === true,
  };
}

/** Keys beside each other in a rule: text with commas, or a list. */
function singleGroup(rule: JsonObject, now: string): KeyGroup {
  const profile = textOf(rule['aws_profile']);
  return [
    ...ageGroup(textsOf(rule['age'])),
    ...textsOf(rule['pgp']).map((fp) => pgpKey(fp, now)),
    ...textsOf(rule['kms']).map((arn) => awsKey(arn, profile, now)),
    ...textsOf(rule['gcp_kms']).map((id) => gcpKey(id, now)),
    ...textsOf(rule['hckms']).map((id) => masterKey('hckms', { key_id: id, created_at: now })),
    ...textsOf(rule['azure_keyvault']).map((url) => azureKeyOfUrl(url, now)),
    ...textsOf(rule['hc_vault_transit_uri']).map((uri) => transitKey(uri, now)),
  ];
}

/** A group of its own: mappings where a key has more than a name. The same key twice counts once. */
function groupOf(group: JsonObject, now: string): KeyGroup {
  const objects = (name: string): readonly JsonObject[] => listOf(group[name]).filter(isJsonObject);
  const keys = [
    ...objects('merge').flatMap((inner) => groupOf(inner, now)),
    ...ageGroup(textsOf(group['age'])),
    ...textsOf(group['pgp']).map((fp) => pgpKey(fp, now)),
    ...objects('kms').map((entry) => awsKeyOfEntry(entry, now)),
    ...objects('gcp_kms').map((entry) => gcpKey(textOf(entry['resource_id']), now)),
    ...objects('hckms').map((entry) =>
      masterKey('hckms', { key_id: textOf(entry['key_id']), created_at: now }),
    ),
    ...objects('azure_keyvault').map((entry) =>
      azureKey(textOf(entry['vaultUrl']), textOf(entry['key']), textOf(entry['version']), now),
    ),
    ...textsOf(group['hc_vault']).map((uri) => transitKey(uri, now)),
  ];
  return [...new Map(keys.map((key) => [JSON.stringify([key.type, key.fields]), key])).values()];
}

function pgpKey(fp: string, now: string): MasterKey {
  return masterKey('pgp', { fp: fp.replaceAll(' ', ''), created_at: now });
}

function gcpKey(id: string, now: string): MasterKey {
  return masterKey('gcp_kms', { resource_id: id.replaceAll(' ', ''), created_at: now });
}

/** An ARN, and after a plus sign that of a role to assume. */
function awsKey(text: string, profile: string, now: string): MasterKey {
  const compact = text.replaceAll(' ', '');
  const plus = compact.indexOf('+arn:');
  return masterKey('kms', {
    arn: plus > 0 ? compact.slice(0, plus) : compact,
    ...(plus > 0 && { role: compact.slice(plus + 1) }),
    ...(profile !== '' && { aws_profile: profile }),
    created_at: now,
  });
}

function awsKeyOfEntry(entry: JsonObject, now: string): MasterKey {
  const [role, profile] = [textOf(entry['role']), textOf(entry['aws_profile'])];
  const key = masterKey('kms', {
    arn: textOf(entry['arn']),
    ...(role !== '' && { role }),
    ...(profile !== '' && { aws_profile: profile }),
    created_at: now,
  });
  const context = Object.entries(isJsonObject(entry['context']) ? entry['context'] : {});
  if (context.length === 0) return key;
  const items = context.sort(([left], [right]) => (left < right ? -1 : 1));
  const value = sopsMap(items.map(([name, text]) => ({ key: name, value: textOf(text) })));
  return { ...key, fields: sopsMap([...key.fields.items, { key: 'context', value }]) };
}

function azureKeyOfUrl(url: string, now: string): MasterKey {
  const match = /^(https:\/\/[^/]+)\/keys\/([^/]+)(?:\/([^/]*))?$/.exec(url);
  if (match === null)
    throw decryptionError(
      '.sops.yaml: an Azure key is no URL of one',
      'write it as https://<vault>.vault.azure.net/keys/<name>/<version>; without the version the newest is taken',
    );
  const [, vault = '', name = '', version = ''] = match;
  return azureKey(vault, name, version, now);
}

/** Where the version is empty the vault tells it when it wraps. */
function azureKey(vaultUrl: string, name: string, version: string, now: string): MasterKey {
  return masterKey('azure_kv', { vault_url: vaultUrl, name, version, created_at: now });
}

function transitKey(uri: string, now: string): MasterKey {
  const match = /^(https?:\/\/[^/]+)\/v1\/(.+)\/keys\/([^/]+)$/.exec(uri);
  if (match === null)
    throw decryptionError(
      '.sops.yaml: a Vault key is no transit URI',
      'write it as https://vault.example.org:8200/v1/<engine>/keys/<key>',
    );
  const [, address = '', engine = '', name = ''] = match;
  return masterKey('hc_vault', {
    vault_address: address,
    engine_path: engine,
    key_name: name,
    created_at: now,
  });
}

function masterKey(type: MasterKeyType, fields: Readonly<Record<string, string>>): MasterKey {
  return { type, enc: '', fields: sopsMap(Object.entries(fields).map(([key, value]) => ({ key, value }))) };
}

function matches(pattern: JsonValue | undefined, path: string): boolean {
  if (pattern === undefined || pattern === null || pattern === '') return true;
  try {
    return RE2JS.compile(String(pattern)).matcher(path).find();
  } catch {
    throw decryptionError('.sops.yaml: a path_regex is no regular expression of Go');
  }
}

/** A scalar as YAML writes it into text: numbers count. */
function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string')
    return value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  return listOf(value)
    .filter((item) => typeof item === 'string')
    .flatMap((item) => textsOf(item));
}
