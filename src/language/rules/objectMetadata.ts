import type { Diagnostic } from '../../base/diagnostic.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import type { WrittenObject } from '../model/parseFile.ts';
import { fieldsOf, headRangeOf, nodeAt, rangeOf } from '../model/yamlAccess.ts';
import { problem } from './rule.ts';

/** Groups whose names are path segments, not DNS names. */
const looseNames = new Set(['rbac.authorization.k8s.io', 'apiregistration.k8s.io']);

const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** A domain, a slash and a name. */
const maxLabelKeyLength = 253 + 1 + 63;

/** What the API server asks of every object's metadata: a name, and names and labels of the right form. */
export function checkMetadata(object: WrittenObject, isKnownKind: boolean): Diagnostic[] {
  const metadata = nodeAt(object.node, ['metadata']);
  // Configuration files of many tools have apiVersion and kind; without metadata it is none of the server's objects.
  if (metadata === undefined && !isKnownKind) return [];
  const found = checkNames(object, metadata);
  for (const { key, name, value } of fieldsOf(nodeAt(metadata, ['labels']))) {
    const text = value.text;
    if (isOpen(name) || isOpen(text)) continue;
    if (name.length > maxLabelKeyLength || !labelKey.test(name) || name.replace(/^.*\//, '').length > 63) {
      found.push(
        problem(
          'invalid-value',
          'error',
          at(object, key),
          `${name} cannot be the key of a label`,
          'use letters, digits, - _ . and at most one domain before a /',
        ),
      );
    }
    if (value.kind === 'scalar' && (text.length > 63 || !labelValue.test(text))) {
      found.push(
        problem(
          'invalid-value',
          'error',
          at(object, value),
          `${JSON.stringify(text)} cannot be the value of a label`,
          'use at most 63 letters, digits, - _ and ., or put it into an annotation',
        ),
      );
    }
  }
  return found;
}

function checkNames(object: WrittenObject, metadata: YamlNode | undefined): Diagnostic[] {
  const nameNode = nodeAt(metadata, ['name']);
  if (nameNode === undefined || nameNode.text === '') {
    if (nodeAt(metadata, ['generateName']) !== undefined) return [];
    const place = { path: object.path, range: headRangeOf(metadata ?? object.node) };
    return [problem('missing-field', 'error', place, 'metadata.name is required')];
  }
  const found: Diagnostic[] = [];
  const check = (node: YamlNode | undefined, what: string, limit: number): void => {
    if (node?.kind !== 'scalar' || isOpen(node.text)) return;
    if (node.text.length <= limit && dnsName.test(node.text)) return;
    const hint = `use at most ${limit} lower case letters, digits, - and .`;
    const message = `${JSON.stringify(node.text)} cannot be the ${what}`;
    found.push(problem('invalid-name', 'error', at(object, node), message, hint));
  };
  if (!looseNames.has(object.group)) check(nameNode, `name of a ${object.kind}`, 253);
  check(nodeAt(metadata, ['namespace']), 'name of a namespace', 63);
  return found;
}

/** A variable that substitution fills in, or an encrypted value. */
function isOpen(text: string): boolean {
  return /\$[{(]/.test(text) || text.startsWith('ENC[');
}

function at(object: WrittenObject, node: YamlNode): Pick<Diagnostic, 'path' | 'range'> {
  return { path: object.path, range: rangeOf(node) };
}
