import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { isPlumbError } from '../base/plumbError.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';

/** Called with the present state of an object and at each change; undefined when it does not exist. */
export type ObjectListener = (ref: ObjectRef, object: KubeObject | undefined) => void;

/** An object to follow; `since` is the resourceVersion that is known to exist: nothing older is told. */
export interface FollowedRef extends ObjectRef {
  readonly since?: string;
}

/** Live objects as they change. Whoever watches anyway (the engine) lets runs follow its watches. */
export interface ObjectFollower {
  /** Runs until the signal aborts. */
  follow(refs: readonly FollowedRef[], listener: ObjectListener, signal: AbortSignal): Promise<void>;
}

/** Where reading one object is allowed and watching is not, and while a kind is not served yet. */
const pollMs = 5000;
/** Kinds that are ready as soon as they are there; their content is none of our business. */
const contentless = ['/Secret', '/ConfigMap'];

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
    ...(contentless.includes(`${first.group}/${first.kind}`) && { metadataOnly: true }),
  };
  try {
    await cluster.watch(
      first,
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
  } catch (error) {
    if (!isPlumbError(error, 'AccessDenied') && !isPlumbError(error, 'NotFound')) throw error;
    await pollEach(cluster, refs, listener, signal);
  }
}

async function pollEach(
  cluster: ClusterClient,
  refs: readonly ObjectRef[],
  listener: ObjectListener,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const ref of refs) {
      const answer = await cluster.get(ref, signal);
      if (signal.aborted) return;
      if (answer.type === 'ok') listener(ref, answer.value);
      else if (answer.refusal.httpStatus === 404) listener(ref, undefined);
    }
    await pause(signal);
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, pollMs);
    signal.addEventListener('abort', done);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
