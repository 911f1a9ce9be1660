import type { JsonValue } from '../../base/json.ts';
import { quotedStyles, yamlStyle } from '../../kube/yamlNode.ts';
import { resolveTag, resolveTagged, resolveValue, tags, type ScalarValue } from '../../kube/yamlScalar.ts';
import { setMember } from '../../kube/yamlValue.ts';
import { rereadFolded, staysFolded } from './foldedText.ts';
import type { Node } from './node.ts';
import { fail } from './problem.ts';

/**
 * The JSON of a node as kyaml's MarshalJSON gives it: the node printed by go-yaml v3 and read again.
 * Throws BuildFailure for a key given twice, a key that is no string and a value that JSON cannot hold.
 */
export function jsonOfNode(root: Node): JsonValue {
  return valueOf(root, false, true);
}

function valueOf(node: Node, inFlow: boolean, isRoot: boolean): JsonValue {
  if (node.kind === 'scalar') return scalarOf(node, inFlow);
  if (node.kind === 'alias') return valueOf(node.target as Node, inFlow, false);
  const isFlow = inFlow || (node.style & yamlStyle.flow) !== 0;
  return node.kind === 'seq'
    ? node.items.map((item) => valueOf(item, isFlow, false))
    : objectOf(node, isFlow, isRoot);
}

function objectOf(node: Node, inFlow: boolean, isRoot: boolean): JsonValue {
  const object: Record<string, JsonValue> = {};
  const { items } = node;
  for (let index = 0; index + 1 < items.length; index += 2) {
    const key = items[index] as Node;
    const name = key.text;
    if (!isRoot && !isStringKey(key))
      fail('build-invalid-object', `the key ${name} is no string`, key, 'quote the key');
    if (Object.hasOwn(object, name))
      fail(
        'build-invalid-object',
        `the key ${JSON.stringify(name)} is given twice`,
        key,
        'remove one of them',
      );
    setMember(object, name, valueOf(items[index + 1] as Node, inFlow, false));
  }
  return object;
}

function isStringKey(key: Node): boolean {
  if (key.kind !== 'scalar') return false;
  if (key.tag === tags.str) return true;
  if (key.tag !== '') return (key.style & yamlStyle.tagged) === 0 && resolveTag(key.text, 'v3') === tags.str;
  return (key.style & quotedStyles) !== 0 || key.text === '' || resolveTag(key.text, 'v3') === tags.str;
}

/** What is left of a scalar's type after it was printed and read: quoting makes a string, a tag may be implied. */
function scalarOf(node: Node, inFlow: boolean): ScalarValue {
  const { style, text } = node;
  let { tag } = node;
  if (tag === tags.str || tag === '')
    if ((style & yamlStyle.folded) !== 0 && text.includes('\n') && !inFlow && staysFolded(text))
      return rereadFolded(text);
  if (tag === tags.str) return text;
  if (tag === '!') tag = '';
  if (tag !== '' && (style & yamlStyle.tagged) === 0 && resolveTag(text, 'v3') === tag) tag = '';
  if (tag !== '') {
    const value = resolveTagged(tag, text, 'v3');
    if (value === undefined) fail('build-invalid-object', `${JSON.stringify(text)} is no ${tag}`, node);
    return requireFinite(node, value);
  }
  if ((style & quotedStyles) !== 0 || text.includes('\n')) return text;
  if (text === '') return inFlow ? '' : null;
  return requireFinite(node, resolveValue(text, 'v3'));
}

function requireFinite(node: Node, value: ScalarValue): ScalarValue {
  if (typeof value === 'number' && !Number.isFinite(value))
    fail(
      'build-invalid-object',
      `${node.text} has no counterpart in JSON`,
      node,
      'quote it if it is meant as text',
    );
  return value;
}
