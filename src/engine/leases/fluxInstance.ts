import { plumbError } from '../../base/plumbError.ts';
import type { ClusterClient } from '../../clients/cluster/clusterClient.ts';
import { formatRef, refOf } from '../../kube/object.ts';

const instanceKind = { group: 'fluxcd.controlplane.io', version: 'v1', kind: 'FluxInstance' };
const pauseAnnotation = 'fluxcd.controlplane.io/reconcile';

/** Throws ModeForbids while a FluxInstance is reconciled by its operator: that would scale the controllers up again. */
export async function requireNoActiveInstance(cluster: ClusterClient, signal: AbortSignal): Promise<void> {
  if ((await cluster.servedKind(instanceKind)) === undefined) return;
  const listed = await cluster.list(instanceKind, {}, signal);
  const what = 'the FluxInstance that runs the controllers';
  if (listed.type === 'refused') {
    throw plumbError('ModeForbids', {
      message: `${what} cannot be read: ${listed.refusal.message}`,
      hint: 'what cannot be read counts as live; ask for the right to list FluxInstance objects',
    });
  }
  const active = listed.value.find(
    ({ metadata }) => metadata.annotations?.[pauseAnnotation]?.toLowerCase() !== 'disabled',
  );
  if (active === undefined) return;
  throw plumbError('ModeForbids', {
    subject: formatRef(refOf(active)),
    message: `${what} is not paused, so its operator would start them again`,
    hint: `annotate it with ${pauseAnnotation}: disabled, and take the annotation away when you leave local mode`,
  });
}
