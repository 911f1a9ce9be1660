import * as vscode from 'vscode';
import { formatRef } from '../kube/object.ts';
import type { Engine } from '../protocol/engine.ts';
import type { EngineEvent } from '../protocol/events.ts';

/** Says what the engine stopped by itself: local mode, or an override. Nobody must go on in the belief that it still runs. */
export function announceEnds(engine: Engine): { dispose(): void } {
  return engine.onEvent((event) => {
    if (event.type === 'overrideEnded')
      void vscode.window.showWarningMessage(
        `Plumb no longer overrides ${formatRef(event.ref)}: ${event.why}. Nothing more was written.`,
      );
    if (event.type === 'revertStopped') void offerRevert(engine, event);
    if (event.type === 'modeChanged' && event.cluster.mode === 'observe')
      void vscode.window.showWarningMessage(
        `Plumb no longer reconciles ${event.cluster.context}: ${event.why}. Nothing more was written.`,
      );
  });
}

/** Somebody changes the object again each time: the user decides who is right. */
async function offerRevert(
  engine: Engine,
  { ref, object, manager }: Extract<EngineEvent, { readonly type: 'revertStopped' }>,
): Promise<void> {
  const button = 'Revert Again';
  const who = manager === 'unknown' ? 'Somebody' : manager;
  const answer = await vscode.window.showWarningMessage(
    `${who} keeps changing ${formatRef(object)}. Plumb reverted it three times in ten minutes and now leaves it to the interval of ${formatRef(ref)}.`,
    button,
  );
  if (answer === button) await engine.revertAtOnce(ref);
}
