import { sha256Hex } from '../../base/digest.ts';
import { serviceOf, unwrapKey, type KeyRing, type WrappedKey } from './keyRing.ts';

interface Kept {
  readonly bytes: Uint8Array;
  readonly since: number;
}

export interface UnwrappedKeysOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long an answer serves: as long as that, a right that was taken away is not noticed. */
  readonly maxAgeMs?: number;
  readonly maxCount?: number;
}

/**
 * What key services have unwrapped, for a while and in memory only: builds follow each other at every change of a file, and each
 * would ask the service for the same data keys. An answer serves the login that asked and no other. Keys that are at hand
 * (age, PGP) are not kept, and no failure is.
 */
export class UnwrappedKeys {
  readonly #now: () => number;
  readonly #maxAgeMs: number;
  readonly #maxCount: number;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor({ now, maxAgeMs = 10 * 60_000, maxCount = 1000 }: UnwrappedKeysOptions) {
    this.#now = now;
    this.#maxAgeMs = maxAgeMs;
    this.#maxCount = maxCount;
  }

  /** As `unwrapKey`. */
  async unwrap(ring: KeyRing, key: WrappedKey, signal: AbortSignal): Promise<Uint8Array> {
    const service = serviceOf(key);
    const login = service === undefined ? undefined : ring.loginIds?.[service];
    if (login === undefined) return unwrapKey(ring, key, signal);
    const id = idOf(login, key);
    this.#dropOld();
    const known = this.#kept.get(id)?.bytes ?? this.#keep(id, await unwrapKey(ring, key, signal));
    return Uint8Array.from(known);
  }

  #keep(id: string, bytes: Uint8Array): Uint8Array {
    this.#drop(id);
    this.#kept.set(id, { bytes: Uint8Array.from(bytes), since: this.#now() });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#maxCount) break;
      this.#drop(oldest);
    }
    return bytes;
  }

  #dropOld(): void {
    for (const [id, { since }] of this.#kept) {
      // A clock that was set back makes nothing young again.
      const age = this.#now() - since;
      if (age < 0 || age >= this.#maxAgeMs) this.#drop(id);
    }
  }

  #drop(id: string): void {
    this.#kept.get(id)?.bytes.fill(0);
    this.#kept.delete(id);
  }
}

/** The login and all that is sent; what is wrapped is in no message and no log. */
function idOf(login: string, { type, fields, context, enc }: WrappedKey): string {
  return sha256Hex(JSON.stringify([login, type, [...fields], [...(context ?? [])], enc]));
}
