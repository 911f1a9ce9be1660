import type { ListOptions, Refusal } from '../../clients/cluster/clusterClient.ts';
import type { ObjectRef } from '../../kube/object.ts';
import type { WatchStore } from '../watchStore.ts';

type Kind = Pick<ObjectRef, 'group' | 'version' | 'kind'>;

/** How far a kind may be read: everywhere, or in some namespaces only, with the server's words. */
export type Reach =
  | { readonly type: 'everywhere' }
  | { readonly type: 'some'; readonly namespaces: ReadonlySet<string>; readonly refusal: Refusal };

/** Watches the kind in all namespaces, or where that is refused in each of the namespaces that may be read. */
export async function watchPermitted(
  store: WatchStore,
  kind: Kind,
  options: ListOptions,
  namespaces: () => Promise<readonly string[]>,
): Promise<Reach> {
  if ((await store.ensure(kind, options)) !== 'refused') return { type: 'everywhere' };
  const refusal = store.refusalOf(kind, options);
  if (refusal === undefined || options.namespace !== undefined)
    return { type: 'some', namespaces: new Set(), refusal: refusal ?? unknownRefusal };
  const asked = await Promise.all(
    [...new Set(await namespaces())].map(async (namespace) => ({
      namespace,
      state: await store.ensure(kind, { ...options, namespace }),
    })),
  );
  const readable = asked.filter(({ state }) => state !== 'refused').map(({ namespace }) => namespace);
  return { type: 'some', namespaces: new Set(readable), refusal };
}

const unknownRefusal: Refusal = { httpStatus: 403, reason: 'Forbidden', message: 'not allowed', causes: [] };

/** Whether the object would be known if it existed. */
export function isWithin(reach: Reach | undefined, { namespace }: Pick<ObjectRef, 'namespace'>): boolean {
  if (reach === undefined || reach.type === 'everywhere') return true;
  return namespace !== undefined && reach.namespaces.has(namespace);
}
