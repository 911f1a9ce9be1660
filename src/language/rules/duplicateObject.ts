import type { Diagnostic } from '../../base/diagnostic.ts';
import { formatRef } from '../../kube/object.ts';
import { pathReferencesOf } from '../model/kustomizationPaths.ts';
import type { ParsedFile, WrittenObject } from '../model/parseFile.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';
import { headRangeOf, nodeAt, rangeOf } from '../model/yamlAccess.ts';
import { problem, type Rule } from './rule.ts';

/** The same object twice in one build, which kustomize refuses: in one file, or in two files of one kustomization. */
export const duplicateObject: Rule = {
  codes: ['duplicate-object'],
  check(workspace, file) {
    if (workspace.isPart(file.path) || file.objects.length === 0) return [];
    const others = neighboursOf(workspace, file).flatMap((neighbour) => neighbour.objects);
    const before = new Map(others.map((object) => [keyOf(object), object]));
    return file.objects.flatMap((object) => {
      if (object.name === undefined || object.name.includes('${')) return [];
      const first = before.get(keyOf(object));
      before.set(keyOf(object), first ?? object);
      return first === undefined ? [] : [describe(object, first)];
    });
  },
};

/** The files that some kustomization lists besides this one. */
function neighboursOf(workspace: WorkspaceIndex, file: ParsedFile): ParsedFile[] {
  if (!workspace.usesOf(file.path).has('resource')) return [];
  const neighbours = new Set<ParsedFile>();
  for (const user of workspace.usersOf(file.path)) {
    if (user.kustomization === undefined) continue;
    for (const { use, target } of pathReferencesOf(user.path, user.kustomization)) {
      const neighbour = target === undefined ? undefined : workspace.file(target);
      if (use === 'resource' && neighbour !== undefined && neighbour !== file) neighbours.add(neighbour);
    }
  }
  return [...neighbours];
}

function describe(object: WrittenObject, first: WrittenObject): Diagnostic {
  const { kind, name = '', namespace, path, node } = object;
  const ref = formatRef({ kind, name, ...(namespace !== undefined && { namespace }) });
  const nameNode = nodeAt(node, ['metadata', 'name']);
  const range = nameNode === undefined ? headRangeOf(node) : rangeOf(nameNode);
  const place = first.path === path ? `at line ${rangeOf(first.node).start.line + 1}` : `in ${first.path}`;
  const message = `${ref} is defined twice: also ${place}`;
  return problem('duplicate-object', 'error', { path, range }, message, 'keep one of the two, or rename it');
}

function keyOf({ group, kind, namespace, name }: WrittenObject): string {
  return JSON.stringify([group, kind, namespace ?? '', name]);
}
