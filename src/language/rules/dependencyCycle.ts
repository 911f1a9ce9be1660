import type { Diagnostic } from '../../base/diagnostic.ts';
import { formatRef } from '../../kube/object.ts';
import type { WrittenObject } from '../model/parseFile.ts';
import { referencesOf, type ObjectReference } from '../model/references.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';
import { rangeOf } from '../model/yamlAccess.ts';
import { problem, type Rule } from './rule.ts';

/** Kustomizations or HelmReleases that wait for each other, so that none of them is ever applied. */
export const dependencyCycle: Rule = {
  codes: ['dependency-cycle'],
  check(workspace, file) {
    if (workspace.isPart(file.path)) return [];
    return file.objects.flatMap((object) =>
      dependenciesOf(object).flatMap((dependency) => checkDependency(workspace, object, dependency) ?? []),
    );
  },
};

function checkDependency(
  workspace: WorkspaceIndex,
  object: WrittenObject,
  dependency: ObjectReference,
): Diagnostic | undefined {
  const way = wayBack(workspace, object, dependency);
  if (way === undefined) return undefined;
  const names = [object, ...way].map(({ kind, name = '', namespace }) =>
    formatRef({ kind, name, ...(namespace !== undefined && { namespace }) }),
  );
  const message =
    way.length === 1 ? `${names[0]} depends on itself` : `dependencies form a cycle: ${names.join(' → ')}`;
  const place = { path: object.path, range: rangeOf(dependency.nameNode) };
  return problem('dependency-cycle', 'error', place, message, 'remove one of the dependencies');
}

/** The objects on the shortest way from a dependency back to its object, which ends it. */
function wayBack(
  workspace: WorkspaceIndex,
  object: WrittenObject,
  dependency: ObjectReference,
): readonly WrittenObject[] | undefined {
  const start = workspace.nearestTarget(dependency);
  if (start === undefined) return undefined;
  const cameFrom = new Map<WrittenObject, WrittenObject | undefined>([[start, undefined]]);
  for (const current of cameFrom.keys()) {
    if (current === object) return wayTo(cameFrom, current);
    for (const next of dependenciesOf(current)) {
      const target = workspace.nearestTarget(next);
      if (target !== undefined && !cameFrom.has(target)) cameFrom.set(target, current);
    }
  }
  return undefined;
}

function wayTo(
  cameFrom: ReadonlyMap<WrittenObject, WrittenObject | undefined>,
  end: WrittenObject,
): WrittenObject[] {
  const way: WrittenObject[] = [];
  for (let at: WrittenObject | undefined = end; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
  return way;
}

function dependenciesOf(object: WrittenObject): readonly ObjectReference[] {
  return referencesOf(object).filter(({ role }) => role === 'dependency');
}
