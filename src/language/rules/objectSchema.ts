import type { Diagnostic } from '../../base/diagnostic.ts';
import { apiVersionOf } from '../../kube/object.ts';
import { overlayEffects } from '../model/overlayEffects.ts';
import type { WrittenObject } from '../model/parseFile.ts';
import { fieldsOf, headRangeOf, nodeAt, rangeOf } from '../model/yamlAccess.ts';
import { removedVersion } from '../schemas/removedVersions.ts';
import { closestName } from '../schemas/closestName.ts';
import type { SchemaStore } from '../schemas/schemaStore.ts';
import { validateNode } from '../schemas/validateNode.ts';
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
    const effects = overlayEffects(workspace, file.path);
    return file.objects.flatMap((object) => {
      const kind = workspace.schemas.find(object.apiVersion, object.kind);
      const found =
        kind === undefined
          ? checkKind(workspace.schemas, object)
          : validateNode({ file: file.path, root: object.node, kind, role, effects });
      // A kustomization that sets the namespace gives a Namespace among its resources that name, whatever it was.
      const isRenamed = effects.namespace && object.kind === 'Namespace';
      return role === 'patch' || isRenamed ? found : [...found, ...checkMetadata(object, kind !== undefined)];
    });
  },
};

function checkKind(schemas: SchemaStore, object: WrittenObject): Diagnostic[] {
  const { apiVersion, kind, group, path } = object;
  const versionNode = nodeAt(object.node, ['apiVersion']) ?? object.node;
  const removed = removedVersion(group, object.version, kind);
  if (removed !== undefined) {
    const message = `${kind} is no longer served as ${apiVersion} since ${removed.since}`;
    const hint =
      removed.replacement === undefined ? 'it has no successor' : `use apiVersion ${removed.replacement}`;
    return [problem('removed-api-version', 'error', { path, range: rangeOf(versionNode) }, message, hint)];
  }
  const served = schemas.served(apiVersion);
  const isFlux = group.endsWith('.toolkit.fluxcd.io') || group === 'source.extensions.fluxcd.io';
  // Of other groups only the kinds that the workspace defines are known; the cluster may have more.
  if (!isFlux && !served.some(({ origin }) => origin === 'builtin')) return [];
  const kindNode = fieldsOf(object.node).find((field) => field.name === 'kind')?.value;
  const elsewhere = schemas.named(kind).map(apiVersionOf);
  if (elsewhere.length > 0) {
    const message = `${kind} is not served as ${apiVersion}`;
    const place = { path, range: rangeOf(versionNode) };
    return [problem('unknown-kind', 'error', place, message, `use apiVersion ${elsewhere.join(' or ')}`)];
  }
  // A stable group of Kubernetes has a few kinds that nobody keeps in files; those are not ours to judge.
  if (notInTables.has(kind)) return [];
  const near = closestName(
    kind,
    served.map((entry) => entry.kind),
  );
  const place = { path, range: kindNode === undefined ? headRangeOf(object.node) : rangeOf(kindNode) };
  const hint = near === undefined ? undefined : `did you mean ${near}?`;
  return [problem('unknown-kind', 'error', place, `there is no kind ${kind} in ${apiVersion}`, hint)];
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
