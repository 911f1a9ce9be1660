import type { Diagnostic } from '../../base/diagnostic.ts';
import { apiVersionOf } from '../../kube/object.ts';
import type { WrittenObject } from '../model/parseFile.ts';
import { fieldsOf, headRangeOf, nodeAt, rangeOf } from '../model/yamlAccess.ts';
import { removedVersion } from '../schemas/removedVersions.ts';
import { closestName } from '../schemas/closestName.ts';
import type { SchemaStore } from '../schemas/schemaStore.ts';
import { validateNode, type DocumentRole } from '../schemas/validateNode.ts';
import { checkMetadata } from './objectMetadata.ts';
import { problem, type Rule } from './rule.ts';

/** Structure, types, closed sets of values, patterns, required and unknown fields of every object whose kind is known. */
export const objectSchema: Rule = {
  codes: [
    'unknown-field',
    'missing-field',
    'wrong-type',
    'invalid-value',
    'invalid-name',
    'duplicate-item',
    'removed-api-version',
    'unknown-kind',
  ],
  check(workspace, file) {
    const uses = workspace.usesOf(file.path);
    const isPatch = uses.has('patch') && !uses.has('resource');
    if (workspace.isPart(file.path) && !isPatch) return [];
    const role = isPatch ? 'patch' : 'object';
    return file.objects.flatMap((object) => checkObject(workspace.schemas, object, role));
  },
};

function checkObject(schemas: SchemaStore, object: WrittenObject, role: DocumentRole): Diagnostic[] {
  const metadata = role === 'object' ? checkMetadata(object) : [];
  const kind = schemas.find(object.apiVersion, object.kind);
  if (kind !== undefined) return [...validateNode(object.path, object.node, kind, role), ...metadata];
  const version = checkKind(schemas, object);
  return version === undefined ? metadata : [version, ...metadata];
}

function checkKind(schemas: SchemaStore, object: WrittenObject): Diagnostic | undefined {
  const { apiVersion, kind, group, path } = object;
  const versionNode = nodeAt(object.node, ['apiVersion']) ?? object.node;
  const removed = removedVersion(group, object.version, kind);
  if (removed !== undefined) {
    const message = `${kind} is no longer served as ${apiVersion} since ${removed.since}`;
    const hint =
      removed.replacement === undefined ? 'it has no successor' : `use apiVersion ${removed.replacement}`;
    return problem('removed-api-version', 'error', { path, range: rangeOf(versionNode) }, message, hint);
  }
  const served = schemas.served(apiVersion);
  const isFlux = group.endsWith('.toolkit.fluxcd.io') || group === 'source.extensions.fluxcd.io';
  if (served.length === 0 && !isFlux) return undefined;
  const kindNode = fieldsOf(object.node).find((field) => field.name === 'kind')?.value;
  const elsewhere = schemas.named(kind).map(apiVersionOf);
  if (elsewhere.length > 0) {
    const message = `${kind} is not served as ${apiVersion}`;
    const place = { path, range: rangeOf(versionNode) };
    return problem('unknown-kind', 'error', place, message, `use apiVersion ${elsewhere.join(' or ')}`);
  }
  // A stable group of Kubernetes has a few kinds that nobody keeps in files; those are not ours to judge.
  if (notInTables.has(kind)) return undefined;
  const near = closestName(
    kind,
    served.map((entry) => entry.kind),
  );
  return problem(
    'unknown-kind',
    'error',
    { path, range: kindNode === undefined ? headRangeOf(object.node) : rangeOf(kindNode) },
    `there is no kind ${kind} in ${apiVersion}`,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}

const notInTables = new Set([
  'Binding',
  'ComponentStatus',
  'DeleteOptions',
  'Eviction',
  'List',
  'Scale',
  'Status',
]);
