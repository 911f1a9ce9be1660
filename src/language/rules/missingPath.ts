import type { Diagnostic } from '../../base/diagnostic.ts';
import { joinTreePath, treeBasename, treeDirname } from '../../base/treePath.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import type { WrittenObject } from '../model/parseFile.ts';
import { referencesOf } from '../model/references.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';
import { nodeAt, rangeOf, textAt } from '../model/yamlAccess.ts';
import { closestName } from '../schemas/closestName.ts';
import { problem, type Rule } from './rule.ts';

/** A path within a source that a Flux object names. */
export interface SourcePath {
  readonly node: YamlNode;
  readonly written: string;
  /** The path from the source's root; undefined when it leaves it. */
  readonly target: string | undefined;
}

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
  if (path === undefined || (path.target !== undefined && workspace.isFolder(path.target))) return undefined;
  if (!isFromHere(workspace, object)) return undefined;
  const { written, target, node } = path;
  const place = { path: object.path, range: rangeOf(node) };
  if (target === undefined) {
    return problem('missing-path', 'error', place, `${written} leads out of the source`);
  }
  if (workspace.hasFile(target)) {
    const hint = `use ${parentOf(written)}: a path names a folder`;
    return problem('missing-path', 'error', place, `${written} is a file, not a folder`, hint);
  }
  const folder = treeDirname(target);
  const near = closestName(treeBasename(target), workspace.list(folder));
  const hint =
    near === undefined ? undefined : `did you mean ./${folder === '' ? near : `${folder}/${near}`}?`;
  return problem('missing-path', 'error', place, `there is no folder ${written} in this workspace`, hint);
}

/** The path that a Kustomization applies or a HelmRelease takes its chart from; undefined when there is none, or one to be substituted. */
export function sourcePathOf(object: WrittenObject): SourcePath | undefined {
  const field = pathField(object);
  const node = field === undefined ? undefined : nodeAt(object.node, field);
  const written = field === undefined ? undefined : textAt(object.node, field);
  if (node === undefined || written === undefined || written === '' || written.includes('${'))
    return undefined;
  // Flux joins the path below the source's root, so a leading slash changes nothing.
  return { node, written, target: joinTreePath('', written.replace(/^\/+/, '')) };
}

function pathField({ group, kind, node }: WrittenObject): readonly string[] | undefined {
  if (group === 'kustomize.toolkit.fluxcd.io' && kind === 'Kustomization') return ['spec', 'path'];
  if (group !== 'helm.toolkit.fluxcd.io' || kind !== 'HelmRelease') return undefined;
  const source = textAt(node, ['spec', 'chart', 'spec', 'sourceRef', 'kind']);
  return source === 'GitRepository' || source === 'Bucket' ? ['spec', 'chart', 'spec', 'chart'] : undefined;
}

/**
 * Whether the object's source is this workspace. Nothing in the files says so for certain; it is taken for true of the source
 * that bootstrap made, and of one from which another object takes a path that is here.
 */
function isFromHere(workspace: WorkspaceIndex, object: WrittenObject): boolean {
  const source = sourceKeyOf(object);
  if (source === undefined || !source.startsWith('GitRepository/')) return false;
  if (source.endsWith('/flux-system')) return true;
  for (const file of workspace.files()) {
    for (const other of file.objects) {
      if (other === object || sourceKeyOf(other) !== source) continue;
      const target = sourcePathOf(other)?.target;
      if (target !== undefined && target !== '' && workspace.isFolder(target)) return true;
    }
  }
  return false;
}

function sourceKeyOf(object: WrittenObject): string | undefined {
  const reference = referencesOf(object).find(({ role }) => role === 'source');
  return reference === undefined ? undefined : `${reference.kind}/${reference.name}`;
}

function parentOf(written: string): string {
  return treeDirname(written) === '' ? './' : treeDirname(written);
}
