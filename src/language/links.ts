import type { Origin, Position, Range } from '../base/position.ts';
import { pathReferencesOf } from './model/kustomizationPaths.ts';
import type { ParsedFile, WrittenObject } from './model/parseFile.ts';
import { referencesOf } from './model/references.ts';
import { findSourceFolder, sourcePathOf } from './model/sourcePath.ts';
import type { WorkspaceIndex } from './model/workspaceIndex.ts';
import { nodeAt, rangeOf } from './model/yamlAccess.ts';

/** A place in a file that leads to another file. */
export interface FileLink {
  readonly range: Range;
  readonly target: string;
}

const fileStart: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** Where what is named at a position is defined: objects for references, files for paths. */
export function definitionsAt(workspace: WorkspaceIndex, file: ParsedFile, position: Position): Origin[] {
  for (const link of linksIn(workspace, file)) {
    if (covers(link.range, position)) return [{ path: link.target, range: fileStart }];
  }
  for (const reference of file.objects.flatMap(referencesOf)) {
    if (!covers(rangeOf(reference.nameNode), position)) continue;
    const nearest = workspace.nearestTarget(reference);
    const others = [...workspace.targetsOf(reference)].filter((target) => target !== nearest);
    return (nearest === undefined ? others : [nearest, ...others]).map(placeOfName);
  }
  return [];
}

/** Every path in a file that leads to a file of the workspace. A folder leads to its kustomization, or to its first manifest. */
export function linksIn(workspace: WorkspaceIndex, file: ParsedFile): FileLink[] {
  if (file.kustomization !== undefined) {
    return pathReferencesOf(file.path, file.kustomization).flatMap(({ node, target }) =>
      linkTo(workspace, rangeOf(node), target),
    );
  }
  return file.objects.flatMap((object) => {
    const path = sourcePathOf(object);
    if (path === undefined) return [];
    return linkTo(workspace, rangeOf(path.node), findSourceFolder(workspace, object.path, path));
  });
}

function linkTo(workspace: WorkspaceIndex, range: Range, target: string | undefined): FileLink[] {
  const found = target === undefined ? undefined : fileFor(workspace, target);
  return found === undefined ? [] : [{ range, target: found }];
}

function fileFor(workspace: WorkspaceIndex, target: string): string | undefined {
  if (workspace.hasFile(target)) return target;
  if (!workspace.isFolder(target)) return undefined;
  const kustomization = workspace.kustomizationIn(target);
  if (kustomization !== undefined) return kustomization.path;
  const prefix = target === '' ? '' : `${target}/`;
  const manifests = [...workspace.files()].filter(
    ({ path, objects }) => path.startsWith(prefix) && objects.length > 0,
  );
  return manifests.map(({ path }) => path).sort()[0];
}

function placeOfName(object: WrittenObject): Origin {
  const name = nodeAt(object.node, ['metadata', 'name']) ?? object.node;
  return { path: object.path, range: rangeOf(name) };
}

function covers({ start, end }: Range, { line, character }: Position): boolean {
  const isBefore = line < start.line || (line === start.line && character < start.character);
  return !isBefore && (line < end.line || (line === end.line && character <= end.character));
}
