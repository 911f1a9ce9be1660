import { sha256Hex } from '../base/digest.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import type { ObjectRef } from '../kube/object.ts';

/** Which cluster it is, whatever the contexts are called that lead to it. */
export interface ClusterIdentity {
  /** UID of kube-system, or a digest of the server where that cannot be read. */
  readonly uid: string;
  /** The server's version; '' where it does not say. */
  readonly version: string;
}

const kubeSystem: ObjectRef = { group: '', version: 'v1', kind: 'Namespace', name: 'kube-system' };

/** Asks the cluster who it is. Throws what the connection throws. */
export async function readClusterIdentity(
  cluster: ClusterClient,
  signal?: AbortSignal,
): Promise<ClusterIdentity> {
  const [version, namespace] = await Promise.all([
    cluster.raw('/version', signal),
    cluster.get(kubeSystem, signal),
  ]);
  const uid = namespace.type === 'ok' ? namespace.value.metadata.uid : undefined;
  const gitVersion = version.type === 'ok' ? version.value['gitVersion'] : undefined;
  return {
    uid: uid ?? `server-${sha256Hex(cluster.server).slice(0, 16)}`,
    version: typeof gitVersion === 'string' ? gitVersion : '',
  };
}
