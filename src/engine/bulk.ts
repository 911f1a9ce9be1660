import { mapLimit } from '../base/mapLimit.ts';
import { plumbError } from '../base/plumbError.ts';
import type { ClusterClient } from '../clients/cluster/clusterClient.ts';
import { dependenciesOf, sourceRefOf } from '../flux/references.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import type { ObjectsQuery, RunView } from '../protocol/views.ts';
import { isSuspended } from './tree/syncState.ts';
import { inOrder } from './triggers.ts';

/** Runs at once: in observe mode each is a watch of its own. */
const concurrency = 16;

/** The Flux objects of a kind, dependencies before their dependents. Throws NotFound or AccessDenied with the server's words. */
export async function listInOrder(
  cluster: ClusterClient,
  { namespace, ...kind }: ObjectsQuery,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const answer = await cluster.list(kind, namespace === undefined ? {} : { namespace }, signal);
  if (answer.type === 'ok') return inOrder(answer.value);
  const { httpStatus, message } = answer.refusal;
  throw plumbError(httpStatus === 404 ? 'NotFound' : 'AccessDenied', {
    subject: namespace === undefined ? kind.kind : `${kind.kind} in ${namespace}`,
    message: `cannot be listed: ${message}`,
    hint:
      httpStatus === 404
        ? 'Flux is not installed there, or not this part of it: plumb check shows it'
        : 'ask for the right to list them, or name one object',
  });
}

/**
 * Reconciles every object of the query that is not suspended, in dependency order. With sources, each source goes first, once;
 * one whose source could not be fetched ends with that.
 */
export async function reconcileAll(
  objects: readonly KubeObject[],
  withSource: boolean,
  reconcile: (ref: ObjectRef) => Promise<RunView>,
  signal: AbortSignal,
): Promise<readonly RunView[]> {
  const awake = objects.filter((object) => !isSuspended(object));
  const sources = new Map<string, ObjectRef>();
  for (const object of withSource ? awake : []) {
    const source = sourceRefOf(object);
    if (source !== undefined) sources.set(refKey(source), source);
  }
  const fetched = await mapLimit([...sources.values()], concurrency, reconcile, signal);
  const failed = new Map(fetched.filter(({ ready }) => !ready).map((run) => [refKey(run.ref), run]));
  const run = async (object: KubeObject): Promise<RunView> => {
    const source = sourceRefOf(object);
    const failure = source === undefined ? undefined : failed.get(refKey(source));
    if (failure === undefined) return reconcile(refOf(object));
    return { ...failure, ref: refOf(object), message: `${formatRef(failure.ref)}: ${failure.message}` };
  };
  return runInOrder(awake, run, signal);
}

/**
 * Runs something for every object, each after those of them that it depends on have ended; the results in the order of the
 * objects. What depends on itself in a circle is not waited for.
 */
export async function runInOrder<T>(
  objects: readonly KubeObject[],
  run: (object: KubeObject) => Promise<T>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const ordered = inOrder(objects);
  const ranks = new Map<string, number>();
  for (const object of ordered) {
    const before = dependenciesOf(object).map(({ ref }) => ranks.get(refKey(ref)) ?? -1);
    ranks.set(refKey(refOf(object)), Math.max(-1, ...before) + 1);
  }
  const results = new Map<KubeObject, T>();
  for (const rank of new Set([...ranks.values()].sort((left, right) => left - right)))
    await mapLimit(
      ordered.filter((object) => ranks.get(refKey(refOf(object))) === rank),
      concurrency,
      async (object) => results.set(object, await run(object)),
      signal,
    );
  return objects.map((object) => results.get(object) as T);
}
