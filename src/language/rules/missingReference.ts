import type { Diagnostic } from '../../base/diagnostic.ts';
import { formatRef } from '../../kube/object.ts';
import { referencesOf, type ObjectReference } from '../model/references.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';
import { rangeOf } from '../model/yamlAccess.ts';
import { closestName } from '../schemas/closestName.ts';
import { problem, type Rule } from './rule.ts';

const codes = {
  source: 'missing-source',
  dependency: 'missing-dependency',
  related: 'missing-reference',
} as const;

/**
 * References between Flux objects whose target is not in the workspace. A warning, because the target may live in another
 * repository or only in the cluster. Secrets and ConfigMaps often do, so those are not asked for.
 */
export const missingReference: Rule = {
  codes: Object.values(codes),
  check(workspace, file) {
    if (workspace.isPart(file.path)) return [];
    return file.objects
      .flatMap(referencesOf)
      .flatMap((reference) => checkReference(workspace, reference) ?? []);
  },
};

function checkReference(workspace: WorkspaceIndex, reference: ObjectReference): Diagnostic | undefined {
  const { role, group, kind, name, namespace, from, nameNode } = reference;
  if (role === 'config' || isBootstrapped(reference)) return undefined;
  for (const _target of workspace.targetsOf(reference)) return undefined;
  const ref = formatRef({ kind, name, ...(namespace !== undefined && { namespace }) });
  const message = `there is no ${ref} in this workspace`;
  const place = { path: from.path, range: rangeOf(nameNode) };
  return problem(codes[role], 'warning', place, message, hintFor(workspace, group, reference));
}

/** What bootstrap and a FluxInstance make: in the cluster, and often in no file. */
function isBootstrapped({ name, namespace }: ObjectReference): boolean {
  return name === 'flux-system' && (namespace === undefined || namespace === 'flux-system');
}

function hintFor(workspace: WorkspaceIndex, group: string, reference: ObjectReference): string | undefined {
  const { kind, name } = reference;
  const elsewhere = workspace.objects(group, kind, name)[0];
  if (elsewhere?.namespace !== undefined) {
    return `there is one in namespace ${elsewhere.namespace}: set the reference's namespace`;
  }
  const near = closestName(name, workspace.namesOf(group, kind));
  return near === undefined ? undefined : `did you mean ${near}?`;
}
