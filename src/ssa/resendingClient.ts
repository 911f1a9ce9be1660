import type { JsonObject } from '../base/json.ts';
import type { Answer, ClusterClient, DeleteOptions, PatchOptions } from '../clients/cluster/clusterClient.ts';
import { isTemporaryRefusal, resend } from './resend.ts';
import type { Clock } from './runContext.ts';

/**
 * The client of a run that sends a call again, with backoff, when its answer broke or the server could not answer: reads, dry-runs,
 * server-side applies, and writes that say which state they mean, so that a second one does no harm. The caller sees a Conflict
 * where the first had got through. Nothing is sent again once the signal has aborted. Impersonated clients do the same.
 */
export function resendingClient(
  cluster: ClusterClient,
  { clock, signal: over }: { readonly clock: Clock; readonly signal: AbortSignal },
): ClusterClient {
  const until = (signal: AbortSignal | undefined) => ({
    clock,
    signal: signal === undefined || signal === over ? over : AbortSignal.any([signal, over]),
  });
  const answered = <T>(signal: AbortSignal | undefined, send: () => Promise<Answer<T>>): Promise<Answer<T>> =>
    resend(until(signal), send, isTemporaryRefusal);
  const found = <T>(send: () => Promise<T>): Promise<T> => resend(until(undefined), send, () => false);
  return {
    ...cluster,
    discover: (groupVersion, options) => found(() => cluster.discover(groupVersion, options)),
    servedInGroup: (group, options) => found(() => cluster.servedInGroup(group, options)),
    servedKind: (ref) => found(() => cluster.servedKind(ref)),
    get: (ref, signal) => answered(signal, () => cluster.get(ref, signal)),
    list: (kind, options, signal) => answered(signal, () => cluster.list(kind, options, signal)),
    raw: (path, signal) => answered(signal, () => cluster.raw(path, signal)),
    apply: (object, options, signal) =>
      resend(
        until(signal),
        () => cluster.apply(object, options, signal),
        // Forced and on no version: there is nothing it could be in conflict with for long.
        (answer) =>
          isTemporaryRefusal(answer) ||
          (object.metadata.resourceVersion === undefined && options.force && isConflict(answer)),
      ),
    patch: (ref, body, options, signal) => {
      const send = () => cluster.patch(ref, body, options, signal);
      return isRepeatable(body, options) ? answered(signal, send) : send();
    },
    delete: (ref, options, signal) => {
      const send = () => cluster.delete(ref, options, signal);
      return isExact(options) ? answered(signal, send) : send();
    },
    impersonate: (user) => resendingClient(cluster.impersonate(user), { clock, signal: over }),
  };
}

function isConflict(answer: Answer): boolean {
  return answer.type === 'refused' && answer.refusal.reason === 'Conflict';
}

/** A merge says what shall be; a JSON patch does when it begins with the version it is for. */
function isRepeatable(body: JsonObject | readonly JsonObject[], { type, dryRun }: PatchOptions): boolean {
  if (dryRun === true || type === 'merge') return true;
  return type === 'json' && Array.isArray(body) && body[0]?.['path'] === '/metadata/resourceVersion';
}

/** Of an object of that name, only the one that was looked at. */
function isExact(options: DeleteOptions | undefined): boolean {
  return options?.preconditions?.uid !== undefined;
}
