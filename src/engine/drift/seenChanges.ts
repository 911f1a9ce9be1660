import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { parsePointer } from '../../kube/jsonPointer.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { Change, FieldChange, FieldOwner } from '../../ssa/plan.ts';
import type { WatchStore } from '../watchStore.ts';

/** Versions kept of one object; what is older has no known time any more. */
const keptVersions = 8;

interface Version {
  readonly object: KubeObject;
  /** Milliseconds since the epoch; absent for the first version, whose changes nobody here has seen. */
  readonly seenMs?: number;
}

/**
 * When the engine's watches saw a field get its live value. The server records no time for what `kubectl scale` and the like do;
 * what nobody watched has no time here either.
 */
export class SeenChanges {
  readonly #store: Pick<WatchStore, 'get' | 'listen'>;
  readonly #now: () => number;
  readonly #versions = new Map<string, readonly Version[]>();

  constructor(store: Pick<WatchStore, 'get' | 'listen'>, now: () => number) {
    this.#store = store;
    this.#now = now;
    store.listen((refs) => refs.forEach((ref) => this.#note(ref)));
  }

  /** The changes with the time that was seen at every owner whose time the server did not record. From now on their objects are followed. */
  complete(changes: readonly Change[]): readonly Change[] {
    return changes.map((change) => {
      const key = refKey(change.ref);
      if (change.live !== undefined && !this.#versions.has(key))
        this.#versions.set(key, [{ object: change.live }]);
      const fields = change.fields.map((field) => this.#withTime(key, field));
      return fields.some((field, index) => field !== change.fields[index]) ? { ...change, fields } : change;
    });
  }

  #withTime(key: string, field: FieldChange): FieldChange {
    if (field.owners.every(({ time }) => time !== undefined)) return field;
    const seenMs = this.#seen(key, field);
    if (seenMs === undefined) return field;
    const seen = new Date(seenMs).toISOString();
    const owners = field.owners.map((owner): FieldOwner =>
      owner.time === undefined ? { ...owner, seen } : owner,
    );
    return { ...field, owners };
  }

  /** The oldest version of those in a row, back from now, that have the live value. */
  #seen(key: string, { pointer, live }: FieldChange): number | undefined {
    let seenMs: number | undefined;
    for (const version of (this.#versions.get(key) ?? []).toReversed()) {
      if (!equalJson(valueAt(version.object, pointer), live)) return seenMs;
      ({ seenMs } = version);
    }
    return seenMs;
  }

  #note(ref: ObjectRef): void {
    const key = refKey(ref);
    const versions = this.#versions.get(key);
    const last = versions?.at(-1);
    if (versions === undefined || last === undefined) return;
    const object = this.#store.get(ref);
    if (object === undefined || refKey(refOf(object)) !== key) this.#versions.delete(key);
    else if (!equalJson(content(last.object), content(object)))
      this.#versions.set(key, [...versions, { object, seenMs: this.#now() }].slice(-keptVersions));
  }
}

/** Status changes all the time, and nobody asks who did that. */
function content({ status: _status, metadata, ...rest }: KubeObject): JsonObject {
  const { labels = {}, annotations = {} } = metadata;
  return { ...rest, labels, annotations };
}

function valueAt(object: KubeObject, pointer: string): JsonValue | undefined {
  return parsePointer(pointer)?.reduce<JsonValue | undefined>(
    (value, token) =>
      Array.isArray(value)
        ? (value as readonly JsonValue[])[Number(token)]
        : isJsonObject(value)
          ? value[token]
          : undefined,
    object,
  );
}

const byStore = new WeakMap<WatchStore, SeenChanges>();

/** The one of the store; it begins with the first plan that asks. */
export function seenChangesOf(store: WatchStore, now: () => number): SeenChanges {
  const known = byStore.get(store) ?? new SeenChanges(store, now);
  byStore.set(store, known);
  return known;
}
