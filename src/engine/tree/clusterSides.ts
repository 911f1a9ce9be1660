import { isJsonObject } from '../../base/json.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import type { ListOptions } from '../../clients/cluster/clusterClient.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import { fluxKinds } from '../../flux/kinds.gen.ts';
import { refOfInventoryEntry } from '../../kube/inventoryId.ts';
import { computeStatus } from '../../kube/kstatus.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { SyncState, TreeView } from '../../protocol/views.ts';
import type { DriftedObjects, LookedAt } from '../drift/driftedObjects.ts';
import type { EngineCore } from '../engineCore.ts';
import { helmLabel, isSecretKind, kustomizationLabel } from '../inventoryWatches.ts';
import type { WatchStore } from '../watchStore.ts';
import { type ClusterSide, isSource, isWorkload } from './fluxNode.ts';
import { isWithin, type Reach, watchPermitted } from './permittedWatches.ts';

const noDrift: ReadonlySet<string> = new Set();

/** What the cluster says of every Flux object, or why it says nothing. */
type ClusterReading =
  | {
      readonly type: 'read';
      readonly sides: readonly ClusterSide[];
      readonly isReadable: (ref: ObjectRef) => boolean;
      readonly limitedTo?: TreeView['limitedTo'];
    }
  | { readonly type: 'none'; readonly why: string };

/** Every Flux object as far as the user may read, with the live state of what it applied. */
export async function readClusterSides(
  core: EngineCore,
  drifted: DriftedObjects,
  namespacesInFiles: () => Promise<readonly string[]>,
  signal: AbortSignal,
): Promise<ClusterReading> {
  const connection = await core.connection();
  if (connection.type === 'none') return { type: 'none', why: connection.error.message };
  const { store, session } = connection;
  try {
    // One cheap call first: an unreachable cluster must not cost fifteen watches.
    await session.identify(signal);
    const { contextNamespace = 'default' } = session.cluster;
    const flux = await watchFluxKinds(core, store, async () => [
      contextNamespace,
      ...(await namespacesInFiles()),
    ]);
    const objects = fluxKinds
      .flatMap((kind) => store.list(kind))
      .filter((object) => isSource(refOf(object)) || isWorkload(refOf(object)));
    const sides = objects.map((object) => ({ object, inventory: inventoryEntriesOf(object) }));
    const applied = await watchInventories(
      store,
      sides.flatMap(({ inventory }) => inventory),
    );
    if (core.config.schedule === 'continuous') drifted.review(lookedAt(store, sides));
    const limitedTo = limitsOf(flux);
    return {
      type: 'read',
      sides: sides.map((side) => {
        const found = drifted.of(refOf(side.object)) ?? noDrift;
        return {
          ...side,
          liveStates: liveStatesOf(store, applied, side.inventory, found),
          driftedObjects: found.size,
        };
      }),
      isReadable: (ref) => isWithin(flux.get(kindKey(ref)), ref),
      ...(limitedTo !== undefined && { limitedTo }),
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

/** How far each kind may be read, by group and kind. */
type Reaches = ReadonlyMap<string, Reach>;

const notReadable = { state: 'unknown', message: 'may not be read' } as const;

function kindKey({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): string {
  return `${group}/${kind}`;
}

async function watchFluxKinds(
  core: EngineCore,
  store: WatchStore,
  likely: () => Promise<readonly string[]>,
): Promise<Reaches> {
  const { namespace } = core.config;
  const options = namespace === undefined ? {} : { namespace };
  return watchEach(store, fluxKinds, (kind) => ({ kind, options, namespaces: likely }));
}

/** One watch per kind and label, not one per object; Secrets as metadata only. */
async function watchInventories(store: WatchStore, refs: readonly ObjectRef[]): Promise<Reaches> {
  const byKind = Map.groupBy(refs, kindKey);
  const wanted = [...byKind.values()].flatMap((ofKind) =>
    [kustomizationLabel, helmLabel].map((labelSelector) => ({ ofKind, labelSelector })),
  );
  return watchEach(store, wanted, ({ ofKind, labelSelector }) => {
    const [{ group, version, kind }] = ofKind as [ObjectRef];
    return {
      kind: { group, version, kind },
      options: { labelSelector, ...(isSecretKind({ group, kind }) && { metadataOnly: true }) },
      namespaces: () => Promise.resolve(ofKind.flatMap(({ namespace }) => namespace ?? [])),
    };
  });
}

async function watchEach<T>(
  store: WatchStore,
  wanted: readonly T[],
  watchOf: (item: T) => {
    readonly kind: Pick<ObjectRef, 'group' | 'version' | 'kind'>;
    readonly options: ListOptions;
    readonly namespaces: () => Promise<readonly string[]>;
  },
): Promise<Reaches> {
  const entries = wanted.map(async (item) => {
    const { kind, options, namespaces } = watchOf(item);
    return [kindKey(kind), await watchPermitted(store, kind, options, namespaces)] as const;
  });
  return new Map(await Promise.all(entries));
}

/** What is said once for all Flux kinds: where they could be read, and the first refusal. */
function limitsOf(reaches: Reaches): TreeView['limitedTo'] {
  const limited = [...reaches.values()].filter((reach) => reach.type === 'some');
  // The kind that matters most speaks for all.
  const own = reaches.get(kindKey({ group: kustomizeGroup, kind: 'Kustomization' }));
  const first = own?.type === 'some' ? own : limited[0];
  if (first === undefined) return undefined;
  const namespaces = new Set(limited.flatMap((reach) => [...reach.namespaces]));
  return { namespaces: [...namespaces].sort(), because: first.refusal.message };
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
  reaches: Reaches,
  refs: readonly ObjectRef[],
  drifted: ReadonlySet<string>,
): ClusterSide['liveStates'] {
  const states = new Map<string, { readonly state: SyncState; readonly message?: string }>();
  for (const ref of refs) {
    const object = store.get(ref);
    if (object === undefined) {
      if (!isWithin(reaches.get(kindKey(ref)), ref)) states.set(refKey(ref), notReadable);
      continue;
    }
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
