import { mapLimit } from '../../base/mapLimit.ts';
import { plumbError } from '../../base/plumbError.ts';
import { refusedError } from '../../bootstrap/refusedError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { controllerOfKind } from '../../flux/controllerNames.ts';
import { fluxFinalizer } from '../../flux/finalizer.ts';
import { fluxKinds } from '../../flux/kinds.gen.ts';
import { inventoryOf } from '../../flux/kustomization.ts';
import { formatRef, type KubeObject, refOf } from '../../kube/object.ts';
import type { DownPlan } from '../../protocol/down.ts';
import type { ClusterSession } from '../clusterSession.ts';
import { pauseAnnotation, pausedInstances } from '../leases/fluxInstance.ts';
import { type Installation, leaseRef } from '../leases/installation.ts';
import type { LeaseTarget } from '../leases/leaseNames.ts';
import { occupied, plumbHolderPrefix } from '../leases/liveness.ts';
import { isLive, overrideRecordOf } from '../override/overrideRecord.ts';

const concurrency = 8;

/** What leaving local mode does; see DownPlan. */
export type DownDraft = Omit<DownPlan, 'id' | 'cluster'>;

/**
 * Finds what a Plumb in local mode left, or will leave, that nobody looks after: Leases, overrides, finalizers. Finalizers of
 * a controller that is installed stay for it. Read-only. Throws ModeForbids while somebody else reconciles.
 */
export async function planDown(session: ClusterSession, signal: AbortSignal): Promise<DownDraft> {
  const { cluster, context, mode } = session;
  const installation = await session.installation(signal);
  requireNobodyElse(context, installation);
  const objects = await listFluxObjects(session, signal);
  const installed = installation.targets.filter(({ deployment }) => deployment !== undefined);
  const hasController = new Set(installed.map(({ controller }) => controller));
  const stranded = objects.filter(({ apiVersion, kind, metadata }) => {
    const controller = controllerOfKind(apiVersion.split('/')[0] ?? '', kind);
    const isSet = metadata.finalizers?.includes(fluxFinalizer) === true;
    return isSet && (controller === undefined || !hasController.has(controller));
  });
  const held = mode === 'local' ? installation.targets : installation.abandoned;
  return {
    leases: held.map(leaseRef),
    overrides: objects.flatMap((object) => abandonedOverride(session, object)),
    finalizers: stranded.map(refOf),
    vanishing: stranded
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map((object) => ({
        ref: refOf(object),
        objects: inventoryOf(object as unknown as Kustomization).length,
      })),
    notes: notesOf(
      installed,
      (await pausedInstances(cluster, signal)).map((instance) => formatRef(refOf(instance))),
      objects.length,
    ),
  };
}

function requireNobodyElse(context: string, { live }: Installation): void {
  const [first] = live;
  if (first === undefined) return;
  if (live.some(({ unread }) => unread !== undefined)) throw occupied(context, live);
  const isPlumb = first.holder.startsWith(plumbHolderPrefix);
  throw plumbError('ModeForbids', {
    message: isPlumb
      ? `another Plumb reconciles ${context}: ${first.why}`
      : `Flux reconciles ${context}, so there is no local mode to leave: ${first.why}`,
    hint: isPlumb
      ? 'end it where it runs: Ctrl-C, close the window, or switch it to observe mode; then run this again'
      : 'its controllers run the finalizers; plumb uninstall takes Flux away',
  });
}

async function listFluxObjects(session: ClusterSession, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const lists = await mapLimit(
    fluxKinds,
    concurrency,
    async (kind) => {
      const answer = await session.cluster.list(kind, {}, signal);
      if (answer.type === 'ok') return answer.value;
      if (answer.refusal.httpStatus === 404) return [];
      throw refusedError({ ...kind, name: '*' }, 'list', answer.refusal);
    },
    signal,
  );
  return lists.flat();
}

/** An override that nobody keeps; one that is at work elsewhere stands in the way. */
function abandonedOverride(
  { cluster, identity }: ClusterSession,
  object: KubeObject,
): DownDraft['overrides'] {
  const record = overrideRecordOf(object);
  if (record === undefined) return [];
  const ref = refOf(object);
  const { by, since, where } = record;
  if (where === identity || !isLive(record, cluster.serverTime()?.getTime() ?? Date.now()))
    return [{ ref, by, since }];
  throw plumbError('ModeForbids', {
    subject: formatRef(ref),
    message: `is overridden by ${by} since ${since}`,
    hint: 'end the override there, then run this again',
  });
}

function notesOf(
  installed: readonly LeaseTarget[],
  paused: readonly string[],
  objects: number,
): readonly string[] {
  const stays =
    objects === 0
      ? 'Workloads stay as they are.'
      : `Workloads stay as they are, and so do ${objects} Flux objects with their status, and their definitions; plumb uninstall takes Flux away.`;
  const controllers = installed.map(({ namespace, deployment }) => `${namespace}/${deployment?.name ?? ''}`);
  return [
    stays,
    ...(controllers.length > 0
      ? [
          `Flux goes on once its controllers are scaled up again: ${controllers.join(', ')}. Their finalizers stay for them.`,
        ]
      : [
          'Nobody reconciles after this: a Flux object that is deleted leaves what it applied. Local mode puts the finalizers back.',
        ]),
    ...paused.map(
      (name) => `${name} is paused: take its annotation ${pauseAnnotation} away to let its operator go on.`,
    ),
  ];
}
