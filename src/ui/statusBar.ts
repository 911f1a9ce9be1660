import * as vscode from 'vscode';
import { statusText, type EngineState, type StatusLevel } from './model/statusText.ts';
import { tooltip } from './views/fluxTree.ts';
import type { WorkspaceState } from './workspaceState.ts';

export interface StatusBar {
  update(engine: EngineState): void;
  dispose(): void;
}

const backgrounds: Readonly<Record<StatusLevel, string | undefined>> = {
  normal: undefined,
  warning: 'statusBarItem.warningBackground',
  error: 'statusBarItem.errorBackground',
};

/** One item: what the window's cluster is like. A click shows the workloads, or restarts a stopped engine. */
export function showStatusBar(state: WorkspaceState, first: EngineState): StatusBar {
  const item = vscode.window.createStatusBarItem('plumb.status', vscode.StatusBarAlignment.Left, 50);
  item.name = 'Plumb';
  let engine = first;
  const paint = (): void => {
    const { text, tooltip: rows, level } = statusText(engine, state.status);
    const background = backgrounds[level];
    item.text = text;
    item.tooltip = tooltip(rows);
    item.backgroundColor = background === undefined ? undefined : new vscode.ThemeColor(background);
    item.command = engine.type === 'failed' ? 'plumb.restartEngine' : 'plumb.workloads.focus';
  };
  const subscription = state.onDidChange(paint);
  paint();
  item.show();
  return {
    update: (next) => {
      engine = next;
      paint();
    },
    dispose: () => {
      subscription.dispose();
      item.dispose();
    },
  };
}
