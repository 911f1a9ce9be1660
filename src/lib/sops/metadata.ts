import { cryptRuleNames, defaultCryptRule, type CryptRule } from './cryptRules.ts';
import { flattenMap, unflattenMap } from './flatten.ts';
import { readKeyGroups, writeKeyGroups, type KeyGroup } from './masterKeys.ts';
import {
  decryptionError,
  isSopsComment,
  isSopsMap,
  memberOf,
  sopsMap,
  type SopsDocuments,
  type SopsItem,
  type SopsMap,
  type SopsValue,
} from './sopsTree.ts';

/** What an encrypted file says about itself, under `sops`. */
export interface SopsMetadata {
  readonly keyGroups: readonly KeyGroup[];
  /** How many groups are needed; 0 where there is only one. */
  readonly shamirThreshold: number;
  /** RFC 3339, to the second. The MAC is bound to it. */
  readonly lastModified: string;
  /** Encrypted; empty when the file has none. */
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  readonly rule: CryptRule;
  readonly version: string;
}

/** How the metadata lies in a file: as a mapping, as a mapping of flat keys (ini), as flat keys at the top (dotenv). */
export type MetadataLayout = 'nested' | 'flatBelowTop' | 'flat';

const metadataKey = 'sops';
const flatPrefix = 'sops_';

/** The values and the metadata of an encrypted file. Throws DecryptionFailed when there is none or it is broken. */
export function extractMetadata(
  documents: SopsDocuments,
  layout: MetadataLayout,
): { readonly documents: SopsDocuments; readonly metadata: SopsMetadata } {
  const found = layout === 'flat' ? extractFlat(documents) : extractNested(documents);
  if (found.entries === undefined) throw decryptionError('sops metadata not found');
  const tree =
    layout === 'nested'
      ? sopsMap(found.entries)
      : unflattenMap(sopsMap(layout === 'flatBelowTop' ? found.entries.map(unescapeBreaks) : found.entries));
  return { documents: found.documents, metadata: readMetadata(tree) };
}

/** The documents with the metadata in each, as a file of that layout holds it. */
export function embedMetadata(
  documents: SopsDocuments,
  metadata: SopsMetadata,
  layout: MetadataLayout,
): SopsDocuments {
  const tree = writeMetadata(metadata);
  const items =
    layout === 'nested'
      ? [{ key: metadataKey, value: tree }]
      : layout === 'flat'
        ? flattenMap(tree, flatPrefix).items
        : [{ key: metadataKey, value: sopsMap(flattenMap(tree, '').items.map(escapeBreaks)) }];
  for (const document of documents)
    for (const { key } of document.items)
      if (typeof key === 'string' && isReserved(key, layout))
        throw decryptionError(`the key ${key} is reserved for the metadata of sops`, 'rename it');
  return documents.map((document) => sopsMap([...document.items, ...items]));
}

/** True when the file is encrypted already: it has the metadata's key. */
export function hasMetadata(documents: SopsDocuments, layout: MetadataLayout): boolean {
  return documents.some(({ items }) =>
    items.some(({ key }) => typeof key === 'string' && isReserved(key, layout)),
  );
}

function isReserved(key: string, layout: MetadataLayout): boolean {
  return layout === 'flat' ? key.startsWith(flatPrefix) : key === metadataKey;
}

interface Found {
  readonly documents: SopsDocuments;
  readonly entries: readonly SopsItem[] | undefined;
}

/** Every document carries it; the first one's counts. */
function extractNested(documents: SopsDocuments): Found {
  let entries: readonly SopsItem[] | undefined;
  const rest = documents.map(({ items }, index) => {
    const own = items.filter(({ key }) => key === metadataKey);
    if (index === 0 && own.length > 1) throw decryptionError('found duplicate sops entry');
    const value = own[0]?.value;
    if (index === 0 && value !== undefined) {
      if (!isSopsMap(value)) throw decryptionError('found sops entry that is not a mapping');
      entries = value.items;
    }
    return sopsMap(items.filter(({ key }) => key !== metadataKey));
  });
  return { documents: rest, entries };
}

function extractFlat(documents: SopsDocuments): Found {
  const [first, ...others] = documents;
  if (first === undefined) return { documents, entries: undefined };
  const entries = first.items.flatMap(({ key, value }): SopsItem[] =>
    typeof key === 'string' && key.startsWith(flatPrefix)
      ? [{ key: key.slice(flatPrefix.length), value }]
      : [],
  );
  const rest = first.items.filter(({ key }) => typeof key !== 'string' || !key.startsWith(flatPrefix));
  return {
    documents: [sopsMap(rest), ...others],
    entries: entries.length === 0 ? undefined : entries,
  };
}

function unescapeBreaks({ key, value }: SopsItem): SopsItem {
  return { key, value: typeof value === 'string' ? value.replaceAll('\\n', '\n') : value };
}

function escapeBreaks({ key, value }: SopsItem): SopsItem {
  return { key, value: typeof value === 'string' ? value.replaceAll('\n', '\\n') : value };
}

function readMetadata(tree: SopsMap): SopsMetadata {
  const rules = cryptRuleNames.flatMap((name): CryptRule[] => {
    const pattern = textOf(memberOf(tree, name));
    return pattern === '' ? [] : [{ name, pattern }];
  });
  if (rules.length > 1)
    throw decryptionError(
      `cannot use more than one of ${cryptRuleNames.join(', ')} in the same file`,
      'keep the one the file was encrypted with',
    );
  return {
    keyGroups: readKeyGroups(tree),
    shamirThreshold: Number(textOf(memberOf(tree, 'shamir_threshold')) || '0'),
    lastModified: requireTime(memberOf(tree, 'lastmodified')),
    mac: textOf(memberOf(tree, 'mac')),
    macOnlyEncrypted: ['true', '1'].includes(textOf(memberOf(tree, 'mac_only_encrypted')).toLowerCase()),
    rule: rules[0] ?? defaultCryptRule,
    version: textOf(memberOf(tree, 'version')),
  };
}

function writeMetadata(metadata: SopsMetadata): SopsMap {
  const { keyGroups, shamirThreshold, lastModified, mac, macOnlyEncrypted, rule, version } = metadata;
  const items: SopsItem[] = [
    ...writeKeyGroups(keyGroups),
    ...(shamirThreshold > 0 ? [{ key: 'shamir_threshold', value: BigInt(shamirThreshold) }] : []),
    { key: 'lastmodified', value: lastModified },
    { key: 'mac', value: mac },
    ...(macOnlyEncrypted ? [{ key: 'mac_only_encrypted', value: true }] : []),
    { key: rule.name, value: rule.pattern },
    { key: 'version', value: version },
  ];
  return sopsMap(items.sort((left, right) => (String(left.key) < String(right.key) ? -1 : 1)));
}

/** As upstream's decoder takes it: numbers and truth count as text. */
function textOf(value: SopsValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') return isSopsMap(value) || isSopsComment(value) ? '' : timeText(value);
  return String(value);
}

function timeText(value: SopsValue): string {
  return typeof value === 'object' && value !== null && 'text' in value ? value.text : '';
}

function requireTime(value: SopsValue | undefined): string {
  const text = textOf(value);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return text;
  throw decryptionError('sops metadata: lastmodified is no RFC 3339 time');
}
