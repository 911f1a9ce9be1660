import { mapLimit } from '../base/mapLimit.ts';
import { plumbError } from '../base/plumbError.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { formatRef, type ObjectRef, refKey } from '../kube/object.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { waitUntilGone } from '../ssa/waitUntilGone.ts';
import { cliFieldManager } from './applyStaged.ts';
import { planUninstall, type UninstallDraft } from './planUninstall.ts';

export interface UninstallOutcome {
  readonly deleted: readonly ObjectRef[];
  readonly failures: readonly { readonly ref: ObjectRef; readonly message: string }[];
}

const concurrency = 8;
const controllersGoneMs = 60_000;

/**
 * Deletes what was shown, best effort and in upstream's order (contract 7.4): controllers, rights, then finalizers of all
 * Flux objects, definitions, namespace. Waits until the controllers are gone, so that none of them prunes a workload.
 * Throws PlanOutdated when more would go than was shown.
 */
export async function uninstall(ctx: RunContext, approved: UninstallDraft): Promise<UninstallOutcome> {
  await requireNothingNew(ctx, approved);
  const deleted: ObjectRef[] = [];
  const failures: { ref: ObjectRef; message: string }[] = [];
  const settle = (ref: ObjectRef, answer: Answer): boolean => {
    if (answer.type === 'ok' || answer.refusal.httpStatus === 404) return true;
    failures.push({ ref, message: `${answer.refusal.reason}: ${answer.refusal.message}` });
    return false;
  };
  const remove = async (refs: readonly ObjectRef[], policy: 'Background' | 'Foreground'): Promise<void> => {
    const removeOne = async (ref: ObjectRef): Promise<void> => {
      const answer = await ctx.cluster.delete(ref, { propagationPolicy: policy }, ctx.signal);
      if (settle(ref, answer)) deleted.push(ref);
    };
    await mapLimit(refs, concurrency, removeOne, ctx.signal);
  };
  const ofKind = (...kinds: string[]): readonly ObjectRef[] =>
    approved.deletions.filter(({ kind }) => kinds.includes(kind));

  const controllers = ofKind('Deployment');
  await remove(controllers, 'Foreground');
  await waitUntilGone(ctx, controllers, controllersGoneMs);
  await remove(ofKind('Service', 'NetworkPolicy', 'ServiceAccount'), 'Background');
  await remove(ofKind('ClusterRole', 'ClusterRoleBinding'), 'Background');
  await mapLimit(
    approved.fluxObjects,
    concurrency,
    async (ref) => {
      const options = { type: 'merge', fieldManager: cliFieldManager } as const;
      settle(ref, await ctx.cluster.patch(ref, { metadata: { finalizers: null } }, options, ctx.signal));
    },
    ctx.signal,
  );
  // With a finalizer left the definition would wait for it forever.
  if (failures.length === 0) {
    await remove(ofKind('CustomResourceDefinition'), 'Background');
    await remove(ofKind('Namespace'), 'Background');
  }
  ctx.log.info('uninstalled', {
    namespace: approved.namespace,
    deleted: deleted.length,
    failures: failures.length,
  });
  return { deleted, failures };
}

async function requireNothingNew(ctx: RunContext, approved: UninstallDraft): Promise<void> {
  const keepNamespace = !approved.deletions.some(({ kind }) => kind === 'Namespace');
  const now = await planUninstall(ctx, approved.namespace, keepNamespace);
  const shown = new Set([...approved.deletions, ...approved.fluxObjects].map(refKey));
  const added = [...now.deletions, ...now.fluxObjects].find((ref) => !shown.has(refKey(ref)));
  if (added === undefined) return;
  throw plumbError('PlanOutdated', {
    subject: formatRef(added),
    message: 'came into the cluster since the preview and would be deleted too',
    hint: 'look at the new preview and approve it',
  });
}
