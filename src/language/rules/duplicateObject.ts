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
    const users = workspace.usersOf(file.path).filter(({ kustomization }) => kustomization !== undefined);
    const inFile = new Map<string, WrittenObject>();
    return file.objects.flatMap((object) => {
      if (object.name === undefined || object.name.includes('${')) return [];
      const key = keyOf(object);
      const first = inFile.get(key) ?? firstElsewhere(workspace, users, object, key);
      inFile.set(key, inFile.get(key) ?? object);
      return first === undefined ? [] : [describe(object, first)];
    });
  },
};

/** The same object in another file that one of the kustomizations lists. */
function firstElsewhere(
  workspace: WorkspaceIndex,
  users: readonly ParsedFile[],
  object: WrittenObject,
  key: string,
): WrittenObject | undefined {
  for (const user of users) {
    const other = resourcesOf(workspace, user)
      .get(key)
      ?.find(({ path }) => path !== object.path);
    if (other !== undefined) return other;
  }
  return undefined;
}

interface Resources {
  readonly generation: number;
  readonly byKey: ReadonlyMap<string, readonly WrittenObject[]>;
}

const resources = new WeakMap<ParsedFile, Resources>();

/** The objects in the files that a kustomization lists, by what must be unique; made once for all of these files. */
function resourcesOf(
  workspace: WorkspaceIndex,
  user: ParsedFile,
): ReadonlyMap<string, readonly WrittenObject[]> {
  const known = resources.get(user);
  if (known?.generation === workspace.generation) return known.byKey;
  const byKey = new Map<string, WrittenObject[]>();
  const paths = user.kustomization === undefined ? [] : pathReferencesOf(user.path, user.kustomization);
  for (const { use, target } of paths) {
    const file = target === undefined || use !== 'resource' ? undefined : workspace.file(target);
    for (const object of file?.objects ?? []) {
      const same = byKey.get(keyOf(object));
      if (same === undefined) byKey.set(keyOf(object), [object]);
      else same.push(object);
    }
  }
  resources.set(user, { generation: workspace.generation, byKey });
  return byKey;
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
  return `${group}/${kind}/${namespace ?? ''}/${name ?? ''}`;
}
