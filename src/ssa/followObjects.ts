import { isPlumbError } from '../base/plumbError.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';

/** Called with the present state of an object and at each change; undefined when it does not exist. */
export type ObjectListener = (ref: ObjectRef, object: KubeObject | undefined) => void;

/** Live objects as they change. Whoever watches anyway (the engine) lets runs follow its watches. */
export interface ObjectFollower {
  /** Runs until the signal aborts. */
  follow(refs: readonly ObjectRef[], listener: ObjectListener, signal: AbortSignal): Promise<void>;
}

/** A follower with watches of its own: one per kind and namespace, narrowed to the name when only one object is meant. */
export function followerOn(cluster: ClusterClient): ObjectFollower {
  return {
    async follow(refs, listener, signal) {
      const groups = Map.groupBy(
        refs,
        (ref) => `${ref.group}/${ref.version}/${ref.kind}/${ref.namespace ?? ''}`,
      );
      await Promise.all([...groups.values()].map((group) => followGroup(cluster, group, listener, signal)));
    },
  };
}

async function followGroup(
  cluster: ClusterClient,
  refs: readonly ObjectRef[],
  listener: ObjectListener,
  signal: AbortSignal,
): Promise<void> {
  const [first] = refs as [ObjectRef];
  const wanted = new Map(refs.map((ref) => [refKey(ref), ref]));
  const options = {
    ...(first.namespace !== undefined && { namespace: first.namespace }),
    ...(refs.length === 1 && { fieldSelector: `metadata.name=${first.name}` }),
  };
  const { group, version, kind } = first;
  try {
    await watchGroup();
  } catch (error) {
    // The definition went while its objects were followed: they went with it.
    if (!isPlumbError(error, 'NotFound')) throw error;
    for (const ref of wanted.values()) listener(ref, undefined);
  }

  async function watchGroup(): Promise<void> {
    await cluster.watch(
      // The kind alone: with a name it would be read as one object.
      { group, version, kind },
      options,
      (event) => {
        if (event.type === 'interrupted') return;
        if (event.type === 'synced') {
          const live = new Map(event.objects.map((object) => [refKey(refOf(object)), object]));
          for (const [key, ref] of wanted) listener(ref, live.get(key));
          return;
        }
        const ref = wanted.get(refKey(refOf(event.object)));
        if (ref !== undefined) listener(ref, event.type === 'deleted' ? undefined : event.object);
      },
      signal,
    );
  }
}
