import * as vscode from 'vscode';
import { isPlumbError } from '../base/plumbError.ts';
import type { Logger } from '../base/logger.ts';
import { refKey } from '../kube/object.ts';
import type { Engine } from '../protocol/engine.ts';
import type { StatusView, TreeView } from '../protocol/views.ts';

const burstMs = 120;

/** The engine's last word on trees and status, asked for again when it says that something changed. */
export interface WorkspaceState {
  readonly tree: TreeView | undefined;
  readonly status: StatusView | undefined;
  /** What the last run of each object warned of, by refKey. */
  readonly warnings: ReadonlyMap<string, readonly string[]>;
  readonly onDidChange: vscode.Event<void>;
  /** Asks the engine now; bursts of calls share a question. */
  refresh(): Promise<void>;
  dispose(): void;
}

/** Follows the engine's events. Asks for the first time when `refresh` is called. */
export function followEngine(engine: Engine, log: Logger): WorkspaceState {
  const changed = new vscode.EventEmitter<void>();
  let tree: TreeView | undefined;
  let status: StatusView | undefined;
  const warnings = new Map<string, readonly string[]>();
  let timer: NodeJS.Timeout | undefined;
  let asking: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const ask = (): Promise<void> => {
    asking = Promise.all([engine.tree(), engine.status()])
      .then((answers) => {
        [tree, status] = answers;
        changed.fire();
      })
      .finally(() => (asking = undefined));
    return asking;
  };
  // Done with the first answer to a question that was asked after the call: events that keep coming must not hold it up.
  const refresh = (): Promise<void> => {
    if (asking === undefined && next === undefined) return ask();
    // Whoever asked before learns of that failure.
    next ??= (asking ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return ask();
      });
    return next;
  };
  const refreshSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      refresh().catch((error: unknown) => {
        if (!isPlumbError(error, 'EngineStopped')) log.error('trees not refreshed', { error: String(error) });
      });
    }, burstMs);
  };

  const subscription = engine.onEvent((event) => {
    switch (event.type) {
      case 'treeChanged':
      case 'objectsChanged':
      case 'modeChanged':
      case 'overrideEnded':
      case 'revertStopped':
      case 'stageStarted':
        refreshSoon();
        break;
      case 'runFinished':
        warnings.set(refKey(event.run.ref), event.run.warnings ?? []);
        refreshSoon();
        break;
      case 'stageFinished':
      case 'diagnosticsChanged':
      case 'driftChanged':
      case 'log':
      case 'bootstrapProgress':
        break;
    }
  });
  return {
    get tree() {
      return tree;
    },
    get status() {
      return status;
    },
    warnings,
    onDidChange: changed.event,
    refresh,
    dispose: () => {
      clearTimeout(timer);
      subscription.dispose();
      changed.dispose();
    },
  };
}
