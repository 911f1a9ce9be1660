import * as vscode from 'vscode';
import { asPlumbError } from '../base/plumbError.ts';
import { announceEnds } from './announcements.ts';
import { Bindings } from './bindings.ts';
import { registerCommands } from './commands/commands.ts';
import { readEngineConfig, readEngineEnvironment } from './config.ts';
import { brokerCredentials } from './credentials.ts';
import { showDiagnostics } from './diagnostics.ts';
import { syncDocuments } from './documents.ts';
import { showDriftDecorations } from './drift/driftDecorations.ts';
import { registerDriftProviders } from './drift/driftProviders.ts';
import { followDrift } from './drift/driftStore.ts';
import { provideEncryptedFiles } from './encryptedFiles.ts';
import { showEncryptedMenus } from './encryptedMenus.ts';
import { createEngineClient, type EngineClient, type RpcModule } from './engineClient.ts';
import type { LanguageClientModule } from './languageClient.ts';
import { createLog, type Log } from './log.ts';
import { clusterMessage, type EngineState } from './model/statusText.ts';
import { sourceEntries, workloadEntries } from './model/treeEntries.ts';
import { providePlanContent } from './planContent.ts';
import { ReconcileOnSave } from './reconcileOnSave.ts';
import { showStatusBar } from './statusBar.ts';
import { refreshShown, showFluxTree } from './views/fluxTree.ts';
import { troubleBadge } from './model/badge.ts';
import { followEngine, type WorkspaceState } from './workspaceState.ts';

/** Settings that only the engine's process is given: changing one starts it anew. */
const engineSettings = [
  'plumb.kubeconfig',
  'plumb.context',
  'plumb.namespace',
  'plumb.sources',
  'plumb.gitPath',
  'plumb.requireSopsMac',
  'plumb.useOwnCloudLogin',
  'http.proxy',
  'http.noProxy',
  'http.proxySupport',
];

/** Opens everything Plumb shows. The engine runs in trusted workspaces only: kubeconfigs may name programs to run. */
export function startUi(context: vscode.ExtensionContext): vscode.Disposable {
  const log = createLog();
  let state: EngineState = offState();
  const onStateChange = (next: EngineState): void => {
    state = next;
    statusBar.update(next);
    void vscode.commands.executeCommand('setContext', 'plumb.engine', next.type);
  };
  const bindings = new Bindings(context.workspaceState);
  const credentials = brokerCredentials(context.secrets);
  const engine = createEngineClient({
    modulePath: context.asAbsolutePath('dist/engine.mjs'),
    loadRpc: () => loadBundle<RpcModule>(context, 'rpc'),
    config: () => readEngineConfig(bindings.current),
    env: readEngineEnvironment,
    log,
    credentials,
    onStateChange,
  });
  engine.setLogThreshold(log.threshold);
  const workspaceState = followEngine(engine, log);
  const statusBar = showStatusBar(workspaceState, state);
  const plans = providePlanContent();
  const ui = { engine, state: workspaceState, plans, log };
  const encryptedFiles = provideEncryptedFiles(engine, log);
  const onSave = new ReconcileOnSave(ui, context.workspaceState);
  const opened: vscode.Disposable[] = [
    log,
    statusBar,
    plans,
    workspaceState,
    engine.onEvent((event) => {
      if (event.type === 'log') log.write(event.entry);
    }),
    log.onDidChangeThreshold((threshold) => engine.setLogThreshold(threshold)),
    announceEnds(engine),
    bindings.follow(workspaceState, () => engine.restart()),
    showFluxTree({
      viewId: 'plumb.workloads',
      state: workspaceState,
      entries: ({ workloads }, warnings) => workloadEntries(workloads, warnings),
      badge: ({ workloads }) => troubleBadge(workloads),
      message: clusterMessage,
    }),
    showFluxTree({
      viewId: 'plumb.sources',
      state: workspaceState,
      entries: ({ sources }, warnings) => sourceEntries(sources, warnings),
    }),
    onSave,
    encryptedFiles,
    registerCommands({
      ...ui,
      bindings,
      credentials,
      encryptedFiles,
      onSave,
      memory: context.workspaceState,
    }),
    // The last thing to end: it finishes the object it has in hand.
    { dispose: () => void engine.dispose() },
  ];
  const languageServer = loadLanguageClient(context, log);
  opened.push({ dispose: () => void languageServer.then((client) => client?.dispose()) });
  const run = (): void => {
    opened.push(...runEngine(engine, workspaceState, bindings, log));
  };
  if (vscode.workspace.isTrusted) run();
  else opened.push(vscode.workspace.onDidGrantWorkspaceTrust(run));
  return { dispose: () => vscode.Disposable.from(...opened.reverse()).dispose() };
}

function runEngine(
  engine: EngineClient,
  state: WorkspaceState,
  bindings: Bindings,
  log: Log,
): vscode.Disposable[] {
  const start = (work: () => Promise<void>): void => {
    work().catch((error: unknown) => {
      const { message, hint } = asPlumbError(error);
      log.error('the trees could not be read', { message, ...(hint !== undefined && { hint }) });
    });
  };
  start(() => refreshShown(state));
  const drift = followDrift(engine, log);
  return [
    syncDocuments(engine),
    showDiagnostics(engine),
    drift,
    showDriftDecorations(drift),
    registerDriftProviders(drift),
    showEncryptedMenus(engine, log),
    state.onDidChange(() => {
      const isEmpty = state.tree?.workloads.length === 0 && state.tree.sources.length === 0;
      void vscode.commands.executeCommand('setContext', 'plumb.isEmpty', isEmpty);
      void vscode.commands.executeCommand(
        'setContext',
        'plumb.hasCluster',
        state.status?.cluster !== undefined,
      );
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (!engineSettings.some((name) => event.affectsConfiguration(name))) return;
      start(async () => {
        if (event.affectsConfiguration('plumb.context')) await bindings.forget();
        await engine.restart();
        await refreshShown(state);
      });
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() =>
      start(async () => {
        await engine.restart();
        await refreshShown(state);
      }),
    ),
  ];
}

/** A bundle beside this one. All are CommonJS, where the editor puts its API: an import() would take another loader. */
function loadBundle<T>(context: vscode.ExtensionContext, name: string): T {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(context.asAbsolutePath(`dist/${name}.cjs`)) as T;
}

/** After activation: the size of its bundle would make every start of the window slower. */
async function loadLanguageClient(
  context: vscode.ExtensionContext,
  log: Log,
): Promise<vscode.Disposable | undefined> {
  try {
    await new Promise(setImmediate);
    const { startLanguageClient } = loadBundle<LanguageClientModule>(context, 'languageClient');
    const modulePath = context.asAbsolutePath('dist/languageServer.mjs');
    return await startLanguageClient({ modulePath, env: process.env, channel: log.channel });
  } catch (error) {
    log.error('the language server did not start', { message: asPlumbError(error).message });
    return undefined;
  }
}

function offState(): EngineState {
  return vscode.workspace.isTrusted
    ? { type: 'starting' }
    : { type: 'off', why: 'this workspace is not trusted: only its manifests are validated' };
}
