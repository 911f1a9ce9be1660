import { treeBasename } from '../../base/treePath.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import { tags } from '../../kube/yamlScalar.ts';
import { yamlStyle } from '../../kube/yamlNode.ts';
import type { Located } from './decode.ts';
import type { GeneratorInput, GeneratorOptionsInput } from './kustomizationShape.ts';
import { placeOf, valueOf } from './kustomizationShape.ts';
import type { Loader } from './loader.ts';
import { Edit, newMap, newMapOf, newScalar, newString, setField, type Node, type Place } from './node.ts';
import { fail } from './problem.ts';
import { entriesOfMap, type Entry } from './transformers/metadataTransformers.ts';
import { buildAnnotation, compareBytes, Resource, setMetaTexts } from './resource.ts';

interface Pair {
  readonly key: string;
  readonly value: Uint8Array | string;
  readonly place: Place;
}

/** The ConfigMap or Secret of a generator entry. Throws BuildFailure. */
export function generate(
  kind: 'ConfigMap' | 'Secret',
  input: GeneratorInput,
  global: GeneratorOptionsInput | undefined,
  loader: Loader,
): Resource {
  const name = valueOf(input.name);
  if (name === '') fail('build-generator', `the ${kind} to generate has no name`, input.node, 'set name');
  const pairs = loadPairs(kind, name, input, loader);
  const edit = new Edit();
  const namePlace = placeOf(input.name, input.node);
  let metadata: Node = newMap(input.node);
  metadata = setField(metadata, 'name', newString(name, namePlace), edit);
  if (input.namespace !== undefined && input.namespace.value !== '')
    metadata = setField(metadata, 'namespace', newString(input.namespace.value, input.namespace.node), edit);
  let root: Node = newMap(input.node, [
    newScalar('apiVersion', tags.str, input.node),
    newScalar('v1', tags.str, input.node),
    newScalar('kind', tags.str, input.node),
    newScalar(kind, tags.str, input.node),
    newScalar('metadata', '', input.node),
    metadata,
  ]);
  if (kind === 'Secret')
    root = setField(
      root,
      'type',
      newString(valueOf(input.type) || 'Opaque', placeOf(input.type, input.node)),
      edit,
    );
  root =
    kind === 'Secret'
      ? secretData(root, pairs, edit, input.node)
      : configMapData(root, pairs, edit, input.node);
  root = withOptions(root, mergeOptions(input.options, global), edit);
  return marked(new Resource(root), input, global);
}

interface Options {
  readonly labels: readonly Entry[];
  readonly annotations: readonly Entry[];
  readonly immutable: Located<boolean> | undefined;
}

/** Options of the entry win over generatorOptions, entry by entry; switches are on when either says so. */
function mergeOptions(
  local: GeneratorOptionsInput | undefined,
  global: GeneratorOptionsInput | undefined,
): Options {
  const merge = (field: 'labels' | 'annotations') =>
    entriesOfMap(new Map([...(global?.[field] ?? []), ...(local?.[field] ?? [])]));
  return {
    labels: merge('labels'),
    annotations: merge('annotations'),
    immutable: [local?.immutable, global?.immutable].find((option) => option?.value === true),
  };
}

function withOptions(root: Node, { labels, annotations, immutable }: Options, edit: Edit): Node {
  let result = root;
  for (const [field, entries] of [
    ['labels', labels],
    ['annotations', annotations],
  ] as const) {
    if (entries.length === 0) continue;
    let map: Node = newMap(entries[0]?.place ?? root);
    for (const { key, value, place } of entries)
      map = setField(map, key, newScalar(value, tags.str, place, yamlStyle.singleQuoted), edit);
    result = setField(result, 'metadata', setField(metadataOf(result), field, map, edit), edit);
  }
  return immutable === undefined
    ? result
    : setField(result, 'immutable', newScalar('true', tags.bool, immutable.node), edit);
}

function metadataOf(root: Node): Node {
  return root.items[5] as Node;
}

/** Records behavior and hash in annotations, as upstream does until the build ends. */
function marked(
  resource: Resource,
  input: GeneratorInput,
  global: GeneratorOptionsInput | undefined,
): Resource {
  const withoutHash =
    input.options?.disableNameSuffixHash?.value === true || global?.disableNameSuffixHash?.value === true;
  const behavior = valueOf(input.behavior);
  return resource.edited((root, edit) => {
    const texts = new Map(resource.annotations);
    if (!withoutHash) texts.set(buildAnnotation.needsHash, 'enabled');
    texts.set(
      buildAnnotation.behavior,
      ['create', 'replace', 'merge'].includes(behavior) ? behavior : 'unspecified',
    );
    return setMetaTexts(root, 'annotations', texts, edit, input.node);
  });
}

function loadPairs(kind: string, name: string, input: GeneratorInput, loader: Loader): readonly Pair[] {
  const envs = [
    ...(input.envs ?? []),
    ...(input.env !== undefined && input.env.value !== '' ? [input.env] : []),
  ];
  const pairs = [
    ...envs.flatMap((source) => pairsOfEnvFile(source, loader)),
    ...(input.literals ?? []).map(pairOfLiteral),
    ...(input.files ?? []).map((source) => pairOfFile(source, loader)),
  ];
  const seen = new Set<string>();
  for (const { key, place } of pairs) {
    if (seen.has(key))
      fail(
        'build-generator',
        `${kind} ${name} has the key ${JSON.stringify(key)} twice`,
        place,
        'remove one',
      );
    seen.add(key);
  }
  return pairs;
}

function pairOfLiteral({ value, node }: Located<string>): Pair {
  const equals = value.indexOf('=');
  if (equals < 1)
    return fail('build-generator', `invalid literal ${JSON.stringify(value)}`, node, 'write key=value');
  return { key: value.slice(0, equals), value: withoutQuotes(value.slice(equals + 1)), place: node };
}

function withoutQuotes(text: string): string {
  const first = text[0];
  const isQuoted = text.length > 1 && first === text[text.length - 1] && (first === '"' || first === "'");
  return isQuoted ? text.slice(1, -1) : text;
}

function pairOfFile({ value, node }: Located<string>, loader: Loader): Pair {
  const parts = value.split('=');
  const [first = '', second = ''] = parts;
  if (parts.length > 2)
    return fail('build-generator', `${JSON.stringify(value)}: a key or path must not contain =`, node);
  if (parts.length === 2 && (first === '' || second === ''))
    return fail(
      'build-generator',
      `${JSON.stringify(value)} lacks a ${first === '' ? 'key' : 'path'}`,
      node,
      'write key=path',
    );
  const path = parts.length === 2 ? second : first;
  return { key: parts.length === 2 ? first : baseName(first), value: loader.load(path, node), place: node };
}

/** Go's path.Base: without trailing slashes. */
function baseName(path: string): string {
  return treeBasename(path.replace(/\/+$/, '')) || '.';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes; undefined when they are no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function pairsOfEnvFile({ value: path, node }: Located<string>, loader: Loader): readonly Pair[] {
  const text = textOf(loader.load(path, node));
  if (text === undefined) return fail('build-generator', `${path} is not UTF-8 text`, node);
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines.flatMap((raw, index) => {
    let line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (index === 0) line = line.replace(/^\ufeff/, '');
    line = line.replace(/^[\t\n\v\f\r \u0085\p{Z}]+/u, '');
    if (line === '' || line.startsWith('#')) return [];
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    return key === '' ? [] : [{ key, value: equals < 0 ? '' : line.slice(equals + 1), place: node }];
  });
}

function configMapData(root: Node, pairs: readonly Pair[], edit: Edit, place: YamlNode): Node {
  const data: [string, Node][] = [];
  const binaryData: [string, Node][] = [];
  for (const { key, value, place: at } of sorted(pairs)) {
    const text = typeof value === 'string' ? value : textOf(value);
    if (text !== undefined) data.push([key, newString(text, at)]);
    else binaryData.push([key, newString(base64Lines(Buffer.from(value)), at)]);
  }
  let result = root;
  if (data.length > 0) result = setField(result, 'data', newMapOf(place, data), edit);
  return binaryData.length === 0 ? result : setField(result, 'binaryData', newMapOf(place, binaryData), edit);
}

function secretData(root: Node, pairs: readonly Pair[], edit: Edit, place: YamlNode): Node {
  const data = sorted(pairs).map(
    ({ key, value, place: at }) => [key, newString(base64Lines(Buffer.from(value as string)), at)] as const,
  );
  return setField(root, 'data', newMapOf(place, data), edit);
}

function sorted(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.toSorted((left, right) => compareBytes(left.key, right.key));
}

/** Base64 as upstream writes it: above 70 characters in lines of 70, each ended by a break. */
function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  if (text.length < 70) return text;
  return (text.match(/.{1,70}/g) ?? []).map((line) => `${line}\n`).join('');
}
