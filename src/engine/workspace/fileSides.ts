import type { Diagnostic } from '../../base/diagnostic.ts';
import { isJsonObject } from '../../base/json.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import { joinTreePath } from '../../base/treePath.ts';
import { prepareOverlay } from '../../controllers/kustomize/overlay.ts';
import type { KustomizationSpec } from '../../flux/api/kustomize.gen.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import { type KubeObject, refOf } from '../../kube/object.ts';
import type { BuildCache } from '../../lib/kustomize/buildCache.ts';
import { buildKustomization } from '../../lib/kustomize/buildKustomization.ts';
import type { EngineCore } from '../engineCore.ts';
import type { FileSide } from '../tree/fluxNode.ts';
import type { FolderSnapshot } from './workspace.ts';
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
      ...builtOf(core.builds, object, snapshot),
    })),
  );
  return { sides, diagnostics: read.flatMap(({ diagnostics }) => diagnostics) };
}

/** What a Kustomization builds from its own repository; nothing for a path that is not there: another repository's, most likely. */
function builtOf(
  cache: BuildCache,
  object: KubeObject,
  { files, root }: FolderSnapshot,
): Pick<FileSide, 'built' | 'buildMessage'> {
  const spec = object['spec'];
  if (refOf(object).group !== kustomizeGroup || !isJsonObject(spec)) return {};
  const path = joinTreePath('', typeof spec['path'] === 'string' ? spec['path'].replace(/^\/+/, '') : '');
  if (path === undefined || !files.isFolder(path)) return {};
  try {
    const overlay = prepareOverlay(files, path, spec as unknown as KustomizationSpec);
    const { objects, diagnostics } = buildKustomization(overlay.files, path, {
      cache,
      rootChanges: overlay.rootChanges,
    });
    const problem = diagnostics.find(({ severity }) => severity === 'error');
    if (problem !== undefined) {
      return { buildMessage: `${problem.path}:${problem.range.start.line + 1}: ${problem.message}` };
    }
    const built = objects.map(({ object: applied, origins }) => {
      const origin = origins.at('');
      return { ref: refOf(applied), ...(origin !== undefined && { location: { ...origin, folder: root } }) };
    });
    return { built };
  } catch (error) {
    if (!isPlumbError(error)) throw error;
    return { buildMessage: error.message };
  }
}
