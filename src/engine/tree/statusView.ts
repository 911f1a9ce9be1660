import type { ObjectRef } from '../../kube/object.ts';
import type { StatusView, SyncState } from '../../protocol/views.ts';
import type { DriftedObjects } from '../drift/driftedObjects.ts';
import type { EngineCore } from '../engineCore.ts';
import { readTree } from './readTree.ts';

/** Folders, the cluster and how many objects are in which state. Never throws for a cluster that cannot be reached. */
export async function statusOf(
  core: EngineCore,
  signal: AbortSignal,
  running: readonly ObjectRef[],
  drifted: DriftedObjects,
): Promise<StatusView> {
  const connection = await core.connection();
  const tree = await readTree(core, signal, drifted);
  const counts: Record<SyncState, number> = {
    failed: 0,
    drifted: 0,
    progressing: 0,
    waiting: 0,
    suspended: 0,
    ready: 0,
    unknown: 0,
  };
  for (const { state } of [...tree.sources, ...tree.workloads]) counts[state]++;
  return {
    folders: core.config.folders,
    ...(connection.type === 'connected'
      ? { cluster: await connection.session.view(signal) }
      : { noClusterBecause: connection.error.message }),
    counts,
    running,
  };
}
