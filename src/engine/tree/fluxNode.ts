import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { getCondition } from '../../flux/conditions.ts';
import { fluxKinds } from '../../flux/kinds.gen.ts';
import { dependenciesOf, sourceRefOf } from '../../flux/references.ts';
import { conditionsOf } from '../../flux/statusPatch.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { FluxNode, InventoryNode, SourceLocation, SyncState } from '../../protocol/views.ts';
import { suspendedByAnnotation, suspendReasonAnnotation } from '../fluxCommands.ts';
import { overrideRecordOf } from '../override/overrideRecord.ts';
import { isSuspended, stateOfFluxObject } from './syncState.ts';

/** What the files say of a Flux object: itself, where it stands, and what it would apply (workloads). */
export interface FileSide {
  readonly object: KubeObject;
  readonly location: SourceLocation;
  /** The built objects, or undefined when it was not built (another repository, an error). */
  readonly built?: readonly { readonly ref: ObjectRef; readonly location?: SourceLocation }[];
  readonly buildMessage?: string;
}

/** What the cluster says of it: itself, what it recorded as applied, and what is known of those objects. */
export interface ClusterSide {
  readonly object: KubeObject;
  readonly inventory: readonly ObjectRef[];
  readonly liveStates: ReadonlyMap<string, { readonly state: SyncState; readonly message?: string }>;
  readonly driftedObjects?: number;
}

const sourceKinds: ReadonlySet<string> = new Set([
  'GitRepository',
  'OCIRepository',
  'HelmRepository',
  'HelmChart',
  'Bucket',
  'ExternalArtifact',
  'ArtifactGenerator',
]);
const workloadKinds: ReadonlySet<string> = new Set(['Kustomization', 'HelmRelease']);
const fluxGroups: ReadonlySet<string> = new Set(fluxKinds.map(({ group }) => group));

/** Tells whether the object is a Flux source. */
export function isSource(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return fluxGroups.has(ref.group) && sourceKinds.has(ref.kind);
}

/** Tells whether the object is a Kustomization or HelmRelease of Flux. */
export function isWorkload(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return fluxGroups.has(ref.group) && workloadKinds.has(ref.kind);
}

/** One tree node from both sides; `clusterKnown` is false when there is no cluster to ask. */
export function fluxNode(
  file: FileSide | undefined,
  cluster: ClusterSide | undefined,
  clusterKnown: boolean,
): FluxNode {
  const object = (cluster ?? file)?.object as KubeObject;
  const spec = specOf(object);
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const conditions = cluster === undefined ? [] : conditionsOf(cluster.object);
  const ready = getCondition(conditions, 'Ready');
  // While it runs, Ready says only that it does; Reconciling says what it is at.
  const running = ready?.status === 'Unknown' ? getCondition(conditions, 'Reconciling') : undefined;
  const drifted = cluster?.driftedObjects ?? 0;
  const ownState = cluster === undefined ? 'unknown' : stateOfFluxObject(cluster.object);
  const message = running?.message ?? ready?.message ?? file?.buildMessage;
  const annotations = object.metadata.annotations ?? {};
  const parentLabels = object.metadata.labels ?? {};
  const revision = revisionOf(status);
  return {
    ref: refOf(object),
    presence: !clusterKnown
      ? 'unknown'
      : file === undefined
        ? 'onlyInCluster'
        : cluster === undefined
          ? 'onlyInGit'
          : 'both',
    state: drifted > 0 && (ownState === 'ready' || ownState === 'suspended') ? 'drifted' : ownState,
    ...(ready !== undefined && { reason: ready.reason }),
    ...(message !== undefined && { message }),
    ...(revision !== undefined && { revision }),
    suspended: isSuspended(object),
    ...optional('suspendReason', annotations[suspendReasonAnnotation]),
    ...optional('suspendedBy', annotations[suspendedByAnnotation]),
    ...optional('overriddenBy', overrideRecordOf(object)?.by),
    ...(drifted > 0 && { driftedObjects: drifted }),
    dependsOn: dependenciesOf(object).map(({ ref }) => ref),
    ...optional('sourceRef', sourceRefOf(object)),
    ...optional('parent', parentOf(parentLabels)),
    ...optional('url', textAt(spec, 'url')),
    ...optional('path', textAt(spec, 'path')),
    ...optional('lastHandledReconcileAt', textAt(status, 'lastHandledReconcileAt')),
    ...optional('location', file?.location),
    inventory: inventoryNodes(file, cluster, clusterKnown),
  };
}

function inventoryNodes(
  file: FileSide | undefined,
  cluster: ClusterSide | undefined,
  clusterKnown: boolean,
): readonly InventoryNode[] {
  const recorded = new Map((cluster?.inventory ?? []).map((ref) => [refKey(ref), ref]));
  const built = new Map((file?.built ?? []).map((entry) => [refKey(entry.ref), entry]));
  const isBuilt = file?.built !== undefined;
  return [...new Set([...recorded.keys(), ...built.keys()])].map((key) => {
    const inCluster = recorded.get(key);
    const inGit = built.get(key);
    const live = cluster?.liveStates.get(key);
    const missing = inCluster !== undefined && live === undefined && cluster?.liveStates.size !== 0;
    const message =
      live?.message ?? (missing ? 'recorded in the inventory, but not in the cluster' : undefined);
    return {
      ref: (inCluster ?? inGit?.ref) as ObjectRef,
      presence: !clusterKnown
        ? 'unknown'
        : inCluster === undefined
          ? 'onlyInGit'
          : inGit === undefined && isBuilt
            ? 'onlyInCluster'
            : 'both',
      state: live?.state ?? (missing ? 'failed' : 'unknown'),
      ...(message !== undefined && { message }),
      ...optional('location', inGit?.location),
    };
  });
}

function revisionOf(status: JsonObject): string | undefined {
  const artifact = status['artifact'];
  return (
    textAt(status, 'lastAppliedRevision') ??
    (isJsonObject(artifact) ? textAt(artifact, 'revision') : undefined)
  );
}

function parentOf(labels: Readonly<Record<string, string>>): ObjectRef | undefined {
  const name = labels['kustomize.toolkit.fluxcd.io/name'];
  const namespace = labels['kustomize.toolkit.fluxcd.io/namespace'];
  if (name === undefined || namespace === undefined) return undefined;
  return { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', namespace, name };
}

function specOf(object: JsonObject): JsonObject {
  return isJsonObject(object['spec']) ? object['spec'] : {};
}

function textAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}
