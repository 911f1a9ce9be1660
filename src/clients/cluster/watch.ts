import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, parseJson, type JsonObject } from '../../base/json.ts';
import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import { isKubeObject, type KubeObject } from '../../kube/object.ts';
import type { Refusal, WatchEvent } from './clusterClient.ts';
import { refusalFrom } from './refusal.ts';
import { readBody } from './transport.ts';

/** A list with the version of the state it shows. */
export interface Listed {
  readonly objects: readonly KubeObject[];
  readonly resourceVersion: string;
}

/** What a watch needs of the client: the list, the stream from a version on, and the form of its objects. */
export interface WatchSource {
  /** For messages: `pods in namespace web`. */
  readonly subject: string;
  list(signal: AbortSignal): Promise<Listed | Refusal>;
  open(resourceVersion: string, timeoutSeconds: number, signal: AbortSignal): Promise<IncomingMessage>;
  toObject(object: JsonObject): KubeObject | undefined;
}

const firstBackoffMs = 250;
const longestBackoffMs = 30_000;
/** Bookmarks come about once a minute; a stream silent for this long is dead (a laptop slept, a NAT forgot us). */
const silenceMs = 180_000;
/** Where listing is allowed and watching is not. */
const pollMs = 30_000;

/**
 * Runs until the signal aborts. Lists, then watches with bookmarks; re-lists on 410; reconnects with backoff and jitter.
 * Throws AccessDenied or NotFound when the very first list is refused; what the callback throws comes out as it is.
 */
export async function runWatch(
  source: WatchSource,
  onEvent: (event: WatchEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let resourceVersion: string | undefined;
  let failures = 0;
  let hasSynced = false;
  while (!signal.aborted) {
    const ended =
      resourceVersion === undefined
        ? await listOnce(source, signal)
        : await streamOnce(source, resourceVersion, onEvent, signal);
    if (signal.aborted) return;
    switch (ended.type) {
      case 'listed':
        resourceVersion = ended.resourceVersion;
        hasSynced = true;
        onEvent({ type: 'synced', objects: ended.objects });
        break;
      case 'closed':
        // The server ends every stream after its timeout; only one that ended at once is a reason to slow down.
        failures = ended.hadEvents ? 0 : failures + 1;
        resourceVersion = ended.resourceVersion;
        break;
      case 'expired':
        failures++;
        resourceVersion = undefined;
        break;
      case 'forbidden':
        await pollInstead(source, onEvent, signal);
        return;
      case 'refused':
        if (!hasSynced) throw refusedToList(source.subject, ended.refusal);
        failures++;
        resourceVersion = undefined;
        // Its definition was deleted, and with it every object.
        if (ended.refusal.httpStatus === 404) onEvent({ type: 'synced', objects: [] });
        else onEvent({ type: 'interrupted', message: ended.refusal.message });
        break;
      case 'broken':
        failures++;
        onEvent({ type: 'interrupted', message: ended.message });
        break;
    }
    if (failures > 0) await pause(backoff(failures), signal);
  }
}

type Ended =
  | ({ readonly type: 'listed' } & Listed)
  | { readonly type: 'closed'; readonly resourceVersion: string; readonly hadEvents: boolean }
  | { readonly type: 'expired' }
  | { readonly type: 'forbidden' }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | { readonly type: 'broken'; readonly message: string };

async function listOnce(source: WatchSource, signal: AbortSignal): Promise<Ended> {
  try {
    const listed = await source.list(signal);
    return 'objects' in listed ? { type: 'listed', ...listed } : { type: 'refused', refusal: listed };
  } catch (error) {
    return brokenBy(error);
  }
}

async function streamOnce(
  source: WatchSource,
  from: string,
  onEvent: (event: WatchEvent) => void,
  signal: AbortSignal,
): Promise<Ended> {
  let response: IncomingMessage;
  try {
    // Spread out, so that many watches do not end in one moment.
    response = await source.open(from, 290 + Math.floor(Math.random() * 290), signal);
    if (response.statusCode !== 200) return await refusedStream(response);
  } catch (error) {
    return brokenBy(error);
  }
  let resourceVersion = from;
  let hadEvents = false;
  const lines = linesOf(response, silenceMs);
  for (;;) {
    let line: IteratorResult<string, unknown>;
    try {
      line = await lines.next();
    } catch (error) {
      if (hadEvents || signal.aborted) return { type: 'closed', resourceVersion, hadEvents };
      return { type: 'broken', message: error instanceof Error ? error.message : String(error) };
    }
    if (line.done === true) return { type: 'closed', resourceVersion, hadEvents };
    const event = eventOf(line.value);
    // A line cut off by a breaking connection: the rest is read again from the last version.
    if (event === undefined) return { type: 'closed', resourceVersion, hadEvents };
    if (event.type === 'ERROR') return { type: 'expired' };
    hadEvents = true;
    resourceVersion = versionOf(event.object) ?? resourceVersion;
    const object = source.toObject(event.object);
    if (event.type === 'BOOKMARK' || object === undefined) continue;
    onEvent({ type: event.type === 'DELETED' ? 'deleted' : 'changed', object });
  }
}

async function refusedStream(response: IncomingMessage): Promise<Ended> {
  const status = response.statusCode ?? 0;
  const refusal = refusalFrom(status, await readBody(response));
  if (status === 403 || status === 405) return { type: 'forbidden' };
  // 410: the version is too old; 504 "too large resource version": the server lost what we had seen; 404: the kind is gone.
  if (status === 410 || status === 504 || status === 404) return { type: 'expired' };
  return { type: 'broken', message: refusal.message };
}

async function pollInstead(
  source: WatchSource,
  onEvent: (event: WatchEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(pollMs, signal);
    const ended = signal.aborted ? undefined : await listOnce(source, signal);
    if (ended?.type === 'listed') onEvent({ type: 'synced', objects: ended.objects });
    if (ended?.type === 'broken') onEvent({ type: 'interrupted', message: ended.message });
    if (ended?.type === 'refused') onEvent({ type: 'interrupted', message: ended.refusal.message });
  }
}

function brokenBy(error: unknown): Ended {
  if (isPlumbError(error, 'AuthenticationFailed') || isPlumbError(error, 'KubeconfigInvalid')) throw error;
  return { type: 'broken', message: error instanceof Error ? error.message : String(error) };
}

function refusedToList(subject: string, refusal: Refusal): Error {
  const code = refusal.httpStatus === 403 || refusal.httpStatus === 401 ? 'AccessDenied' : 'NotFound';
  return plumbError(code, {
    message: `cannot list: ${refusal.message}`,
    subject,
    hint:
      code === 'AccessDenied'
        ? 'ask for the rights to get, list and watch it'
        : 'check that the server serves the kind',
  });
}

/** The lines of a stream; throws when nothing came for `silence` milliseconds or the connection broke. */
async function* linesOf(response: IncomingMessage, silence: number): AsyncGenerator<string, undefined> {
  response.setTimeout(silence, () => response.destroy(new Error('the watch fell silent')));
  const decoder = new TextDecoder();
  let parts: string[] = [];
  try {
    for await (const chunk of response) {
      const pieces = decoder.decode(chunk as Buffer, { stream: true }).split('\n');
      for (const piece of pieces.slice(0, -1)) {
        parts.push(piece);
        yield parts.join('');
        parts = [];
      }
      parts.push(pieces.at(-1) ?? '');
    }
  } finally {
    response.destroy();
  }
  return undefined;
}

interface RawEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

const eventTypes: readonly string[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'];

function eventOf(line: string): RawEvent | undefined {
  try {
    const value = parseJson(line);
    if (!isJsonObject(value) || !isJsonObject(value['object'])) return undefined;
    const type = value['type'];
    return typeof type === 'string' && eventTypes.includes(type)
      ? { type: type as RawEvent['type'], object: value['object'] }
      : undefined;
  } catch {
    return undefined;
  }
}

function versionOf(object: JsonObject): string | undefined {
  const metadata = object['metadata'];
  const version = isJsonObject(metadata) ? metadata['resourceVersion'] : undefined;
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/** The object with the kind it was asked for: a list leaves it out, metadata-only answers call it PartialObjectMetadata. */
export function withKind(object: JsonObject, apiVersion: string, kind: string): KubeObject | undefined {
  const named = { ...object, apiVersion, kind };
  return isKubeObject(named) ? named : undefined;
}

function backoff(failures: number): number {
  const longest = Math.min(firstBackoffMs * 2 ** Math.min(failures - 1, 12), longestBackoffMs);
  return longest / 2 + (Math.random() * longest) / 2;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
