import { sha256Hex } from '../base/digest.ts';
import { stringifyJson } from '../base/json.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { controllerNames } from '../flux/controllerNames.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import { managedFieldsOf } from '../kube/managedFields.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';

export interface TripwireOptions {
  /** Objects that another Plumb may write: it overrides them. */
  readonly isExempt: (object: KubeObject) => boolean;
  /** Called once, with who wrote what. */
  readonly onTripped: (why: string) => void;
}

/** The status of an object as it was seen, and who wrote it. */
interface Seen {
  readonly version: bigint;
  readonly status: string;
  readonly writers: readonly StatusWriter[];
}

interface StatusWriter {
  readonly manager: string;
  readonly time: string;
  readonly print: string;
}

const fluxGroups: ReadonlySet<string> = new Set(fluxKinds.map(({ group }) => group));
/** Field managers of the controllers' status patches (contract 0.5). */
const controllerManagers: ReadonlySet<string> = new Set(
  controllerNames.flatMap((name) => [name, `gotk-${name}`]),
);
/** Versions of our own that a watch may still have to deliver, by object. */
const rememberedVersions = 64;

/**
 * Notices a controller that shows itself by nothing but its writes: while this engine holds the Leases, a status written under a
 * controller's name that none of our own writes returned. Own writes go through `own`, what the watches see through `saw`.
 */
export class Tripwire {
  readonly #options: TripwireOptions;
  readonly #seen = new Map<string, Seen>();
  /** What our last write made: a watch that lists again may leave that version out. */
  readonly #written = new Map<string, Seen>();
  readonly #baseline = new Map<string, bigint>();
  readonly #versions = new Map<string, Set<string>>();
  readonly #pending = new Map<string, number>();
  /** How many writes had no answer: the server may have done them. */
  readonly #unanswered = new Map<string, number>();
  readonly #deferred = new Map<string, KubeObject[]>();
  #isArmed = false;

  constructor(options: TripwireOptions) {
    this.#options = options;
  }

  /** From now on; the objects are as the server has them after the Leases were taken. */
  arm(objects: readonly KubeObject[]): void {
    for (const object of objects) {
      const key = refKey(refOf(object));
      this.#baseline.set(key, versionOf(object));
      this.#seen.set(key, seenOf(object));
    }
    this.#isArmed = true;
  }

  disarm(): void {
    this.#isArmed = false;
  }

  /** Does one write of ours and remembers what the server made of it. */
  async own(ref: ObjectRef, write: () => Promise<Answer>): Promise<Answer> {
    if (!fluxGroups.has(ref.group)) return write();
    const key = refKey(ref);
    this.#pending.set(key, (this.#pending.get(key) ?? 0) + 1);
    try {
      const answer = await write();
      if (answer.type === 'ok') {
        this.#remember(key, answer.value.metadata.resourceVersion ?? '');
        this.#written.set(key, seenOf(answer.value));
      }
      if (answer.retried === true) this.#loseAnswer(key);
      return answer;
    } catch (error) {
      this.#loseAnswer(key);
      throw error;
    } finally {
      this.#settle(key);
    }
  }

  /**
   * Tells whether the object is at least as new as the Leases and every write of ours: nobody else writes its status, so it is the
   * one of the server.
   */
  isCurrent(object: KubeObject): boolean {
    const key = refKey(refOf(object));
    if (!this.#isArmed || this.#pending.has(key) || this.#unanswered.has(key)) return false;
    const version = versionOf(object);
    const known = [this.#baseline.get(key), this.#written.get(key)?.version];
    return version > 0n && known.every((one) => one === undefined || one <= version);
  }

  /** Judges what a watch delivered; while a write of ours to that object is on its way, after its answer. */
  saw(object: KubeObject): void {
    const ref = refOf(object);
    if (!this.#isArmed || !fluxGroups.has(ref.group)) return;
    const key = refKey(ref);
    if (this.#pending.has(key)) this.#deferred.set(key, [...(this.#deferred.get(key) ?? []), object]);
    else this.#judge(key, object);
  }

  #judge(key: string, object: KubeObject): void {
    if (!this.#isArmed) return;
    const now = this.#seenOf(key, object);
    const before = this.#before(key, now);
    const isOld = versionOf(object) <= (this.#baseline.get(key) ?? 0n);
    if (isOld) return;
    this.#seen.set(key, now);
    const isOwn = this.#versions.get(key)?.has(object.metadata.resourceVersion ?? '') ?? false;
    if (isOwn || this.#options.isExempt(object)) return;
    const writer = statusWriterOf(before, now);
    if (writer === undefined || !controllerManagers.has(writer.manager)) return;
    if (this.#mayBeUnanswered(key)) return;
    this.#isArmed = false;
    this.#options.onTripped(
      `${writer.manager} wrote the status of ${formatRef(refOf(object))} at ${writer.time}, and it was not this Plumb: ` +
        'a controller without leader election runs somewhere',
    );
  }

  /** What our own write made is known already. */
  #seenOf(key: string, object: KubeObject): Seen {
    const written = this.#written.get(key);
    const isWritten = written !== undefined && written.version > 0n && written.version === versionOf(object);
    return isWritten ? written : seenOf(object);
  }

  /** The latest state older than this one that is known. */
  #before(key: string, now: Seen): Seen | undefined {
    const seen = this.#seen.get(key);
    const written = this.#written.get(key);
    if (written === undefined || written.version >= now.version) return seen;
    return seen === undefined || seen.version < written.version ? written : seen;
  }

  #loseAnswer(key: string): void {
    this.#unanswered.set(key, (this.#unanswered.get(key) ?? 0) + 1);
  }

  /** Each write without an answer accounts for one unknown version. */
  #mayBeUnanswered(key: string): boolean {
    const left = this.#unanswered.get(key) ?? 0;
    if (left > 1) this.#unanswered.set(key, left - 1);
    else this.#unanswered.delete(key);
    return left > 0;
  }

  #remember(key: string, version: string): void {
    const versions = this.#versions.get(key) ?? new Set<string>();
    this.#versions.set(key, versions.add(version));
    const [oldest] = versions;
    if (versions.size > rememberedVersions && oldest !== undefined) versions.delete(oldest);
  }

  #settle(key: string): void {
    const left = (this.#pending.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#pending.set(key, left);
      return;
    }
    this.#pending.delete(key);
    const objects = this.#deferred.get(key) ?? [];
    this.#deferred.delete(key);
    for (const object of objects) this.#judge(key, object);
  }
}

/** Who wrote the status since it was seen last; undefined when nobody did. */
function statusWriterOf(before: Seen | undefined, now: Seen): StatusWriter | undefined {
  const known = new Set(before?.writers.map(({ print }) => print));
  const changed = now.writers.filter(({ print }) => !known.has(print));
  if (changed.length > 0) return changed.find(({ manager }) => controllerManagers.has(manager)) ?? changed[0];
  if (before === undefined || before.status === now.status) return undefined;
  // The same manager within the same second leaves its entry as it was: the latest one it is.
  return now.writers.reduce<StatusWriter | undefined>(
    (latest, writer) => (latest === undefined || writer.time >= latest.time ? writer : latest),
    undefined,
  );
}

/** Digests: a thousand statuses would be megabytes. */
function seenOf(object: KubeObject): Seen {
  return {
    version: versionOf(object),
    status: sha256Hex(stringifyJson(object['status'] ?? null)),
    writers: managedFieldsOf(object).flatMap((entry) => {
      const { manager, subresource, time = '' } = entry;
      if (subresource !== 'status' || manager === undefined) return [];
      return [{ manager, time, print: sha256Hex(stringifyJson(entry)) }];
    }),
  };
}

/** Versions of one kind are numbers that grow. */
function versionOf(object: KubeObject): bigint {
  const version = object.metadata.resourceVersion ?? '';
  return /^\d+$/.test(version) ? BigInt(version) : 0n;
}
