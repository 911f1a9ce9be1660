import {
  decryptionError,
  isSopsMap,
  sopsMap,
  type SopsItem,
  type SopsMap,
  type SopsValue,
} from './sopsTree.ts';

/** A kind of key that wraps data keys, by the name that the metadata of a file gives it. */
export type MasterKeyType = 'kms' | 'gcp_kms' | 'hckms' | 'azure_kv' | 'hc_vault' | 'pgp' | 'age';

/** One key that wraps the data key of a file, or the part of it that its group holds. */
export interface MasterKey {
  readonly type: MasterKeyType;
  /** The members of its entry in the file (`recipient`, `fp`, `arn` …), `enc` left out. */
  readonly fields: SopsMap;
  /** The wrapped data key. */
  readonly enc: string;
}

/** Keys of which any one unwraps the same thing. */
export type KeyGroup = readonly MasterKey[];

/** In the order in which upstream reads them. */
const groupOrder: readonly MasterKeyType[] = [
  'kms',
  'gcp_kms',
  'hckms',
  'azure_kv',
  'hc_vault',
  'pgp',
  'age',
];

/** The member that says which key it is. */
const nameField: Readonly<Record<MasterKeyType, string>> = {
  kms: 'arn',
  gcp_kms: 'resource_id',
  hckms: 'key_id',
  azure_kv: 'vault_url',
  hc_vault: 'vault_address',
  pgp: 'fp',
  age: 'recipient',
};

/** Members upstream always writes, in files of theirs and ours. */
const requiredFields: Readonly<Record<MasterKeyType, readonly string[]>> = {
  kms: ['arn', 'aws_profile', 'created_at'],
  gcp_kms: ['created_at', 'resource_id'],
  hckms: ['created_at', 'key_id'],
  azure_kv: ['created_at', 'name', 'vault_url', 'version'],
  hc_vault: ['created_at', 'engine_path', 'key_name', 'vault_address'],
  pgp: ['created_at', 'fp'],
  age: ['recipient'],
};

/** What a key is called in messages: its recipient, fingerprint, ARN … */
export function nameOfMasterKey(key: MasterKey): string {
  const name = fieldOf(key, nameField[key.type]);
  switch (key.type) {
    case 'azure_kv':
      return `${name}/keys/${fieldOf(key, 'name')}/${fieldOf(key, 'version')}`;
    case 'hc_vault':
      return `${name}/v1/${fieldOf(key, 'engine_path')}/keys/${fieldOf(key, 'key_name')}`;
    default:
      return name;
  }
}

/** A member of a key as text; empty when there is none. */
export function fieldOf(key: MasterKey, name: string): string {
  const value = key.fields.items.find((item) => item.key === name)?.value;
  return typeof value === 'string' ? value : '';
}

/** A key as those see it that wrap and unwrap. */
export interface PlainKey {
  readonly type: MasterKeyType;
  /** The members that are text. */
  readonly fields: ReadonlyMap<string, string>;
  /** The encryption context of a key of AWS KMS; empty where it has none. */
  readonly context: ReadonlyMap<string, string>;
  readonly enc: string;
}

/** A key with its members as text. */
export function plainKeyOf({ type, fields, enc }: MasterKey): PlainKey {
  const context = fields.items.find(({ key }) => key === 'context')?.value;
  return {
    type,
    fields: textsOf(fields),
    context: isSopsMap(context) ? textsOf(context) : new Map(),
    enc,
  };
}

function textsOf(map: SopsMap): ReadonlyMap<string, string> {
  return new Map(
    map.items.flatMap(({ key, value }) =>
      typeof key === 'string' && typeof value === 'string' ? [[key, value] as const] : [],
    ),
  );
}

/** The key with what it wraps now, and with members that its service filled in. */
export function withWrapping(
  key: MasterKey,
  { enc, fields = {} }: { readonly enc: string; readonly fields?: Readonly<Record<string, string>> },
): MasterKey {
  const rest = key.fields.items.filter(({ key: name }) => typeof name !== 'string' || !(name in fields));
  const filled = Object.entries(fields).map(([name, value]) => ({ key: name, value }));
  return { ...key, enc, fields: sopsMap([...rest, ...filled]) };
}

/** The key groups of a file's metadata. Throws DecryptionFailed when there is no key at all. */
export function readKeyGroups(metadata: SopsMap): KeyGroup[] {
  const single = readGroup(metadata);
  if (single.length > 0) return [single];
  const groups = listOf(metadata, 'key_groups').map((group) => readGroup(requireMap(group, 'key_groups')));
  if (groups.length === 0) throw decryptionError('no keys found in file');
  return groups;
}

/** The members of the metadata that hold the groups. */
export function writeKeyGroups(groups: readonly KeyGroup[]): SopsItem[] {
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return writeGroup(only, []);
  return [
    {
      key: 'key_groups',
      // Upstream writes these two even when they are empty.
      value: groups.map((group) => sopsMap(writeGroup(group, ['hc_vault', 'age']))),
    },
  ];
}

function readGroup(map: SopsMap): KeyGroup {
  return groupOrder.flatMap((type) =>
    listOf(map, type).map((entry): MasterKey => {
      const fields = requireMap(entry, type);
      const enc = fields.items.find(({ key }) => key === 'enc')?.value;
      return {
        type,
        fields: sopsMap(fields.items.filter(({ key }) => key !== 'enc' && typeof key === 'string')),
        enc: typeof enc === 'string' ? enc : '',
      };
    }),
  );
}

function writeGroup(group: KeyGroup, always: readonly MasterKeyType[]): SopsItem[] {
  return [...groupOrder].sort().flatMap((type): SopsItem[] => {
    const keys = group.filter((key) => key.type === type);
    return keys.length === 0 && !always.includes(type) ? [] : [{ key: type, value: keys.map(writeKey) }];
  });
}

function writeKey({ type, fields, enc }: MasterKey): SopsMap {
  const members = new Map<string, SopsValue>(requiredFields[type].map((name) => [name, '']));
  for (const { key, value } of fields.items) if (typeof key === 'string') members.set(key, value);
  members.set('enc', enc);
  return sopsMap(
    [...members].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => ({ key, value })),
  );
}

function listOf(map: SopsMap, name: string): readonly SopsValue[] {
  const value = map.items.find(({ key }) => key === name)?.value;
  if (value === undefined || value === null) return [];
  if (isSopsMap(value)) return value.items.length === 0 ? [] : [value];
  if (Array.isArray(value)) return value as readonly SopsValue[];
  throw decryptionError(`sops metadata: ${name} is not a list`);
}

function requireMap(value: SopsValue, name: string): SopsMap {
  if (isSopsMap(value)) return value;
  throw decryptionError(`sops metadata: an entry of ${name} is not a mapping`);
}
