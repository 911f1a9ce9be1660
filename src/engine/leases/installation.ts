import type { ClusterClient } from '../../clients/cluster/clusterClient.ts';
import type { ObjectRef } from '../../kube/object.ts';
import { defaultInstallNamespace, type LeaseTarget, leaseTargets } from './leaseNames.ts';
import {
  isAbandoned,
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
const deploymentKind = { group: 'apps', version: 'v1', kind: 'Deployment' };

/** Names the Lease of a target. */
export function leaseRef(target: LeaseTarget): ObjectRef {
  return {
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    namespace: target.namespace,
    name: target.leaseName,
  };
}

/** Reads the controllers' Deployments and all Leases of the installation. Read-only; what cannot be read counts as live. */
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
  const readings = await Promise.all(targets.map((target) => readLease(cluster, target, signal)));
  const now = cluster.serverTime()?.getTime() ?? Date.now();
  const live = targets.flatMap(
    (target, index) => liveReconciler(target, readings[index] as LeaseReading, now) ?? [],
  );
  const others = live.filter(({ holder }) => ownIdentity === undefined || holder !== ownIdentity);
  return {
    targets,
    live: others,
    abandoned: targets.filter((target, index) =>
      isAbandoned(readings[index] as LeaseReading, now, ownIdentity),
    ),
    reconciler: inNamespace.type === 'refused' ? 'unknown' : reconcilerOf(others),
  };
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

async function readLease(
  cluster: ClusterClient,
  target: LeaseTarget,
  signal?: AbortSignal,
): Promise<LeaseReading> {
  const answer = await cluster.get(leaseRef(target), signal);
  if (answer.type === 'ok') return { type: 'found', lease: answer.value };
  if (answer.refusal.httpStatus === 404) return { type: 'absent' };
  return { type: 'unreadable', why: answer.refusal.reason };
}

function reconcilerOf(live: readonly LiveReconciler[]): Installation['reconciler'] {
  if (live.length === 0) return 'none';
  if (live.some(({ holder }) => holder === '')) return 'unknown';
  return live.some(({ holder }) => holder.startsWith(plumbHolderPrefix)) ? 'otherPlumb' : 'flux';
}
