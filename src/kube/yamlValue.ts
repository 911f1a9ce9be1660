import type { JsonValue } from '../base/json.ts';
import { formatGoFloat32 } from './goFloat.ts';
import { quotedStyles, yamlStyle, type YamlNode } from './yamlNode.ts';
import { resolveTagged, resolveValue, type ScalarValue } from './yamlScalar.ts';

/** Something wrong with a node that was read well: told with the node, so that the caller can say where. */
export interface YamlProblem {
  readonly code: string;
  readonly node: YamlNode;
  readonly message: string;
  readonly hint?: string;
}

interface Conversion {
  readonly problems: YamlProblem[];
  readonly open: Set<YamlNode>;
  nodes: number;
  aliased: number;
  depth: number;
  isBomb: boolean;
}

/**
 * The JSON a document stands for, as sigs.k8s.io/yaml converts it: YAML 1.1 words, keys made strings, merge keys and
 * aliases expanded. Of a key given twice the last counts, with a problem. Undefined when there is no such JSON.
 */
export function jsonOfYaml(root: YamlNode, problems: YamlProblem[]): JsonValue | undefined {
  const conversion: Conversion = {
    problems,
    open: new Set(),
    nodes: 0,
    aliased: 0,
    depth: 0,
    isBomb: false,
  };
  const value = valueOf(conversion, root);
  return conversion.isBomb ? undefined : value;
}

function valueOf(conversion: Conversion, node: YamlNode): JsonValue | undefined {
  conversion.nodes++;
  if (conversion.depth > 0) conversion.aliased++;
  if (hasTooManyAliases(conversion)) {
    if (!conversion.isBomb)
      conversion.problems.push({
        code: 'yaml-excessive-aliases',
        node,
        message: 'the document grows too much when its aliases are expanded',
        hint: 'write the values out',
      });
    conversion.isBomb = true;
    return undefined;
  }
  switch (node.kind) {
    case 'scalar':
      return scalarOf(conversion, node);
    case 'alias':
      return aliasOf(conversion, node);
    case 'seq': {
      const list: JsonValue[] = [];
      for (const item of node.items) list.push(valueOf(conversion, item) ?? null);
      return list;
    }
    case 'map': {
      const object = {};
      fillMapping(conversion, node, object, new Set());
      return object;
    }
  }
}

/** go-yaml's limits: 99 % of up to 400,000 nodes may come from aliases, 10 % of 4,000,000 and more. */
function hasTooManyAliases(conversion: Conversion): boolean {
  const { aliased, nodes } = conversion;
  if (conversion.isBomb) return true;
  if (aliased <= 100 || nodes <= 1000) return false;
  const share = Math.min(1, Math.max(0, (nodes - 400000) / 3600000));
  return aliased / nodes > 0.99 - 0.89 * share;
}

function aliasOf(conversion: Conversion, node: YamlNode): JsonValue | undefined {
  const { target } = node;
  if (target === undefined) return undefined;
  if (conversion.open.has(node)) {
    conversion.problems.push({
      code: 'yaml-recursive-alias',
      node,
      message: `the anchor ${node.text} contains itself`,
    });
    conversion.isBomb = true;
    return undefined;
  }
  conversion.open.add(node);
  conversion.depth++;
  const value = valueOf(conversion, target);
  conversion.depth--;
  conversion.open.delete(node);
  return value;
}

function fillMapping(
  conversion: Conversion,
  node: YamlNode,
  object: Record<string, JsonValue>,
  merged: Set<string>,
): void {
  const { items } = node;
  for (let index = 0; index + 1 < items.length; index += 2) {
    const keyNode = items[index] as YamlNode;
    const valueNode = items[index + 1] as YamlNode;
    if (isMergeKey(keyNode)) {
      merge(conversion, valueNode, object, merged);
      continue;
    }
    const key = keyOf(conversion, keyNode);
    if (conversion.isBomb) return;
    if (key === undefined) continue;
    if (Object.hasOwn(object, key) && !merged.delete(key))
      conversion.problems.push({
        code: 'yaml-duplicate-key',
        node: keyNode,
        message: `the key ${JSON.stringify(key)} is given twice`,
        hint: 'remove one of them',
      });
    setMember(object, key, valueOf(conversion, valueNode) ?? null);
  }
}

/** Sets a member whatever its name: `__proto__` is a key like any other. */
export function setMember<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

export function isMergeKey(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.text === '<<' && node.tag === '!!merge';
}

function merge(
  conversion: Conversion,
  node: YamlNode,
  object: Record<string, JsonValue>,
  merged: Set<string>,
): void {
  const sources = node.kind === 'seq' ? node.items.toReversed() : [node];
  for (const source of sources) {
    const mapping = source.kind === 'alias' ? source.target : source;
    if (mapping?.kind !== 'map') {
      conversion.problems.push({
        code: 'yaml-invalid-merge',
        node: source,
        message: 'only mappings can be merged with <<',
      });
      continue;
    }
    const value = valueOf(conversion, source);
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      merged.add(key);
      setMember(object, key, member as JsonValue);
    }
  }
}

function keyOf(conversion: Conversion, node: YamlNode): string | undefined {
  const value = node.kind === 'scalar' && node.tag === '!!str' ? node : undefined;
  if (value !== undefined && (node.style & quotedStyles) !== 0) return node.text;
  const key = valueOf(conversion, node);
  if (typeof key === 'string') return key;
  const text = key === undefined || typeof key === 'object' ? undefined : goStringOfScalar(key);
  if (text === undefined && !conversion.isBomb)
    conversion.problems.push({
      code: 'yaml-invalid-key',
      node,
      message: 'a key must be a string, a number or a boolean',
      hint: 'quote the key',
    });
  return text;
}

/** The text sigs.k8s.io/yaml makes of a number or boolean that stands where a string is wanted; undefined for null. */
export function goStringOfScalar(value: ScalarValue): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'number' && !Number.isInteger(value)) return formatGoFloat32(value);
  return String(value);
}

function scalarOf(conversion: Conversion, node: YamlNode): ScalarValue {
  const { style, text } = node;
  if ((style & yamlStyle.tagged) !== 0) {
    const value = resolveTagged(node.tag, text, 'v2');
    if (value !== undefined) return requireFinite(conversion, node, value);
    conversion.problems.push({
      code: 'yaml-invalid-tag',
      node,
      message: `${JSON.stringify(text)} is no ${node.tag}`,
    });
    return null;
  }
  return (style & quotedStyles) !== 0 ? text : requireFinite(conversion, node, resolveValue(text, 'v2'));
}

function requireFinite(conversion: Conversion, node: YamlNode, value: ScalarValue): ScalarValue {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  conversion.problems.push({
    code: 'yaml-not-json',
    node,
    message: `${node.text} has no counterpart in JSON`,
    hint: 'quote it if it is meant as text',
  });
  return null;
}
