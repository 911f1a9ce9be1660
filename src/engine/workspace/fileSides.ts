import type { Diagnostic } from '../../base/diagnostic.ts';
import type { EngineCore } from '../engineCore.ts';
import type { FileSide } from '../tree/fluxNode.ts';
import { workspaceObjects } from './workspaceObjects.ts';

/** What the workspace's files say of every Flux object, open documents included. */
export async function readFileSides(
  core: EngineCore,
  signal: AbortSignal,
): Promise<{ readonly sides: readonly FileSide[]; readonly diagnostics: readonly Diagnostic[] }> {
  const snapshots = await core.workspace.edited(signal);
  const read = snapshots.map(workspaceObjects);
  const sides = read.flatMap(({ objects }) =>
    objects.map(({ object, origin, snapshot }): FileSide => ({
      object,
      location: { ...origin, folder: snapshot.root },
    })),
  );
  return { sides, diagnostics: read.flatMap(({ diagnostics }) => diagnostics) };
}
