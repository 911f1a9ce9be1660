import { joinTreePath, treeDirname } from '../../base/treePath.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import type { WrittenObject } from './parseFile.ts';
import type { WorkspaceIndex } from './workspaceIndex.ts';
import { nodeAt, textAt } from './yamlAccess.ts';

/** A path within a source that a Flux object names. */
export interface SourcePath {
  readonly node: YamlNode;
  readonly written: string;
  /** The path from the source's root; undefined when it leaves it. */
  readonly inSource: string | undefined;
}

const known = new WeakMap<WrittenObject, SourcePath | undefined>();

/** The path that a Kustomization applies or a HelmRelease takes its chart from; undefined when there is none, or one to be substituted. */
export function sourcePathOf(object: WrittenObject): SourcePath | undefined {
  if (!known.has(object)) known.set(object, readSourcePath(object));
  return known.get(object);
}

function readSourcePath(object: WrittenObject): SourcePath | undefined {
  const field = pathField(object);
  const node = field === undefined ? undefined : nodeAt(object.node, field);
  const written = field === undefined ? undefined : textAt(object.node, field);
  if (node === undefined || written === undefined || written === '' || written.includes('${'))
    return undefined;
  // Flux joins the path below the source's root, so a leading slash changes nothing.
  return { node, written, inSource: joinTreePath('', written.replace(/^\/+/, '')) };
}

/**
 * The folder of the workspace that a path in a source leads to; undefined when there is none.
 * The source's root is usually the workspace's. Where a repository lies deeper, it is a folder around the object's file.
 */
export function findSourceFolder(
  workspace: WorkspaceIndex,
  objectPath: string,
  { inSource }: SourcePath,
): string | undefined {
  if (inSource === undefined) return undefined;
  const around = [];
  for (let folder = treeDirname(objectPath); folder !== ''; folder = treeDirname(folder))
    around.unshift(folder);
  for (const root of ['', ...around]) {
    const target = joinTreePath(root, inSource);
    if (target !== undefined && workspace.isFolder(target)) return target;
  }
  return undefined;
}

function pathField({ group, kind, node }: WrittenObject): readonly string[] | undefined {
  if (group === 'kustomize.toolkit.fluxcd.io' && kind === 'Kustomization') return ['spec', 'path'];
  if (group !== 'helm.toolkit.fluxcd.io' || kind !== 'HelmRelease') return undefined;
  const source = textAt(node, ['spec', 'chart', 'spec', 'sourceRef', 'kind']);
  return source === 'GitRepository' || source === 'Bucket' ? ['spec', 'chart', 'spec', 'chart'] : undefined;
}
