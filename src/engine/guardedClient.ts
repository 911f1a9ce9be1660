import type { Answer, ClusterClient } from '../clients/cluster/clusterClient.ts';
import { type ObjectRef, refOf } from '../kube/object.ts';

/** The right to write, as long as it lasts. */
export interface WritePermit {
  /** Throws when this engine may not write: no Leases, or no longer. */
  require(): void;
  /** Does the write and takes note of what the server answered. */
  own(ref: ObjectRef, write: () => Promise<Answer>): Promise<Answer>;
}

/** The same right on another cluster, whose objects are not those the permit keeps account of. */
export function elsewhere(permit: WritePermit): WritePermit {
  return { require: () => permit.require(), own: (_, write) => write() };
}

/**
 * The client of a run: reads and dry-runs go through, every write first asks the permit. Impersonated clients made from it are
 * guarded alike.
 */
export function guardedClient(cluster: ClusterClient, permit: WritePermit): ClusterClient {
  // An async function: what the permit throws becomes the rejection of the call.
  const guard = async (ref: ObjectRef, write: () => Promise<Answer>): Promise<Answer> => {
    permit.require();
    return permit.own(ref, write);
  };
  return {
    ...bound(cluster),
    apply: (object, options, signal) =>
      options.dryRun
        ? cluster.apply(object, options, signal)
        : guard(refOf(object), () => cluster.apply(object, options, signal)),
    create: (object, options, signal) => guard(refOf(object), () => cluster.create(object, options, signal)),
    patch: (ref, body, options, signal) =>
      options.dryRun === true
        ? cluster.patch(ref, body, options, signal)
        : guard(ref, () => cluster.patch(ref, body, options, signal)),
    delete: (ref, options, signal) => guard(ref, () => cluster.delete(ref, options, signal)),
    impersonate: (user) => guardedClient(cluster.impersonate(user), permit),
  };
}

function bound(cluster: ClusterClient): ClusterClient {
  return {
    server: cluster.server,
    identity: cluster.identity,
    servedKinds: () => cluster.servedKinds(),
    discover: (groupVersion, options) => cluster.discover(groupVersion, options),
    servedInGroup: (group, options) => cluster.servedInGroup(group, options),
    servedKind: (ref) => cluster.servedKind(ref),
    get: (ref, signal) => cluster.get(ref, signal),
    list: (kind, options, signal) => cluster.list(kind, options, signal),
    apply: (object, options, signal) => cluster.apply(object, options, signal),
    create: (object, options, signal) => cluster.create(object, options, signal),
    patch: (ref, body, options, signal) => cluster.patch(ref, body, options, signal),
    delete: (ref, options, signal) => cluster.delete(ref, options, signal),
    watch: (kind, options, onEvent, signal) => cluster.watch(kind, options, onEvent, signal),
    raw: (path, signal) => cluster.raw(path, signal),
    rawText: (...args) => cluster.rawText(...args),
    serviceAccountToken: (...args) => cluster.serviceAccountToken(...args),
    impersonate: (user) => cluster.impersonate(user),
    serverTime: () => cluster.serverTime(),
    close: () => cluster.close(),
  };
}
