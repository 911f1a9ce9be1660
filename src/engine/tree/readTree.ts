import { isJsonObject } from '../../base/json.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import { fluxKinds } from '../../flux/kinds.gen.ts';
import { refOfInventoryEntry } from '../../kube/inventoryId.ts';
import { computeStatus } from '../../kube/kstatus.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { SyncState, TreeView } from '../../protocol/views.ts';
import type { DriftedObjects, LookedAt } from '../drift/driftedObjects.ts';
import type { EngineCore } from '../engineCore.ts';
import type { WatchStore } from '../watchStore.ts';
import { readFileSides } from '../workspace/fileSides.ts';
import { ensureLabelled, helmLabel, kustomizationLabel } from '../inventoryWatches.ts';
import type { ClusterSide } from './fluxNode.ts';
import { isSource, isWorkload } from './fluxNode.ts';
import { treeView } from './treeView.ts';

const noDrift: ReadonlySet<string> = new Set();

/** The union of the workspace's files and the cluster; the files alone when there is no cluster or it cannot be reached. */
export async function readTree(
  core: EngineCore,
  signal: AbortSignal,
  drifted: DriftedObjects,
): Promise<TreeView> {
  const [{ sides, diagnostics }, cluster] = await Promise.all([
    readFileSides(core, signal),
    readClusterSides(core, drifted),
  ]);
  if (cluster.type === 'none')
    return treeView({ files: sides, cluster: undefined, diagnostics, filesAloneBecause: cluster.why });
  return treeView({ files: sides, cluster: cluster.sides, diagnostics });
}

/** What the cluster says of every Flux object, or why it says nothing. */
type ClusterReading =
  | { readonly type: 'read'; readonly sides: readonly ClusterSide[] }
  | { readonly type: 'none'; readonly why: string };

async function readClusterSides(core: EngineCore, drifted: DriftedObjects): Promise<ClusterReading> {
  const connection = await core.connection();
  if (connection.type === 'none') return { type: 'none', why: connection.error.message };
  const { store } = connection;
  try {
    // One cheap call first: an unreachable cluster must not cost fifteen watches.
    await connection.session.identify();
    await core.watchFlux(store);
    const objects = fluxKinds
      .flatMap((kind) => store.list(kind))
      .filter((object) => isSource(refOf(object)) || isWorkload(refOf(object)));
    const sides = objects.map((object) => ({ object, inventory: inventoryEntriesOf(object) }));
    await watchInventories(
      store,
      sides.flatMap(({ inventory }) => inventory),
    );
    if (core.config.schedule === 'continuous') drifted.review(lookedAt(store, sides));
    return {
      type: 'read',
      sides: sides.map((side) => {
        const found = drifted.of(refOf(side.object)) ?? noDrift;
        return {
          ...side,
          liveStates: liveStatesOf(store, side.inventory, found),
          driftedObjects: found.size,
        };
      }),
    };
  } catch (error) {
    if (isPlumbError(error, 'ClusterUnreachable') || isPlumbError(error, 'AuthenticationFailed')) {
      core.deps.log.debug('the cluster cannot be read', { error: error.message });
      return { type: 'none', why: error.message };
    }
    throw error;
  }
}

/** What the object's status records as applied; entries that name nothing are left out. */
export function inventoryEntriesOf(object: KubeObject): readonly ObjectRef[] {
  const status = object['status'];
  const inventory = isJsonObject(status) ? status['inventory'] : undefined;
  const entries = isJsonObject(inventory) ? inventory['entries'] : undefined;
  if (!Array.isArray(entries)) return [];
  return (entries as readonly unknown[]).flatMap((entry) => {
    if (!isJsonObject(entry) || typeof entry['id'] !== 'string' || typeof entry['v'] !== 'string') return [];
    return refOfInventoryEntry({ id: entry['id'], v: entry['v'] }) ?? [];
  });
}

/** One watch per kind and label, not one per object; Secrets as metadata only. */
async function watchInventories(store: WatchStore, refs: readonly ObjectRef[]): Promise<void> {
  const kinds = new Map(refs.map((ref) => [`${ref.group}/${ref.kind}`, ref]));
  await Promise.all(
    [...kinds.values()].flatMap((ref) =>
      [kustomizationLabel, helmLabel].map((label) => ensureLabelled(store, ref, label, undefined)),
    ),
  );
}

/** Kustomizations with what their drift depends on: their spec, the applied revision and every object they applied. */
function lookedAt(
  store: WatchStore,
  sides: readonly { readonly object: KubeObject; readonly inventory: readonly ObjectRef[] }[],
): readonly LookedAt[] {
  return sides
    .filter(({ object }) => object.kind === 'Kustomization')
    .map(({ object, inventory }) => ({
      ref: refOf(object),
      fingerprint: [
        object.metadata.generation,
        isJsonObject(object['status']) ? object['status']['lastAppliedRevision'] : '',
        ...inventory.map((ref) => store.get(ref)?.metadata.resourceVersion),
      ].join(' '),
    }));
}

function liveStatesOf(
  store: WatchStore,
  refs: readonly ObjectRef[],
  drifted: ReadonlySet<string>,
): ClusterSide['liveStates'] {
  const states = new Map<string, { readonly state: SyncState; readonly message?: string }>();
  for (const ref of refs) {
    const object = store.get(ref);
    if (object === undefined) continue;
    const live = liveStateOf(object);
    const isDrifted = drifted.has(refKey(ref)) && live.state === 'ready';
    states.set(refKey(ref), isDrifted ? { state: 'drifted' } : live);
  }
  return states;
}

function liveStateOf(object: KubeObject): { readonly state: SyncState; readonly message?: string } {
  const { status, message } = computeStatus(object);
  switch (status) {
    case 'Current':
      return { state: 'ready' };
    case 'Failed':
    case 'NotFound':
      return { state: 'failed', message };
    case 'InProgress':
    case 'Terminating':
      return { state: 'progressing', message };
    case 'Unknown':
      return { state: 'unknown', message };
  }
}
