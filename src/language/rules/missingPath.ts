import type { Diagnostic } from '../../base/diagnostic.ts';
import { joinTreePath, treeBasename, treeDirname } from '../../base/treePath.ts';
import type { WrittenObject } from '../model/parseFile.ts';
import { referencesOf } from '../model/references.ts';
import { findSourceFolder, sourcePathOf } from '../model/sourcePath.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';
import { rangeOf } from '../model/yamlAccess.ts';
import { closestName } from '../schemas/closestName.ts';
import { problem, type Rule } from './rule.ts';

/** Paths of Kustomizations and charts that are not in the repository they come from, where that is this workspace. */
export const missingPath: Rule = {
  codes: ['missing-path'],
  check(workspace, file) {
    if (workspace.isPart(file.path)) return [];
    return file.objects.flatMap((object) => checkObject(workspace, object) ?? []);
  },
};

function checkObject(workspace: WorkspaceIndex, object: WrittenObject): Diagnostic | undefined {
  const path = sourcePathOf(object);
  if (path === undefined || findSourceFolder(workspace, object.path, path) !== undefined) return undefined;
  const root = rootOfSource(workspace, object);
  if (root === undefined) return undefined;
  const { written, inSource, node } = path;
  const place = { path: object.path, range: rangeOf(node) };
  if (inSource === undefined) {
    return problem('missing-path', 'error', place, `${written} leads out of the source`);
  }
  const target = joinTreePath(root, inSource) ?? inSource;
  if (workspace.isFolder(target)) return undefined;
  if (workspace.hasFile(target)) {
    if (object.kind === 'HelmRelease') return undefined;
    const hint = `use ${parentOf(written)}: a path names a folder`;
    return problem('missing-path', 'error', place, `${written} is a file, not a folder`, hint);
  }
  const folder = treeDirname(target);
  const near = closestName(treeBasename(target), workspace.list(folder));
  const parent = treeDirname(inSource);
  const hint =
    near === undefined ? undefined : `did you mean ./${parent === '' ? near : `${parent}/${near}`}?`;
  return problem('missing-path', 'error', place, `there is no folder ${written} in this workspace`, hint);
}

/**
 * The folder of the workspace that holds the object's source. Nothing in the files says so for certain: it is taken for true of a
 * folder around the object's file, and a source from which another object in it takes a path that is there, as the one does that
 * bootstrap makes.
 */
function rootOfSource(workspace: WorkspaceIndex, object: WrittenObject): string | undefined {
  const source = sourceKeyOf(object);
  if (source === undefined || !source.startsWith('GitRepository/')) return undefined;
  let root: string | undefined;
  for (const file of workspace.files()) {
    if (workspace.isPart(file.path)) continue;
    for (const other of file.objects) {
      if (other === object || sourceKeyOf(other) !== source) continue;
      const found = rootOf(workspace, other);
      const isAround = found === '' || (found !== undefined && object.path.startsWith(`${found}/`));
      if (isAround && (root === undefined || found.length > root.length)) root = found;
    }
  }
  return root;
}

/** The source's root, by an object whose path is there. */
function rootOf(workspace: WorkspaceIndex, object: WrittenObject): string | undefined {
  const path = sourcePathOf(object);
  if (path?.inSource === undefined || path.inSource === '') return undefined;
  const found = findSourceFolder(workspace, object.path, path);
  return found?.slice(0, found.length - path.inSource.length).replace(/\/$/, '');
}

function sourceKeyOf(object: WrittenObject): string | undefined {
  const reference = referencesOf(object).find(({ role }) => role === 'source');
  return reference === undefined ? undefined : `${reference.kind}/${reference.name}`;
}

function parentOf(written: string): string {
  return treeDirname(written) === '' ? './' : treeDirname(written);
}
