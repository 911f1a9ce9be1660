import type { Range } from '../../base/position.ts';
import { quotedStyles, rangeInText, yamlStyle, type YamlNode } from '../../kube/yamlNode.ts';
import { resolveTagged, resolveValue, type ScalarValue } from '../../kube/yamlScalar.ts';
import { isMergeKey } from '../../kube/yamlValue.ts';

/** A field of a mapping as it was written. */
export interface Field {
  readonly name: string;
  readonly key: YamlNode;
  readonly value: YamlNode;
}

export type Path = readonly (string | number)[];

/** What an alias stands for; any other node itself. */
export function resolveAlias(node: YamlNode): YamlNode {
  return node.kind === 'alias' && node.target !== undefined ? node.target : node;
}

/** The fields of a mapping, those merged in with `<<` after its own; none for other nodes. */
export function fieldsOf(node: YamlNode | undefined): readonly Field[] {
  const own = ownFieldsOf(node);
  if (!own.some((field) => isMergeKey(field.key))) return own;
  const fields = own.filter((field) => !isMergeKey(field.key));
  const names = new Set(fields.map((field) => field.name));
  for (const merge of own.filter((field) => isMergeKey(field.key))) {
    const value = resolveAlias(merge.value);
    for (const source of value.kind === 'seq' ? value.items : [value]) {
      for (const field of ownFieldsOf(source)) {
        if (names.has(field.name)) continue;
        names.add(field.name);
        fields.push(field);
      }
    }
  }
  return fields;
}

function ownFieldsOf(node: YamlNode | undefined): readonly Field[] {
  if (node === undefined) return [];
  const mapping = resolveAlias(node);
  if (mapping.kind !== 'map') return [];
  const fields: Field[] = [];
  for (let index = 0; index + 1 < mapping.items.length; index += 2) {
    const key = mapping.items[index] as YamlNode;
    fields.push({ name: key.text, key, value: mapping.items[index + 1] as YamlNode });
  }
  return fields;
}

/** The elements of a list; none for other nodes. */
export function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  if (node === undefined) return [];
  const list = resolveAlias(node);
  return list.kind === 'seq' ? list.items : [];
}

/** The node at a path, aliases followed. */
export function nodeAt(node: YamlNode | undefined, path: Path): YamlNode | undefined {
  let current = node;
  for (const key of path) {
    if (current === undefined) return undefined;
    current =
      typeof key === 'number'
        ? itemsOf(current)[key]
        : fieldsOf(current).find((field) => field.name === key)?.value;
  }
  return current === undefined ? undefined : resolveAlias(current);
}

/** The text of a string at a path; undefined when there is none, or something that is no string. */
export function textAt(node: YamlNode | undefined, path: Path): string | undefined {
  const found = nodeAt(node, path);
  const value = found?.kind === 'scalar' ? scalarValue(found) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The value of a scalar as the API server gets it. */
export function scalarValue({ style, tag, text }: YamlNode): ScalarValue {
  if ((style & yamlStyle.tagged) !== 0) return resolveTagged(tag, text, 'v2') ?? null;
  return (style & quotedStyles) !== 0 ? text : resolveValue(text, 'v2');
}

/** True when the scalar is nothing: an empty value, `~` or `null`. */
export function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && scalarValue(node) === null;
}

/** The node's place in its file. */
export function rangeOf(node: YamlNode): Range {
  if (node.source === undefined) return emptyRange;
  const { text } = node.source;
  let { end } = node;
  // A block's range ends before the line break that closes it: squiggles stay on its last line.
  while (end > node.start && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--;
  return rangeInText(node.source, node.start, end);
}

/** The first line of the node's place: what a squiggle under a whole object would drown. */
export function headRangeOf(node: YamlNode): Range {
  const range = rangeOf(node);
  if (range.start.line === range.end.line || node.source === undefined) return range;
  const lineEnd = node.source.text.indexOf('\n', node.start);
  const end = lineEnd < 0 ? node.end : lineEnd;
  return rangeInText(node.source, node.start, end);
}

const emptyRange: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** `spec.dependsOn[0].name`: a path as Kubernetes messages write it. */
export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}
