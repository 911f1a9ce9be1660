import type { Logger } from '../base/logger.ts';
import { isJsonObject } from '../base/json.ts';
import { refOf, type KubeObject } from '../kube/object.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import type { Clock } from './runContext.ts';

const rememberedKeys = 4096;
const burst = 25;
const refillMs = 300_000;
const similarLimit = 10;
const similarWindowMs = 600_000;

interface Observation {
  readonly event: KubeObject;
  readonly count: number;
}

interface Similar {
  readonly messages: ReadonlySet<string>;
  readonly lastMs: number;
}

interface Bucket {
  readonly tokens: number;
  readonly filledMs: number;
}

/**
 * Writes core/v1 Events in the background: a repeated event is counted up, more than ten similar ones in ten minutes
 * are combined, and an object that floods is cut off. A failed write is logged and never fails a run.
 * Follows client-go tools/record with its default limits.
 */
export class EventRecorder {
  readonly #cluster: Pick<ClusterClient, 'create' | 'patch'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #observed = new Map<string, Observation>();
  readonly #similar = new Map<string, Similar>();
  readonly #buckets = new Map<string, Bucket>();
  #sending: Promise<void> = Promise.resolve();

  constructor(cluster: Pick<ClusterClient, 'create' | 'patch'>, clock: Clock, log: Logger) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#log = log;
  }

  /** Queues a core/v1 Event; returns at once. */
  record(event: KubeObject): void {
    const { combined, key } = this.#combine(event);
    const last = this.#observed.get(key);
    const count = (last?.count ?? 0) + 1;
    remember(this.#observed, key, { event: last?.event ?? combined, count });
    if (!this.#takeToken(event)) return;
    this.#sending = this.#sending
      .then(() => this.#write(combined, key, last?.event, count))
      .catch((error: unknown) => this.#log.warn('event not written', { error }));
  }

  /** Resolves when everything queued so far was written or given up. */
  flush(): Promise<void> {
    return this.#sending;
  }

  async #write(event: KubeObject, key: string, first: KubeObject | undefined, count: number): Promise<void> {
    const fieldManager = String(event['reportingComponent'] ?? 'plumb');
    if (first !== undefined) {
      const body = { count, lastTimestamp: event['lastTimestamp'], message: event['message'] };
      const patched = await this.#cluster.patch(refOf(first), body, { type: 'merge', fieldManager });
      if (patched.type === 'ok') return;
      if (patched.refusal.httpStatus !== 404) return this.#refused(patched.refusal.message);
    }
    const created = await this.#cluster.create({ ...event, count }, { fieldManager });
    remember(this.#observed, key, { event, count });
    if (created.type === 'refused') this.#refused(created.refusal.message);
  }

  #refused(message: string): void {
    this.#log.warn('event refused', { message });
  }

  /** The event itself, or one that stands for all similar ones when there are too many. */
  #combine(event: KubeObject): { readonly combined: KubeObject; readonly key: string } {
    const group = keyOf(event, ['type', 'reason', 'reportingComponent', 'reportingInstance']);
    const message = String(event['message']);
    const now = this.#clock.now();
    const last = this.#similar.get(group);
    const isOver = last === undefined || now - last.lastMs > similarWindowMs;
    const known = isOver ? new Set<string>() : last.messages;
    const messages = known.size >= similarLimit ? known : new Set(known).add(message);
    remember(this.#similar, group, { messages, lastMs: now });
    if (messages.size < similarLimit) return { combined: event, key: `${group}/${message}` };
    return { combined: { ...event, message: `(combined from similar events): ${message}` }, key: group };
  }

  #takeToken(event: KubeObject): boolean {
    const key = keyOf(event, []);
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, filledMs: now };
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.filledMs) / refillMs);
    remember(this.#buckets, key, { tokens: tokens < 1 ? tokens : tokens - 1, filledMs: now });
    return tokens >= 1;
  }
}

function keyOf(event: KubeObject, fields: readonly string[]): string {
  const object = isJsonObject(event['involvedObject']) ? event['involvedObject'] : {};
  const source = isJsonObject(event['source']) ? event['source'] : {};
  const parts = [
    source['component'],
    ...['apiVersion', 'kind', 'namespace', 'name', 'uid'].map((name) => object[name]),
    ...fields.map((name) => event[name]),
  ];
  return parts.map((part) => String(part ?? '')).join('/');
}

/** Sets a key as the newest; the oldest goes when there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= rememberedKeys) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
