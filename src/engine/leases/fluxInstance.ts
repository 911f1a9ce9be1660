import { plumbError } from '../../base/plumbError.ts';
import type { ClusterClient } from '../../clients/cluster/clusterClient.ts';
import { formatRef, type KubeObject, refOf } from '../../kube/object.ts';

const instanceKind = { group: 'fluxcd.controlplane.io', version: 'v1', kind: 'FluxInstance' };
/** `disabled` makes the operator leave its FluxInstance alone. */
export const pauseAnnotation = 'fluxcd.controlplane.io/reconcile';

/** Throws ModeForbids while a FluxInstance is reconciled by its operator: that would scale the controllers up again. */
export async function requireNoActiveInstance(cluster: ClusterClient, signal: AbortSignal): Promise<void> {
  const active = (await instances(cluster, signal)).find((instance) => !isPaused(instance));
  if (active === undefined) return;
  throw plumbError('ModeForbids', {
    subject: formatRef(refOf(active)),
    message: `${what} is not paused, so its operator would start them again`,
    hint: `annotate it with ${pauseAnnotation}: disabled, and take the annotation away when you leave local mode`,
  });
}

/** Every FluxInstance that its operator was told to leave alone. */
export async function pausedInstances(
  cluster: ClusterClient,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  return (await instances(cluster, signal)).filter(isPaused);
}

const what = 'the FluxInstance that runs the controllers';

async function instances(cluster: ClusterClient, signal: AbortSignal): Promise<readonly KubeObject[]> {
  if ((await cluster.servedKind(instanceKind)) === undefined) return [];
  const listed = await cluster.list(instanceKind, {}, signal);
  if (listed.type === 'ok') return listed.value;
  throw plumbError('ModeForbids', {
    message: `${what} cannot be read: ${listed.refusal.message}`,
    hint: 'what cannot be read counts as live; ask for the right to list FluxInstance objects',
  });
}

function isPaused({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[pauseAnnotation]?.toLowerCase() === 'disabled';
}
