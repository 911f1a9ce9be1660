import { noItems, yamlStyle, type YamlNode, type YamlText } from '../../kube/yamlNode.ts';
import { resolveTag, tags } from '../../kube/yamlScalar.ts';

/**
 * A YAML node while kustomize works on it. Nodes are shared between documents, layers and builds; an Edit may change only
 * the nodes it owns, so it copies what it is about to change (`own`) and leaves the rest shared.
 */
export interface Node {
  kind: YamlNode['kind'];
  tag: string;
  style: number;
  text: string;
  items: readonly Node[];
  /** Where the node was written, or the line of the kustomization that made it. */
  source: YamlText | undefined;
  start: number;
  end: number;
  anchor: string | undefined;
  target: YamlNode | undefined;
  owner?: Edit | undefined;
  /** Nodes with the same token are one node upstream: a write to one is a write to all. */
  share?: object | undefined;
}

/** A stretch of a text that something came from. */
export interface Place {
  readonly source: YamlText | undefined;
  readonly start: number;
  readonly end: number;
}

export const nowhere: Place = { source: undefined, start: 0, end: 0 };

/** One pass over one object: it owns the nodes it has copied, and remembers writes to shared nodes. */
export class Edit {
  #sharedWrites: Map<object, Node> | undefined;

  /** Notes that a node was written, when it is one that stands in several places. */
  wrote(node: Node): void {
    if (node.share !== undefined) (this.#sharedWrites ??= new Map()).set(node.share, node);
  }

  /** Brings writes to shared nodes to every other place of the object. */
  finish(root: Node): Node {
    const writes = this.#sharedWrites;
    if (writes === undefined) return root;
    this.#sharedWrites = undefined;
    return this.#spread(root, writes);
  }

  #spread(node: Node, writes: ReadonlyMap<object, Node>): Node {
    const written = node.share === undefined ? undefined : writes.get(node.share);
    if (written !== undefined && written !== node) {
      const copy = own(node, this);
      assignContent(copy, written);
      return copy;
    }
    let result = node;
    node.items.forEach((item, index) => {
      const next = this.#spread(item, writes);
      if (next !== item) result = withItem(result, index, next, this);
    });
    return result;
  }
}

/** The nodes that the reader makes are nodes like any other that no Edit owns. */
export function asNode(node: YamlNode): Node {
  return node as Node;
}

/** The node itself if the Edit owns it, else a copy that it does. */
export function own(node: Node, edit: Edit): Node {
  if (node.owner === edit) return node;
  return {
    kind: node.kind,
    tag: node.tag,
    style: node.style,
    text: node.text,
    items: node.items.length === 0 ? noItems : node.items.slice(),
    source: node.source,
    start: node.start,
    end: node.end,
    anchor: undefined,
    target: node.target,
    owner: edit,
    share: node.share,
  };
}

/** The node with one item exchanged. */
export function withItem(node: Node, index: number, item: Node, edit: Edit): Node {
  const owned = own(node, edit);
  (owned.items as Node[])[index] = item;
  return owned;
}

/** The node with other items. */
export function withItems(node: Node, items: readonly Node[], edit: Edit): Node {
  const owned = own(node, edit);
  owned.items = items;
  return owned;
}

/** Gives `node` the content of another, as an assignment through a pointer does upstream; it stays the same node. */
export function assignContent(node: Node, content: Node): void {
  node.kind = content.kind;
  node.tag = content.tag;
  node.style = content.style;
  node.text = content.text;
  node.items = content.items;
  node.source = content.source;
  node.start = content.start;
  node.end = content.end;
}

export function newScalar(text: string, tag: string, place: Place, style: number = yamlStyle.plain): Node {
  return makeNode('scalar', tag, style, text, noItems, place);
}

export function newMap(place: Place, items: readonly Node[] = noItems): Node {
  return makeNode('map', '', 0, '', items, place);
}

/** A mapping of fresh values under keys that are not there twice. */
export function newMapOf(place: Place, fields: Iterable<readonly [key: string, value: Node]>): Node {
  const items: Node[] = [];
  for (const [key, value] of fields) {
    quoteIfNeeded(value);
    items.push(newScalar(key, '', value), value);
  }
  return newMap(place, items);
}

export function newSequence(place: Place, items: readonly Node[] = noItems): Node {
  return makeNode('seq', '', 0, '', items, place);
}

function makeNode(
  kind: Node['kind'],
  tag: string,
  style: number,
  text: string,
  items: readonly Node[],
  place: Place,
): Node {
  const { source, start, end } = place;
  return {
    kind,
    tag,
    style,
    text,
    items,
    source,
    start,
    end,
    anchor: undefined,
    target: undefined,
    owner: undefined,
    share: undefined,
  };
}

/** A string, literal when it has several lines; what upstream makes for labels, annotations and data. */
export function newString(text: string, place: Place): Node {
  return newScalar(text, tags.str, place, text.includes('\n') ? yamlStyle.literal : yamlStyle.plain);
}

export function isNull(node: Node | undefined): boolean {
  return node === undefined || node.tag === tags.null;
}

/** Null, or an empty mapping or list. */
export function isEmpty(node: Node | undefined): boolean {
  return node === undefined || node.tag === tags.null || (node.kind !== 'scalar' && node.items.length === 0);
}

export function isStringScalar(node: Node): boolean {
  return node.kind === 'scalar' && (node.tag === tags.str || node.tag === '');
}

/** The position of a key among the items of a mapping, or -1. */
export function keyIndex(map: Node, name: string): number {
  const { items } = map;
  for (let index = 0; index < items.length; index += 2) {
    if ((items[index] as Node).text === name) return index;
  }
  return -1;
}

/** The value of a key; undefined when the node is no mapping or has no such key. */
export function fieldOf(node: Node | undefined, name: string): Node | undefined {
  if (node?.kind !== 'map') return undefined;
  const index = keyIndex(node, name);
  return index < 0 ? undefined : node.items[index + 1];
}

/** As fieldOf for many names: what it takes does not grow with the square of the keys. */
export function fieldsOf(node: Node | undefined): (name: string) => Node | undefined {
  if (node?.kind !== 'map' || node.items.length < 32) return (name) => fieldOf(node, name);
  const fields = new Map<string, Node>();
  for (let index = node.items.length - 2; index >= 0; index -= 2)
    fields.set((node.items[index] as Node).text, node.items[index + 1] as Node);
  return (name) => fields.get(name);
}

/** The value at a path of keys. */
export function fieldAt(node: Node | undefined, ...path: readonly string[]): Node | undefined {
  let current = node;
  for (const name of path) current = fieldOf(current, name);
  return current;
}

/** The text of a scalar field, '' when there is none. */
export function textAt(node: Node | undefined, ...path: readonly string[]): string {
  return fieldAt(node, ...path)?.text ?? '';
}

/** A text that a YAML 1.1 reader would not read as a string when it stands there unquoted. */
export function isYaml11NonString(text: string): boolean {
  if (text === '' || text.includes('\n')) return false;
  const tag = resolveTag(text, 'v2');
  return tag !== tags.str && tag !== tags.timestamp;
}

/**
 * Sets a field of a mapping as kyaml's FieldSetter does: a null value removes the field, an existing field keeps its
 * quoting. `value` must be fresh or owned; gives the mapping.
 */
export function setField(map: Node, name: string, value: Node, edit: Edit, keyStyle: number = 0): Node {
  quoteIfNeeded(value);
  if (value.tag === tags.null) return clearField(map, name, edit);
  const owned = own(map, edit);
  const items = mutableItems(owned);
  const index = keyIndex(owned, name);
  if (index < 0) {
    items.push(newScalar(name, '', value, keyStyle), value);
    return owned;
  }
  const existing = own(items[index + 1] as Node, edit);
  value.style = existing.style;
  assignContent(existing, value);
  edit.wrote(existing);
  items[index + 1] = existing;
  return owned;
}

/** Sets the value of a scalar as kyaml's FieldSetter without a name does: the node keeps its quoting. */
export function setScalar(node: Node, value: Node, edit: Edit): Node {
  quoteIfNeeded(value);
  if (value.tag === tags.null) return node;
  const owned = own(node, edit);
  value.style = owned.style;
  assignContent(owned, value);
  edit.wrote(owned);
  return owned;
}

/** Writes the text of a scalar and nothing else, wherever it stands. */
export function setText(node: Node, text: string, place: Place, edit: Edit): Node {
  const owned = own(node, edit);
  owned.text = text;
  owned.source = place.source;
  owned.start = place.start;
  owned.end = place.end;
  edit.wrote(owned);
  return owned;
}

/** Gives a plain text the quotes without which YAML 1.1 would read something else. */
export function quoteIfNeeded(value: Node): void {
  if (isStringScalar(value) && value.style === 0 && isYaml11NonString(value.text))
    value.style = yamlStyle.doubleQuoted;
}

/** The mapping without a key. */
export function clearField(map: Node, name: string, edit: Edit): Node {
  const index = map.kind === 'map' ? keyIndex(map, name) : -1;
  if (index < 0) return map;
  const owned = own(map, edit);
  mutableItems(owned).splice(index, 2);
  return owned;
}

/** The items of an owned node as a list that may be changed. */
export function mutableItems(owned: Node): Node[] {
  if (owned.items === noItems) owned.items = [];
  return owned.items as Node[];
}

/** The node at a path of keys made writable, with what is missing created; gives the new root. */
export function editAt(
  root: Node,
  path: readonly string[],
  edit: Edit,
  change: (node: Node) => Node,
  place: Place = nowhere,
): Node {
  const [name, ...rest] = path;
  if (name === undefined) return change(root);
  const index = keyIndex(root, name);
  if (index < 0) {
    const owned = own(root, edit);
    const made = editAt(newMap(place), rest, edit, change, place);
    mutableItems(owned).push(newScalar(name, '', place), made);
    return owned;
  }
  const before = root.items[index + 1] as Node;
  const after = editAt(before, rest, edit, change, place);
  return after === before ? root : withItem(root, index + 1, after, edit);
}
