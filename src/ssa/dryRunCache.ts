import { sha256Hex } from '../base/digest.ts';
import type { DurationMs } from '../base/duration.ts';
import { canonicalJson } from '../base/json.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { managedFieldsOf } from '../kube/managedFields.ts';
import { isSecretObject } from '../kube/mask.ts';
import type { KubeObject } from '../kube/object.ts';
import type { AdmissionEpoch } from './admissionEpoch.ts';

/** What a dry-run's result depends on. */
export interface DryRunInputs {
  readonly desired: KubeObject;
  readonly live: KubeObject | undefined;
  readonly identity: string;
  readonly epoch: AdmissionEpoch;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Results of dry-runs by everything they depend on. One per cluster; it serves diffs only. */
export interface DryRunCache {
  get(inputs: DryRunInputs): Answer | undefined;
  set(inputs: DryRunInputs, answer: Answer): void;
  /** The next diff asks the server for everything. */
  clear(): void;
}

export interface DryRunCacheOptions {
  /** The UID of the kube-system namespace. */
  readonly clusterUid: string;
  /** Entries older than this are asked for again; at most ten minutes. */
  readonly maxAge: DurationMs;
  readonly maxEntries?: number;
}

const longestAge: DurationMs = 10 * 60_000;
/** Where part of the admission epoch cannot be read. */
const incompleteAge: DurationMs = 60_000;
const defaultMaxEntries = 5000;

interface Entry {
  readonly answer: Answer;
  readonly until: number;
}

/** An empty cache. Refusals are never kept: rights may change at any time. */
export function createDryRunCache(options: DryRunCacheOptions): DryRunCache {
  const entries = new Map<string, Entry>();
  const maxEntries = options.maxEntries ?? defaultMaxEntries;
  const hashes = new WeakMap<KubeObject, string>();

  const hashOf = (object: KubeObject | undefined, hash: (object: KubeObject) => string): string => {
    if (object === undefined) return '';
    const known = hashes.get(object);
    if (known !== undefined) return known;
    const computed = hash(object);
    hashes.set(object, computed);
    return computed;
  };

  const keyOf = ({ desired, live, identity, epoch }: DryRunInputs): string =>
    [options.clusterUid, identity, hashOf(desired, hashWhole), hashOf(live, hashLive), epoch.hash].join('\n');

  return {
    get(inputs) {
      const key = keyOf(inputs);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.until <= inputs.now) return undefined;
      // The order of the map is the order of use.
      entries.set(key, entry);
      return entry.answer;
    },
    set(inputs, answer) {
      if (answer.type === 'refused') return;
      const age = Math.min(options.maxAge, inputs.epoch.complete ? longestAge : incompleteAge);
      entries.set(keyOf(inputs), { answer, until: inputs.now + age });
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break;
        entries.delete(oldest);
      }
    },
    clear: () => entries.clear(),
  };
}

function hashWhole(object: KubeObject): string {
  return sha256Hex(canonicalJson(object));
}

/** Without what status writes change all the time. A Secret's content is not read for this. */
function hashLive(object: KubeObject): string {
  const { resourceVersion, managedFields: _managedFields, ...metadata } = object.metadata;
  if (isSecretObject(object)) return `${metadata.uid ?? ''} ${resourceVersion ?? ''}`;
  const { status: _status, ...rest } = object;
  const owners = managedFieldsOf(object).filter(({ subresource }) => subresource !== 'status');
  return sha256Hex(canonicalJson({ ...rest, metadata: { ...metadata, managedFields: owners } }));
}
