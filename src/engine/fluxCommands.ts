import { isJsonObject } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import {
  kindNotServed,
  type Answer,
  type ClusterClient,
  type Refusal,
} from '../clients/cluster/clusterClient.ts';
import { getCondition } from '../flux/conditions.ts';
import { conditionsOf } from '../flux/statusPatch.ts';
import { formatRef, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { RunView } from '../protocol/views.ts';
import type { Clock } from '../ssa/runContext.ts';
import { recordAnnotations } from './override/overrideRecord.ts';
import { isSuspended } from './tree/syncState.ts';
import { userAtHost } from './userAtHost.ts';

/** The field manager of what a user does through Plumb: suspends, resumes, requests. */
export const plumbManager = 'plumb';
export const suspendReasonAnnotation = 'plumb.dev/suspend-reason';
export const suspendedByAnnotation = 'plumb.dev/suspended-by';
export const requestedAtAnnotation = 'reconcile.fluxcd.io/requestedAt';

/** Sets spec.suspend, with who and why in annotations for others to see. */
export async function suspendObject(
  cluster: ClusterClient,
  ref: ObjectRef,
  reason: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const annotations = { [suspendReasonAnnotation]: reason ?? null, [suspendedByAnnotation]: userAtHost() };
  const body = { metadata: { annotations }, spec: { suspend: true } };
  requireWritten(
    ref,
    'suspended',
    await cluster.patch(ref, body, { type: 'merge', fieldManager: plumbManager }, signal),
  );
}

/** Takes spec.suspend, who and why away; an override, whoever runs it, is over with that. */
export async function resumeObject(
  cluster: ClusterClient,
  ref: ObjectRef,
  signal?: AbortSignal,
): Promise<void> {
  const annotations = {
    [suspendReasonAnnotation]: null,
    [suspendedByAnnotation]: null,
    ...recordAnnotations(undefined),
  };
  const body = { metadata: { annotations }, spec: { suspend: null } };
  requireWritten(
    ref,
    'resumed',
    await cluster.patch(ref, body, { type: 'merge', fieldManager: plumbManager }, signal),
  );
}

/** Annotates the object as `flux reconcile` does and gives the token. Throws when it is suspended: nobody would act. */
export async function requestReconcile(
  cluster: ClusterClient,
  ref: ObjectRef,
  clock: Clock,
  signal?: AbortSignal,
): Promise<string> {
  const object = await readFluxObject(cluster, ref, signal);
  if (isSuspended(object)) {
    throw plumbError('ModeForbids', {
      subject: formatRef(ref),
      message: 'is suspended, so a request would not be handled',
      hint: `resume it first: plumb resume ${ref.kind.toLowerCase()} ${ref.name}`,
    });
  }
  const token = new Date(clock.now()).toISOString();
  const body = { metadata: { annotations: { [requestedAtAnnotation]: token } } };
  requireWritten(
    ref,
    'asked to reconcile',
    await cluster.patch(ref, body, { type: 'merge', fieldManager: plumbManager }, signal),
  );
  return token;
}

/** Waits on a watch until the controllers handled the token; gives how that run ended. */
export async function waitForRequest(
  cluster: ClusterClient,
  ref: ObjectRef,
  token: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<RunView> {
  const started = clock.now();
  const done = new AbortController();
  let handled: KubeObject | undefined;
  const options = {
    fieldSelector: `metadata.name=${ref.name}`,
    ...(ref.namespace !== undefined && { namespace: ref.namespace }),
  };
  const look = (object: KubeObject): void => {
    if (handledToken(object) !== token || isStillRunning(object)) return;
    handled = object;
    done.abort();
  };
  await cluster.watch(
    ref,
    options,
    (event) => {
      if (event.type === 'synced') event.objects.forEach(look);
      if (event.type === 'changed') look(event.object);
    },
    AbortSignal.any([signal, done.signal]),
  );
  signal.throwIfAborted();
  return runViewOf(handled as KubeObject, ref, clock.now() - started);
}

/** The Flux object. Throws NotFound naming it, AccessDenied with the server's words. */
export async function readFluxObject(
  cluster: ClusterClient,
  ref: ObjectRef,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const answer = await cluster.get(ref, signal);
  if (answer.type === 'ok') return answer.value;
  const { httpStatus, message } = answer.refusal;
  throw plumbError(httpStatus === 404 ? 'NotFound' : 'AccessDenied', {
    subject: formatRef(ref),
    message:
      httpStatus === 404
        ? `there is no such object in the cluster: ${message}`
        : `cannot be read: ${message}`,
    hint: httpStatus === 404 ? missingHint(answer.refusal) : 'ask for the right to get it',
  });
}

/** How the object says its last run ended. */
export function runViewOf(object: KubeObject, ref: ObjectRef, elapsedMs: number): RunView {
  const ready = getCondition(conditionsOf(object), 'Ready');
  const status = isJsonObject(object['status']) ? object['status'] : {};
  const revision =
    status['lastAppliedRevision'] ??
    (isJsonObject(status['artifact']) ? status['artifact']['revision'] : undefined);
  return {
    ref,
    ready: ready?.status === 'True',
    reason: ready?.reason ?? 'Unknown',
    message: ready?.message ?? '',
    ...(typeof revision === 'string' && { revision }),
    changeSet: [],
    elapsedMs,
  };
}

/** The last request that the object's controller has answered. */
export function handledToken(object: KubeObject): string | undefined {
  const status = object['status'];
  const value = isJsonObject(status) ? status['lastHandledReconcileAt'] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isStillRunning(object: KubeObject): boolean {
  return getCondition(conditionsOf(object), 'Ready')?.status === 'Unknown';
}

/** What the server made of a write. Throws NotFound, AccessDenied or RequestFailed, naming the object. */
export function requireWritten(ref: ObjectRef, what: string, answer: Answer): KubeObject {
  if (answer.type === 'ok') return answer.value;
  const { httpStatus, message } = answer.refusal;
  throw plumbError(httpStatus === 404 ? 'NotFound' : httpStatus === 403 ? 'AccessDenied' : 'RequestFailed', {
    subject: formatRef(ref),
    message: `cannot be ${what}: ${message}`,
    ...(httpStatus === 403 && {
      hint: `the right to patch ${ref.kind} objects in ${ref.namespace ?? 'the cluster'} is needed`,
    }),
    ...(httpStatus === 404 && { hint: missingHint(answer.refusal) }),
  });
}

function missingHint({ reason }: Refusal): string {
  return reason === kindNotServed
    ? 'Flux is not installed there, or not this part of it: plumb check shows it, plumb install or bootstrap installs it'
    : 'plumb get lists what there is; -n names another namespace';
}
