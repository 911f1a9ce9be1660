import type { Logger } from '../base/logger.ts';
import { refOf } from '../kube/object.ts';
import type { Engine, EngineConfig } from '../protocol/engine.ts';
import { createBootstrapApi } from './bootstrapApi.ts';
import { listInOrder, reconcileAll } from './bulk.ts';
import { createDownApi } from './down/downApi.ts';
import { completeDependencies, EngineCore, type EngineDependencies } from './engineCore.ts';
import { findClusters } from './findClusters.ts';
import { resumeObject, suspendObject } from './fluxCommands.ts';
import { listEvents } from './look/listEvents.ts';
import { traceObject } from './look/traceObject.ts';
import { createSopsApi } from './sops/sopsApi.ts';
import { readTree } from './tree/readTree.ts';
import { statusOf } from './tree/statusView.ts';
import { isSuspended } from './tree/syncState.ts';
import { Workloads } from './workloads.ts';

/**
 * The engine behind editor, CLI and tests. Connects to the cluster at the first call that needs it, writes nothing unless a
 * call says so, and gives back its Leases on `dispose`.
 */
export function createEngine(
  config: EngineConfig,
  given: Partial<EngineDependencies> & { readonly log: Logger },
): Promise<Engine> {
  const core = new EngineCore(config, completeDependencies(config, given));
  const workloads = new Workloads(core);
  const signalOf = (options: { readonly signal?: AbortSignal } | undefined): AbortSignal =>
    options?.signal === undefined
      ? core.closing.signal
      : AbortSignal.any([options.signal, core.closing.signal]);

  const engine: Engine = {
    contexts: () => core.contexts(),
    findClusters: (contexts, options) => findClusters(core, contexts, signalOf(options)),
    status: (options) => statusOf(core, signalOf(options), workloads.running(), workloads.drifted),
    tree: (options) => readTree(core, signalOf(options), workloads.drifted),
    render: (ref, options) => workloads.render(ref, signalOf(options)),
    buildFolder: (ref, query, options) => workloads.buildFolder(ref, query, signalOf(options)),
    plan: (ref, from, options) => workloads.plan(ref, from, signalOf(options)),
    apply: (planId, options) => workloads.apply(planId, signalOf(options)),
    prune: (planId, options) => workloads.prune(planId, signalOf(options)),
    reconcile: (ref, withSource, options) => workloads.reconcile(ref, withSource, signalOf(options)),
    ...createBootstrapApi(core, {
      reconcile: (ref, withSource, options) => engine.reconcile(ref, withSource, options),
      setMode: (mode, options) => engine.setMode(mode, options),
    }),
    ...createSopsApi(signalOf),
    ...createDownApi(core, { setMode: (mode, options) => engine.setMode(mode, options) }),
    async reconcileAll(query, withSource, options) {
      const signal = signalOf(options);
      const { session } = await core.connected();
      const objects = await listInOrder(session.cluster, query, signal);
      return reconcileAll(objects, withSource, (ref) => workloads.reconcile(ref, false, signal), signal);
    },
    async objects(query, options) {
      const { session } = await core.connected();
      const objects = await listInOrder(session.cluster, query, signalOf(options));
      return objects.map((object) => ({ ref: refOf(object), suspended: isSuspended(object) }));
    },
    async suspend(ref, reason, options) {
      const { session } = await core.connected();
      await session.requireBound(signalOf(options));
      await suspendObject(session.cluster, ref, reason, signalOf(options));
    },
    async resume(ref, options) {
      const { session } = await core.connected();
      await session.requireBound(signalOf(options));
      await resumeObject(session.cluster, ref, signalOf(options));
    },
    revertAtOnce: (ref, options) => workloads.revertAtOnce(ref, signalOf(options)),
    revertAtInterval: (ref) => Promise.resolve(workloads.revertAtInterval(ref)),
    planOverride: (ref, options) => workloads.planOverride(ref, signalOf(options)),
    startOverride: (planId, reach, options) => workloads.startOverride(planId, reach, signalOf(options)),
    endOverride: (ref, options) => workloads.endOverride(ref, signalOf(options)),
    async setMode(mode, options) {
      await workloads.setMode(mode, signalOf(options));
      return statusOf(core, signalOf(options), workloads.running(), workloads.drifted);
    },
    drift: (uri, options) => workloads.drift(uri, signalOf(options)),
    trace: (query, options) => traceObject(core, workloads.drifted, query, signalOf(options)),
    events: (query, options) => listEvents(core, query, signalOf(options)),
    documents: {
      open: (document) => core.workspace.openDocument(document),
      change: (document) => {
        core.workspace.openDocument(document);
        core.emit({ type: 'treeChanged' });
      },
      close: (uri) => {
        core.workspace.closeDocument(uri);
        core.emit({ type: 'treeChanged' });
      },
    },
    workspaceChanged: (paths) => {
      core.workspace.filesChanged(paths);
      core.emit({ type: 'treeChanged' });
      core.emit({ type: 'driftChanged' });
    },
    onEvent: (listener) => core.listen(listener),
    async dispose() {
      await workloads.close();
      await core.close();
    },
  };
  return Promise.resolve(engine);
}
