import { YamlReader } from '../../kube/yamlReader.ts';
import { YamlSyntaxError } from '../../kube/yamlScanner.ts';
import { quotedStyles, rangeInText, type YamlNode, type YamlText } from '../../kube/yamlNode.ts';
import { resolveTagged, resolveTag, tags } from '../../kube/yamlScalar.ts';
import { goTimeOfTimestamp } from '../../kube/yamlTimestamp.ts';
import { attachComments, type AttachedComments } from './yamlComments.ts';
import {
  decryptionError,
  sopsMap,
  type SopsComment,
  type SopsDocuments,
  type SopsItem,
  type SopsMap,
  type SopsValue,
} from './sopsTree.ts';

const maxNodes = 1_000_000;

/** The documents of a YAML file with their comments, as SOPS reads them (go-yaml v3). Throws DecryptionFailed. */
export function readYaml(text: string): SopsDocuments {
  const source: YamlText = { path: '', text, line: 0 };
  const reader = new YamlReader(source);
  const nodes: YamlNode[] = [];
  try {
    for (let node = reader.readDocument(); node !== undefined; node = reader.readDocument()) {
      if (reader.after() === 'text')
        throw new YamlSyntaxError(reader.position, 'unexpected text behind the end of the document');
      nodes.push(node);
    }
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    const { line } = rangeInText(source, error.offset, error.offset).start;
    throw decryptionError(`could not read the YAML: line ${line + 1}: ${error.message}`, error.hint);
  }
  const comments = attachComments(text, nodes);
  const conversion = { comments, nodes: 0 };
  return nodes.map((node, index) => documentOf(conversion, node, comments.ofDocument[index] ?? []));
}

interface Conversion {
  readonly comments: AttachedComments;
  /** Counted, because aliases of aliases can stand for more than memory holds. */
  nodes: number;
}

function documentOf(conversion: Conversion, node: YamlNode, comments: readonly SopsComment[]): SopsMap {
  const root = node.kind === 'alias' ? node.target : node;
  if (root?.kind === 'map') return sopsMap([...comments.map(commentItem), ...mapOf(conversion, root).items]);
  if (root?.kind === 'scalar' && tagOf(root) === tags.null) return sopsMap(comments.map(commentItem));
  throw decryptionError(
    `YAML documents that are ${root?.kind === 'seq' ? 'sequences' : 'values'} are not supported`,
    'sops encrypts mappings',
  );
}

function valueOf(conversion: Conversion, node: YamlNode): SopsValue {
  if (++conversion.nodes > maxNodes)
    throw decryptionError('the YAML grows too much when its aliases are expanded');
  switch (node.kind) {
    case 'map':
      return mapOf(conversion, node);
    case 'seq':
      return listOf(conversion, node);
    case 'alias':
      return node.target === undefined ? null : valueOf(conversion, node.target);
    case 'scalar':
      return scalarOf(node);
  }
}

function mapOf(conversion: Conversion, node: YamlNode): SopsMap {
  const items: SopsItem[] = [];
  const seen = new Set<string>();
  for (let index = 0; index + 1 < node.items.length; index += 2) {
    const key = node.items[index] as YamlNode;
    const value = node.items[index + 1] as YamlNode;
    const name = keyOf(key);
    if (seen.has(name)) throw decryptionError('could not read the YAML: a key is given twice in one mapping');
    seen.add(name);
    for (const comment of conversion.comments.before.get(key) ?? []) items.push(commentItem(comment));
    for (const comment of conversion.comments.behind.get(value) ?? []) items.push(commentItem(comment));
    items.push({ key: name, value: valueOf(conversion, value) });
  }
  for (const comment of conversion.comments.atEnd.get(node) ?? []) items.push(commentItem(comment));
  return sopsMap(items);
}

function listOf(conversion: Conversion, node: YamlNode): SopsValue[] {
  const list: SopsValue[] = [];
  for (const item of node.items) {
    list.push(...(conversion.comments.before.get(item) ?? []));
    list.push(...(conversion.comments.behind.get(item) ?? []));
    list.push(valueOf(conversion, item));
  }
  return [...list, ...(conversion.comments.atEnd.get(node) ?? [])];
}

function commentItem(comment: SopsComment): SopsItem {
  return { key: comment, value: null };
}

function keyOf(key: YamlNode): string {
  const tag = key.kind === 'scalar' ? tagOf(key) : '';
  if (key.kind === 'scalar' && (tag === tags.str || tag === tags.merge)) return key.text;
  throw decryptionError(
    'the YAML contains a non-string key; only string keys are supported',
    'put the key in quotes',
  );
}

function tagOf(node: YamlNode): string {
  if (node.tag !== '') return node.tag;
  return (node.style & quotedStyles) !== 0 ? tags.str : resolveTag(node.text, 'v3');
}

function scalarOf(node: YamlNode): SopsValue {
  const tag = tagOf(node);
  if (tag === tags.str || tag === tags.merge) return node.text;
  if (tag === tags.timestamp) {
    const time = goTimeOfTimestamp(node.text);
    return time === undefined ? node.text : { kind: 'time', text: time };
  }
  const value = resolveTagged(tag, node.text, 'v3');
  if (value === undefined || value === null) return null;
  if (tag === tags.int) {
    const whole = BigInt(value as number | bigint);
    if (BigInt.asIntN(64, whole) === whole) return whole;
    throw decryptionError(
      'the YAML has a whole number beyond 64 bits, which sops does not encrypt',
      'quote it',
    );
  }
  return value as string | number | boolean;
}
