import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { type KubeObject, type ObjectRef, refKey } from '../kube/object.ts';
import {
  followerOn,
  type FollowedRef,
  type ObjectFollower,
  type ObjectListener,
} from '../ssa/followObjects.ts';
import type { WatchStore } from './watchStore.ts';

export const kustomizationLabel = 'kustomize.toolkit.fluxcd.io/name';
export const helmLabel = 'helm.toolkit.fluxcd.io/name';

/** The watch of all objects of a kind that carry the label: one per kind and label, not one per object. */
export function ensureLabelled(
  store: WatchStore,
  { group, version, kind }: Pick<ObjectRef, 'group' | 'version' | 'kind'>,
  labelSelector: string,
  namespace: string | undefined,
): ReturnType<WatchStore['ensure']> {
  return store.ensure(
    { group, version, kind },
    {
      labelSelector,
      ...(namespace !== undefined && { namespace }),
      ...(isSecretKind({ group, kind }) && { metadataOnly: true }),
    },
  );
}

/** How long the event of a write may take before the server is asked. */
const watchPatienceMs = 500;

/** Secrets are watched as metadata: their content is none of our business. */
export function isSecretKind({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return group === '' && kind === 'Secret';
}

/**
 * Lets runs follow the engine's watches of labelled objects: a hundred runs that wait for health share one watch per kind.
 * Objects without the label, and kinds that may not be watched so, are followed by watches of their own. It sees with the
 * rights of its client, so it is for runs with the same ones.
 */
export function sharedFollower(
  store: WatchStore,
  cluster: ClusterClient,
  namespace: string | undefined,
): ObjectFollower {
  const own = followerOn(cluster);
  return {
    async follow(refs, listener, signal) {
      const byKind = Map.groupBy(refs, ({ group, version, kind }) => `${group}/${version}/${kind}`);
      await Promise.all(
        [...byKind.values()].map(async (group) => {
          const state = await ensureLabelled(store, group[0] as ObjectRef, kustomizationLabel, namespace);
          if (signal.aborted) return;
          if (state === 'synced' || state === 'interrupted')
            await followShared(store, cluster, own, group, listener, signal);
          else await own.follow(group, listener, signal);
        }),
      );
    },
  };
}

async function followShared(
  store: WatchStore,
  cluster: ClusterClient,
  own: ObjectFollower,
  refs: readonly FollowedRef[],
  listener: ObjectListener,
  signal: AbortSignal,
): Promise<void> {
  const shared = new Map(refs.map((ref) => [refKey(ref), { ref, since: ref.since }]));
  const failed = Promise.withResolvers<never>();
  /** Written a moment ago: the watch will tell. */
  const late = new Set<string>();
  const known = (followed: { readonly ref: ObjectRef; since: string | undefined }): boolean => {
    const object = store.get(followed.ref);
    if (object === undefined || followed.since === undefined || isOlder(object, followed.since)) return false;
    listener(followed.ref, object);
    return true;
  };
  // It may be gone, or have lost the label, or the watch is a moment behind: the server knows.
  const ask = async (key: string): Promise<void> => {
    const followed = shared.get(key);
    if (followed === undefined) return;
    const answer = await cluster.get(followed.ref, signal);
    if (signal.aborted) return;
    if (answer.type === 'ok' && isLabelled(answer.value) && isNumber(answer.value.metadata.resourceVersion)) {
      followed.since = answer.value.metadata.resourceVersion;
      if (!known(followed)) listener(followed.ref, answer.value);
      return;
    }
    if (shared.delete(key)) await own.follow([followed.ref], listener, signal);
  };
  const look = (key: string): void => {
    const followed = shared.get(key);
    if (followed !== undefined && !known(followed))
      ask(key).catch((error: unknown) => failed.reject(error as Error));
  };
  const patience = setTimeout(() => [...late].forEach(look), watchPatienceMs);
  const subscription = store.follow(shared.keys(), (ref) => {
    const followed = shared.get(refKey(ref));
    const object = followed === undefined ? undefined : store.get(ref);
    // An event from before what is known is no reason to ask: the newer one is on its way.
    if (followed !== undefined && (object === undefined || !isOlder(object, followed.since ?? '')))
      look(refKey(ref));
  });
  try {
    for (const [key, followed] of [...shared])
      if (!known(followed))
        if (followed.since === undefined) look(key);
        else late.add(key);
    await Promise.race([failed.promise, untilAborted(signal)]);
  } finally {
    clearTimeout(patience);
    subscription.dispose();
  }
}

function isNumber(version: string | undefined): version is string {
  return version !== undefined && /^\d+$/.test(version);
}

/** Versions of one object grow; of a server whose versions are no numbers nothing is known. */
function isOlder({ metadata }: KubeObject, since: string): boolean {
  const { resourceVersion } = metadata;
  if (!isNumber(resourceVersion) || !isNumber(since)) return true;
  return BigInt(resourceVersion) < BigInt(since);
}

function isLabelled({ metadata }: KubeObject): boolean {
  return metadata.labels?.[kustomizationLabel] !== undefined;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
