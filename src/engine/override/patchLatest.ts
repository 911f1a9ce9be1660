import type { JsonObject } from '../../base/json.ts';
import type { Answer, ClusterClient } from '../../clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import { plumbManager, readFluxObject, requireWritten } from '../fluxCommands.ts';

const tries = 5;

/**
 * Patches the object as it is with what `make` gives, made anew when somebody got in between: controllers write its status all the
 * time. Nothing is written for undefined. Throws NotFound, AccessDenied or RequestFailed, naming the object.
 */
export async function patchLatest(
  cluster: ClusterClient,
  ref: ObjectRef,
  signal: AbortSignal | undefined,
  make: (live: KubeObject) => JsonObject | undefined,
): Promise<KubeObject> {
  for (let turn = 1; ; turn++) {
    const live = await readFluxObject(cluster, ref, signal);
    const body = make(live);
    if (body === undefined) return live;
    const resourceVersion = live.metadata.resourceVersion ?? null;
    const locked = { ...body, metadata: { ...(body['metadata'] as JsonObject), resourceVersion } };
    const answer: Answer = await cluster.patch(
      ref,
      locked,
      { type: 'merge', fieldManager: plumbManager },
      signal,
    );
    const isConflict = answer.type === 'refused' && answer.refusal.httpStatus === 409;
    if (!isConflict || turn === tries) return requireWritten(ref, 'overridden', answer);
  }
}
