import type { TreeView } from '../../protocol/views.ts';
import { unlessAborted } from '../../base/unlessAborted.ts';
import type { DriftedObjects } from '../drift/driftedObjects.ts';
import type { EngineCore } from '../engineCore.ts';
import { readFileSides } from '../workspace/fileSides.ts';
import { readClusterSides } from './clusterSides.ts';
import { treeView } from './treeView.ts';

/** The union of the workspace's files and the cluster; the files alone when there is no cluster or it cannot be reached. */
export async function readTree(
  core: EngineCore,
  signal: AbortSignal,
  drifted: DriftedObjects,
): Promise<TreeView> {
  const files = readFileSides(core, signal);
  const namespacesInFiles = async (): Promise<readonly string[]> =>
    (await files).sides.flatMap(({ object }) => object.metadata.namespace ?? []);
  const [{ sides, diagnostics }, cluster] = await Promise.all([
    files,
    unlessAborted(readClusterSides(core, drifted, namespacesInFiles, signal), signal),
  ]);
  if (cluster.type === 'none')
    return treeView({ files: sides, cluster: undefined, diagnostics, filesAloneBecause: cluster.why });
  const { isReadable, limitedTo } = cluster;
  return treeView({
    files: sides,
    cluster: cluster.sides,
    diagnostics,
    isReadable,
    ...(limitedTo !== undefined && { limitedTo }),
  });
}
