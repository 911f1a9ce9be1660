import * as vscode from 'vscode';
import { formatRef } from '../kube/object.ts';
import type { Engine } from '../protocol/engine.ts';

/** Says what the engine stopped by itself: local mode, or an override. Nobody must go on in the belief that it still runs. */
export function announceEnds(engine: Engine): { dispose(): void } {
  return engine.onEvent((event) => {
    if (event.type === 'overrideEnded')
      void vscode.window.showWarningMessage(
        `Plumb no longer overrides ${formatRef(event.ref)}: ${event.why}. Nothing more was written.`,
      );
    if (event.type === 'modeChanged' && event.cluster.mode === 'observe')
      void vscode.window.showWarningMessage(
        `Plumb no longer reconciles ${event.cluster.context}: ${event.why}. Nothing more was written.`,
      );
  });
}
