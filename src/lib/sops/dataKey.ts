import type { SopsMetadata } from './metadata.ts';
import { nameOfMasterKey, type KeyGroup, type MasterKey } from './masterKeys.ts';
import { combineShares, splitSecret } from './shamir.ts';
import { decryptionError } from './sopsTree.ts';

/** Unwraps what a key wraps; throws when it cannot. */
export type UnwrapKey = (key: MasterKey) => Promise<Uint8Array>;

/** Wraps a data key, or a part of one, for a key; gives the key with what it wraps. */
export type WrapKey = (key: MasterKey, part: Uint8Array) => Promise<MasterKey>;

/**
 * The data key of a file: from any key of its group, or from the parts that enough groups give. age and PGP keys are
 * tried first. Throws DecryptionFailed naming every key that was tried and why it gave nothing.
 */
export async function unwrapDataKey(metadata: SopsMetadata, unwrap: UnwrapKey): Promise<Uint8Array> {
  const { keyGroups, shamirThreshold } = metadata;
  const problems: string[] = [];
  const parts: Uint8Array[] = [];
  for (const group of keyGroups) {
    const part = await unwrapGroup(group, unwrap, problems);
    if (part !== undefined) parts.push(part);
  }
  const needed = keyGroups.length > 1 ? Math.max(2, shamirThreshold) : 1;
  if (parts.length < needed) {
    const counted = keyGroups.length > 1 ? ` (${parts.length} of ${needed} key groups)` : '';
    throw decryptionError(
      `cannot get sops data key${counted}: ${problems.join('; ') || 'the file names no key'}`,
      'none of the given keys is one the file was encrypted for',
    );
  }
  return keyGroups.length > 1 ? combineShares(parts) : (parts[0] as Uint8Array);
}

/** The key groups with the data key wrapped for every key, split when there are several groups. */
export async function wrapDataKey(
  dataKey: Uint8Array,
  groups: readonly KeyGroup[],
  shamirThreshold: number,
  wrap: WrapKey,
): Promise<KeyGroup[]> {
  if (groups.length === 0 || groups.some((group) => group.length === 0))
    throw decryptionError('no key to encrypt for', 'name one in .sops.yaml or with --age');
  const parts = groups.length > 1 ? splitSecret(dataKey, groups.length, shamirThreshold) : [dataKey];
  return Promise.all(
    groups.map((group, index) => Promise.all(group.map((key) => wrap(key, parts[index] as Uint8Array)))),
  );
}

async function unwrapGroup(
  group: KeyGroup,
  unwrap: UnwrapKey,
  problems: string[],
): Promise<Uint8Array | undefined> {
  const order = (key: MasterKey): number => (key.type === 'age' ? 0 : key.type === 'pgp' ? 1 : 2);
  for (const key of [...group].sort((left, right) => order(left) - order(right))) {
    try {
      return await unwrap(key);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'no reason given';
      problems.push(`${nameOfMasterKey(key)}: ${reason}`);
    }
  }
  return undefined;
}
