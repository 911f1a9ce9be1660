import type { Answer, ClusterClient } from '../../clients/cluster/clusterClient.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import { defaultInstallNamespace, type LeaseTarget, leaseTargets } from './leaseNames.ts';
import {
  isAbandoned,
  liveElsewhere,
  type LeaseReading,
  type LiveReconciler,
  liveReconciler,
  plumbHolderPrefix,
} from './liveness.ts';

/** What can be seen of a Flux installation and of who reconciles the cluster now. */
export interface Installation {
  readonly targets: readonly LeaseTarget[];
  readonly live: readonly LiveReconciler[];
  /** Those whose Lease still names a Plumb that no longer renews it. */
  readonly abandoned: readonly LeaseTarget[];
  readonly reconciler: 'flux' | 'otherPlumb' | 'none' | 'unknown';
}

const definitionRef: ObjectRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  name: 'gitrepositories.source.toolkit.fluxcd.io',
};
const leaseKind = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' };
const deploymentKind = { group: 'apps', version: 'v1', kind: 'Deployment' };

/** Names the Lease of a target. */
export function leaseRef(target: LeaseTarget): ObjectRef {
  return { ...leaseKind, namespace: target.namespace, name: target.leaseName };
}

/**
 * Reads the controllers' Deployments and all their Leases, in every namespace: those of this installation and of any other.
 * Read-only; what cannot be read counts as live.
 */
export async function readInstallation(
  cluster: ClusterClient,
  ownIdentity: string | undefined,
  signal?: AbortSignal,
): Promise<Installation> {
  const listed = await cluster.list(
    deploymentKind,
    { labelSelector: 'app.kubernetes.io/part-of=flux' },
    signal,
  );
  const refusal = listed.type === 'refused' ? listed.refusal : undefined;
  const inNamespace =
    refusal === undefined
      ? listed
      : await cluster.list(
          deploymentKind,
          { namespace: defaultInstallNamespace, labelSelector: 'app.kubernetes.io/part-of=flux' },
          signal,
        );
  const deployments = inNamespace.type === 'ok' ? inNamespace.value : [];
  const localNamespace =
    deployments.length === 0 ? await readLocalNamespace(cluster, signal) : defaultInstallNamespace;
  const targets = leaseTargets(deployments, localNamespace);
  const leases = await listLeases(cluster, signal);
  const readings = await Promise.all(targets.map((target) => readLease(cluster, leases, target, signal)));
  const now = serverTime(cluster);
  const here = targets.flatMap(
    (target, index) => liveReconciler(target, readings[index] as LeaseReading, now) ?? [],
  );
  // Where somebody is known to reconcile here, that is the answer, whatever may be read elsewhere.
  const isAnswered = leases.type === 'refused' && here.length > 0;
  const live = [...here, ...(isAnswered ? [] : elsewhere(leases, targets, now))].filter(
    ({ holder }) => ownIdentity === undefined || holder !== ownIdentity,
  );
  return {
    targets,
    live,
    abandoned: targets.filter((target, index) =>
      isAbandoned(readings[index] as LeaseReading, now, ownIdentity),
    ),
    reconciler: inNamespace.type === 'refused' ? 'unknown' : reconcilerOf(live),
  };
}

/**
 * Who reconciles through Leases of another installation in the cluster, in namespaces that are none of the targets'. Two such
 * installations share definitions and objects, so only one of them may have a reconciler. Read-only.
 */
export async function liveInOtherInstallations(
  cluster: ClusterClient,
  targets: readonly LeaseTarget[],
  signal?: AbortSignal,
): Promise<readonly LiveReconciler[]> {
  const leases = await listLeases(cluster, signal);
  return elsewhere(leases, targets, serverTime(cluster));
}

/**
 * The namespace of an installation without controllers, as its definitions say; upstream's default where they are missing
 * or cannot be read.
 */
export async function readLocalNamespace(cluster: ClusterClient, signal?: AbortSignal): Promise<string> {
  const definition = await cluster.get(definitionRef, signal);
  const labels = definition.type === 'ok' ? definition.value.metadata.labels : undefined;
  return labels?.['app.kubernetes.io/instance'] ?? defaultInstallNamespace;
}

/** The Lease from the list of all, or read by itself where that was refused. */
async function readLease(
  cluster: ClusterClient,
  leases: Answer<readonly KubeObject[]>,
  target: LeaseTarget,
  signal?: AbortSignal,
): Promise<LeaseReading> {
  if (leases.type === 'ok') {
    const lease = leases.value.find(
      ({ metadata }) => metadata.namespace === target.namespace && metadata.name === target.leaseName,
    );
    return lease === undefined ? { type: 'absent' } : { type: 'found', lease };
  }
  const answer = await cluster.get(leaseRef(target), signal);
  if (answer.type === 'ok') return { type: 'found', lease: answer.value };
  if (answer.refusal.httpStatus === 404) return { type: 'absent' };
  return { type: 'unreadable', why: answer.refusal.reason };
}

function elsewhere(
  leases: Answer<readonly KubeObject[]>,
  targets: readonly LeaseTarget[],
  now: number,
): readonly LiveReconciler[] {
  if (leases.type === 'ok') return liveElsewhere(leases.value, targets, now);
  const unread = 'Leases of other namespaces';
  return [{ holder: '', why: `${unread} cannot be read (${leases.refusal.reason})`, unread }];
}

/** Every Lease that may be a reconciler's; those of nodes are many and none. */
function listLeases(cluster: ClusterClient, signal?: AbortSignal): Promise<Answer<readonly KubeObject[]>> {
  return cluster.list(leaseKind, { fieldSelector: 'metadata.namespace!=kube-node-lease' }, signal);
}

function serverTime(cluster: ClusterClient): number {
  return cluster.serverTime()?.getTime() ?? Date.now();
}

function reconcilerOf(live: readonly LiveReconciler[]): Installation['reconciler'] {
  if (live.length === 0) return 'none';
  if (live.some(({ holder }) => holder === '')) return 'unknown';
  return live.some(({ holder }) => holder.startsWith(plumbHolderPrefix)) ? 'otherPlumb' : 'flux';
}
