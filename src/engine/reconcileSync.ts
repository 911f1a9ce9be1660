import { plumbError } from '../base/plumbError.ts';
import { getCondition } from '../flux/conditions.ts';
import { conditionsOf } from '../flux/statusPatch.ts';
import { syncRefs } from '../bootstrap/syncManifests.ts';
import { formatRef, type ObjectRef } from '../kube/object.ts';
import type { BootstrapOptions } from '../protocol/bootstrap.ts';
import type { Engine } from '../protocol/engine.ts';
import type { RunView } from '../protocol/views.ts';
import type { RunContext } from '../ssa/runContext.ts';
import type { ClusterSession } from './clusterSession.ts';

export interface SyncRun {
  readonly ctx: RunContext;
  readonly session: ClusterSession;
  readonly options: BootstrapOptions;
  /** The commit that must be applied in the end. */
  readonly head: string;
  readonly engine: Pick<Engine, 'reconcile' | 'setMode'>;
  /** The key the repository must let in, for the remedy. */
  readonly publicKey?: string;
}

/**
 * Reconciles what a bootstrap applied and waits for it: through the controllers in the cluster or another Plumb, or, where
 * nobody reconciles, as the controller in local mode. Throws what stands in the way, with the remedy.
 */
export async function reconcileSync(
  run: SyncRun,
): Promise<{ readonly run: RunView; readonly revision: string }> {
  const { ctx, session, options, head } = run;
  const { kustomization, source } = syncRefs(options.namespace);
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  const revision = `${options.branch}@sha1:${head}`;
  try {
    if (session.mode !== 'local' && (await session.installation(signal)).reconciler === 'none')
      await run.engine.setMode('local', { signal });
    const view = await run.engine.reconcile(kustomization, true, { signal });
    if (view.ready) return { run: view, revision: view.revision ?? revision };
    throw await failureOf(run, source, kustomization, view);
  } catch (error) {
    if (!deadline.aborted || ctx.signal.aborted) throw error;
    throw plumbError('HealthCheckFailed', {
      subject: formatRef(kustomization),
      message: `did not apply ${revision} within ${options.timeoutMs / 1000} s`,
      hint: 'everything is committed and applied; plumb get shows what it waits for, and plumb bootstrap may be run again',
      cause: error,
    });
  }
}

/** The source's failure where it is the cause, else the Kustomization's. */
async function failureOf(
  { ctx, options, publicKey }: SyncRun,
  source: ObjectRef,
  kustomization: ObjectRef,
  view: RunView,
): Promise<Error> {
  const answer = await ctx.cluster.get(source, ctx.signal);
  const ready = answer.type === 'ok' ? getCondition(conditionsOf(answer.value), 'Ready') : undefined;
  const again = 'then run the same plumb bootstrap again: it goes on where it stopped';
  if (ready?.status === 'False') {
    const isLogin = /auth|permission|denied|credential|key/i.test(`${ready.reason} ${ready.message}`);
    return plumbError('ArtifactFailed', {
      subject: formatRef(source),
      message: `${ready.reason}: ${ready.message}`,
      hint:
        isLogin && publicKey !== undefined
          ? `add this deploy key to the repository (read access), ${again}: ${publicKey}`
          : `correct the access to ${urlOf(options)} in Secret ${options.namespace}/${options.secretName}, ${again}`,
    });
  }
  return plumbError('ReconciliationFailed', {
    subject: formatRef(kustomization),
    message: `${view.reason}: ${view.message}`,
    hint: `correct the manifests in Git, ${again}`,
  });
}

function urlOf({ url }: BootstrapOptions): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'the repository' : parsed.host + parsed.pathname;
}
