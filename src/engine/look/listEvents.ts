import { isJsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { fluxKinds } from '../../flux/kinds.gen.ts';
import { type KubeObject, type ObjectRef, parseApiVersion, refKey } from '../../kube/object.ts';
import type { EventsQuery, EventView } from '../../protocol/look.ts';
import type { EngineCore } from '../engineCore.ts';
import { readFluxObject } from '../fluxCommands.ts';
import { sourceRefOf } from '../../flux/references.ts';

const eventKind = { group: '', version: 'v1', kind: 'Event' };
const fluxGroups: ReadonlySet<string> = new Set(fluxKinds.map(({ group }) => group));

/** Events of Flux objects, oldest first. Keeps watching, so that the engine tells of later ones. */
export async function listEvents(
  core: EngineCore,
  { namespace, about }: EventsQuery,
  signal: AbortSignal,
): Promise<readonly EventView[]> {
  const { session, store } = await core.connected();
  await session.identify(signal);
  const wanted = about === undefined ? undefined : await withItsSource(about);
  const where = namespace === undefined ? {} : { namespace };
  const state = await store.ensure(eventKind, where);
  if (state === 'refused') {
    const refusal = store.refusalOf(eventKind, where);
    throw plumbError('AccessDenied', {
      message: `the events ${namespace === undefined ? 'of all namespaces' : `of namespace ${namespace}`} cannot be read: ${refusal?.message ?? ''}`,
      hint:
        namespace === undefined
          ? 'name a namespace that you may read with -n'
          : 'ask for the right to list events there',
    });
  }
  return store
    .list(eventKind)
    .flatMap((event) => eventView(event) ?? [])
    .filter(({ object }) => namespace === undefined || object.namespace === namespace)
    .filter(({ object }) => wanted === undefined || wanted.has(refKey(object)))
    .sort((a, b) => a.lastSeen.localeCompare(b.lastSeen));

  async function withItsSource(ref: ObjectRef): Promise<ReadonlySet<string>> {
    const object = await readFluxObject(session.cluster, ref, signal);
    const source = sourceRefOf(object);
    return new Set([ref, ...(source === undefined ? [] : [source])].map(refKey));
  }
}

/** The event as shown; undefined when it is about no Flux object. */
export function eventView(event: KubeObject): EventView | undefined {
  const about = event['involvedObject'];
  if (!isJsonObject(about)) return undefined;
  const { group, version } = parseApiVersion(textOf(about['apiVersion']));
  if (!fluxGroups.has(group)) return undefined;
  const namespace = textOf(about['namespace']);
  const source = isJsonObject(event['source']) ? event['source'] : {};
  const revision = event.metadata.annotations?.[`${group}/revision`];
  const lastSeen = [event['lastTimestamp'], event['eventTime'], event.metadata['creationTimestamp']]
    .map(textOf)
    .find((time) => time !== '');
  return {
    object: {
      group,
      version,
      kind: textOf(about['kind']),
      name: textOf(about['name']),
      ...(namespace !== '' && { namespace }),
    },
    type: event['type'] === 'Warning' ? 'Warning' : 'Normal',
    reason: textOf(event['reason']),
    message: textOf(event['message']),
    count: typeof event['count'] === 'number' ? event['count'] : 1,
    lastSeen: lastSeen ?? '',
    component: textOf(event['reportingComponent']) || textOf(source['component']),
    ...(revision !== undefined && { revision }),
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
