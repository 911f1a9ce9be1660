import { type PlumbError, plumbError } from '../base/plumbError.ts';
import type { Logger } from '../base/logger.ts';
import { formatRef } from '../kube/object.ts';
import type { Engine, EngineConfig } from '../protocol/engine.ts';
import { createBootstrapApi } from './bootstrapApi.ts';
import { completeDependencies, EngineCore, type EngineDependencies } from './engineCore.ts';
import { requestReconcile, resumeObject, suspendObject, waitForRequest } from './fluxCommands.ts';
import { statusOf } from './tree/statusView.ts';
import { readTree } from './tree/readTree.ts';

/**
 * The engine behind editor, CLI and tests. Connects to the cluster at the first call that needs it, writes nothing unless a
 * call says so, and gives back its Leases on `dispose`.
 */
export function createEngine(
  config: EngineConfig,
  given: Partial<EngineDependencies> & { readonly log: Logger },
): Promise<Engine> {
  const core = new EngineCore(config, completeDependencies(config, given));
  const signalOf = (options: { readonly signal?: AbortSignal } | undefined): AbortSignal =>
    options?.signal === undefined
      ? core.closing.signal
      : AbortSignal.any([options.signal, core.closing.signal]);

  const engine: Engine = {
    status: (options) => statusOf(core, signalOf(options)),
    tree: (options) => readTree(core, signalOf(options)),
    render: () => Promise.reject(notBuilt('render')),
    plan: () => Promise.reject(notBuilt('plan')),
    apply: () => Promise.reject(notBuilt('apply')),
    prune: () => Promise.reject(notBuilt('prune')),
    drift: () => Promise.reject(notBuilt('drift')),
    ...createBootstrapApi(core, (ref, withSource, options) => engine.reconcile(ref, withSource, options)),
    async reconcile(ref, withSource, options) {
      const signal = signalOf(options);
      const { session } = await core.connected();
      core.deps.log.info('asking the controllers to reconcile', { ref: formatRef(ref), withSource });
      const token = await requestReconcile(session.cluster, ref, core.deps.clock, signal);
      return waitForRequest(session.cluster, ref, token, core.deps.clock, signal);
    },
    async suspend(ref, reason, options) {
      const { session } = await core.connected();
      await suspendObject(session.cluster, ref, reason, signalOf(options));
    },
    async resume(ref, options) {
      const { session } = await core.connected();
      await resumeObject(session.cluster, ref, signalOf(options));
    },
    async setMode(mode, options) {
      const { session } = await core.connected();
      if (mode === 'local') await session.enterLocal(signalOf(options));
      else await session.leaveLocal();
      return statusOf(core, signalOf(options));
    },
    documents: {
      open: (document) => core.workspace.openDocument(document),
      change: (document) => core.workspace.openDocument(document),
      close: (uri) => core.workspace.closeDocument(uri),
    },
    workspaceChanged: (paths) => {
      core.workspace.filesChanged(paths);
      core.emit({ type: 'treeChanged' });
    },
    onEvent: (listener) => core.listen(listener),
    dispose: () => core.close(),
  };
  return Promise.resolve(engine);
}

function notBuilt(method: string): PlumbError {
  return plumbError('ModeForbids', { message: `${method} is not part of this build yet` });
}
