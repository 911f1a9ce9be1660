import type { Diagnostic } from '../../base/diagnostic.ts';
import { relativeTreePath, treeBasename, treeDirname } from '../../base/treePath.ts';
import { pathReferencesOf, type PathReference } from '../model/kustomizationPaths.ts';
import type { ParsedFile } from '../model/parseFile.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';
import { rangeOf } from '../model/yamlAccess.ts';
import { closestName } from '../schemas/closestName.ts';
import { problem, type Rule } from './rule.ts';

/** Files and folders that a kustomization names and that are not there, and folders that are no kustomization. */
export const missingResource: Rule = {
  codes: ['missing-resource', 'missing-kustomization', 'path-outside-workspace'],
  check(workspace, file) {
    if (file.kustomization === undefined) return [];
    return pathReferencesOf(file.path, file.kustomization).flatMap(
      (reference) => checkReference(workspace, file, reference) ?? [],
    );
  },
};

function checkReference(
  workspace: WorkspaceIndex,
  file: ParsedFile,
  { target, written, before, use, isRemote, node }: PathReference,
): Diagnostic | undefined {
  const place = { path: file.path, range: rangeOf(node) };
  if (target === undefined) {
    if (isRemote) return undefined;
    const message = `${written} leads out of this folder`;
    const hint = 'open the folder above to have it checked; kustomize in Flux cannot leave the source either';
    return problem('path-outside-workspace', 'information', place, message, hint);
  }
  const takesFolders = use === 'resource' || use === 'component' || use === 'configuration';
  if (workspace.hasFile(target)) return undefined;
  if (takesFolders && workspace.isFolder(target)) {
    if (workspace.kustomizationIn(target) !== undefined) return undefined;
    const message = `the folder ${written} has no kustomization.yaml`;
    return problem('missing-kustomization', 'error', place, message, 'add one, or list its files instead');
  }
  if (isRemote) return undefined;
  const near = closestPath(workspace, file.path, target);
  const hint = near === undefined ? undefined : `did you mean ${before}${near}?`;
  return problem('missing-resource', 'error', place, `there is no ${written} here`, hint);
}

/** A file or folder of nearly that name in the same place. */
function closestPath(workspace: WorkspaceIndex, from: string, target: string): string | undefined {
  const folder = treeDirname(target);
  const near = closestName(treeBasename(target), workspace.list(folder));
  if (near === undefined) return undefined;
  return relativeTreePath(treeDirname(from), folder === '' ? near : `${folder}/${near}`);
}
