import { isPlumbError, plumbError, type PlumbError } from '../../base/plumbError.ts';
import { cloudWithoutLogin, unwrapKey, type KeyRing, type WrappedKey } from '../../clients/kms/keyRing.ts';
import { unwrapDataKey } from '../../lib/sops/dataKey.ts';
import { plainKeyOf } from '../../lib/sops/masterKeys.ts';
import type { SopsMetadata } from '../../lib/sops/metadata.ts';
import { decryptionError } from '../../lib/sops/sopsTree.ts';
import type { KustomizeContext } from './kustomizeContext.ts';

/** What of the user's own decrypted something, or would be needed to. */
export interface OwnDecryption {
  /** True when only the user's own keys opened something: the controllers could not. */
  readonly usedKeys: boolean;
  /** The clouds where the user's own login stood in for the controllers' workload identity. */
  readonly usedLogins: readonly string[];
  /** The clouds where it would have to, had the user allowed it. */
  readonly neededLogins: readonly string[];
}

/** The data keys of one build's files, each unwrapped once. */
export class DataKeys {
  readonly #ctx: KustomizeContext;
  /** What spec.decryption gives, without the user's own. */
  readonly #given: KeyRing;
  readonly #rings: readonly KeyRing[];
  /** By the wrapped keys of a file: many objects come from one. */
  readonly #known = new Map<string, Promise<Uint8Array>>();
  #usedKeys = false;
  readonly #usedLogins = new Set<string>();
  readonly #neededLogins = new Set<string>();

  constructor(ctx: KustomizeContext, given: KeyRing, own: KeyRing | undefined) {
    this.#ctx = ctx;
    this.#given = given;
    this.#rings = [ctx.withOwnLogins?.(given) ?? given, ...(own === undefined ? [] : [own])];
  }

  /** The data key of a file. Throws DecryptionFailed. */
  of(metadata: SopsMetadata): Promise<Uint8Array> {
    const id = JSON.stringify(metadata.keyGroups.map((group) => group.map(({ enc }) => enc)));
    const known = this.#known.get(id) ?? this.#unwrap(metadata);
    this.#known.set(id, known);
    return known;
  }

  /** What of the user's own it took so far. */
  own(): OwnDecryption {
    return {
      usedKeys: this.#usedKeys,
      usedLogins: [...this.#usedLogins].sort(),
      neededLogins: [...this.#neededLogins].sort(),
    };
  }

  /** With the keys that upstream would use, then with the others. */
  async #unwrap(metadata: SopsMetadata): Promise<Uint8Array> {
    let first: PlumbError | undefined;
    for (const [index, ring] of this.#rings.entries()) {
      const opened: string[] = [];
      try {
        const dataKey = await unwrapDataKey(metadata, async (key) => {
          const part = await this.#unwrapWith(ring, plainKeyOf(key));
          opened.push(key.type);
          return part;
        });
        this.#usedKeys ||= index > 0;
        if (index === 0) for (const cloud of this.#cloudsOf(opened)) this.#usedLogins.add(cloud);
        return dataKey;
      } catch (error) {
        this.#ctx.signal.throwIfAborted();
        if (!isPlumbError(error, 'DecryptionFailed')) throw error;
        first ??= ring.problem === undefined ? error : decryptionError(ring.problem);
      }
    }
    const needed = this.#cloudsOf(metadata.keyGroups.flat().map(({ type }) => type));
    if (this.#ctx.withOwnLogins === undefined) for (const cloud of needed) this.#neededLogins.add(cloud);
    throw first ?? plumbError('DecryptionFailed', { message: 'cannot get sops data key: there are no keys' });
  }

  #unwrapWith(ring: KeyRing, key: WrappedKey): Promise<Uint8Array> {
    const { unwrappedKeys, signal } = this.#ctx;
    return unwrappedKeys?.unwrap(ring, key, signal) ?? unwrapKey(ring, key, signal);
  }

  /** The clouds of these kinds of keys where the controllers use their workload identity. */
  #cloudsOf(types: readonly string[]): readonly string[] {
    return types.flatMap((type) => cloudWithoutLogin(this.#given, type) ?? []);
  }
}
