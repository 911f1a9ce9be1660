import * as vscode from 'vscode';
import type { Logger } from '../../base/logger.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import type { Engine } from '../../protocol/engine.ts';
import type { EngineEvent } from '../../protocol/events.ts';
import type { DriftView } from '../../protocol/views.ts';
import { isManifest } from '../documents.ts';

/** After the last keystroke; the engine is given the text before that. */
const pauseMs = 200;

const clusterEvents: ReadonlySet<EngineEvent['type']> = new Set([
  'modeChanged',
  'objectsChanged',
  'runFinished',
]);

/** The drift of the documents that can be seen, as the engine last gave it. */
export interface DriftStore {
  /** Undefined when it is not known for the text as it is now. */
  of(document: vscode.TextDocument): DriftView | undefined;
  /** Fires with the document's URI. */
  readonly onDidChange: vscode.Event<vscode.Uri>;
  dispose(): void;
}

/** Asks the engine for drift when a document is shown or changed, and when the cluster changed. */
export function followDrift(engine: Engine, log: Logger): DriftStore {
  const views = new Map<string, DriftView>();
  const waiting = new Map<string, NodeJS.Timeout>();
  const asking = new Map<string, AbortController>();
  /** Documents for which the cluster changed while they were asked for. */
  const again = new Set<string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();

  const ask = async (document: vscode.TextDocument): Promise<void> => {
    const key = document.uri.toString();
    asking.get(key)?.abort();
    const controller = new AbortController();
    asking.set(key, controller);
    try {
      const view = await engine.drift(key, { signal: controller.signal });
      if (controller.signal.aborted || view.version !== document.version) return;
      views.set(key, view);
      changed.fire(document.uri);
    } catch (error) {
      if (!isPlumbError(error, 'Cancelled') && !isPlumbError(error, 'EngineStopped'))
        log.debug('drift of a document is not known', { uri: key, error: String(error) });
    } finally {
      if (asking.get(key) === controller) {
        asking.delete(key);
        if (again.delete(key)) askSoon(document);
      }
    }
  };
  const askSoon = (document: vscode.TextDocument, delayMs = pauseMs): void => {
    if (!isManifest(document)) return;
    const key = document.uri.toString();
    clearTimeout(waiting.get(key));
    waiting.set(
      key,
      setTimeout(() => {
        waiting.delete(key);
        void ask(document);
      }, delayMs),
    );
  };
  const askVisible = (uri?: string): void => {
    for (const { document } of vscode.window.visibleTextEditors)
      if (uri === undefined || document.uri.toString() === uri) askSoon(document);
  };

  // A cluster that keeps changing must not hold up the answer: a question on its way is answered first, then asked again.
  const askAfterChange = (): void => {
    for (const { document } of vscode.window.visibleTextEditors) {
      const key = document.uri.toString();
      if (asking.has(key)) again.add(key);
      else if (!waiting.has(key)) askSoon(document);
    }
  };

  askVisible();
  const subscriptions = vscode.Disposable.from(
    changed,
    vscode.window.onDidChangeVisibleTextEditors(() => askVisible()),
    vscode.workspace.onDidChangeTextDocument(({ document }) => askSoon(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => void views.delete(uri.toString())),
    engine.onEvent((event) => {
      if (event.type === 'driftChanged') askVisible(event.uri);
      else if (clusterEvents.has(event.type)) askAfterChange();
    }),
  );
  return {
    of: (document) => {
      const view = views.get(document.uri.toString());
      return view?.version === document.version ? view : undefined;
    },
    onDidChange: changed.event,
    dispose: () => {
      waiting.forEach(clearTimeout);
      asking.forEach((controller) => controller.abort());
      subscriptions.dispose();
    },
  };
}
