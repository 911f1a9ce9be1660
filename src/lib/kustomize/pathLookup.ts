import { goRegExp } from './goRegExp.ts';
import {
  fieldOf,
  isNull,
  keyIndex,
  mutableItems,
  newMap,
  newScalar,
  newSequence,
  type Edit,
  type Node,
  type Place,
} from './node.ts';
import { printNode } from './nodePrint.ts';
import { fail } from './problem.ts';
import { requireKind } from './transformers/setEntry.ts';

/** The node a field path of a replacement's source or of a var leads to; undefined when there is none. */
export function lookUp(root: Node, path: readonly string[], place: Place): Node | undefined {
  let node: Node | undefined = root;
  for (const part of path.map((each) => each.trim()).filter((each) => each !== '')) {
    if (node === undefined) return undefined;
    node = step(node, part, place);
  }
  return node;
}

function step(node: Node, part: string, place: Place): Node | undefined {
  if (/^[-+]?\d+$/.test(part)) {
    if (Number(part) < 0) fail('build-replacement', `the index ${part} is negative`, place);
    requireKind(node, 'seq', place);
    return node.items[Number(part)];
  }
  if (part === '-') {
    requireKind(node, 'seq', place);
    return node.items[node.items.length - 1];
  }
  if (part === '*') return fail('build-replacement', 'a source cannot have a wildcard', place);
  if (isElementPart(part)) {
    const [key, value] = elementOf(part, place);
    requireKind(node, 'seq', place);
    if (key === '') return node.items.find((item) => item.text === value);
    return node.items.find((item) => item.kind === 'map' && fieldOf(item, key)?.text === value);
  }
  if (isNull(node)) return undefined;
  requireKind(node, 'map', place);
  return fieldOf(node, part);
}

function isElementPart(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

function elementOf(part: string, place: Place): [key: string, value: string] {
  const inner = part.replace(/\]$/, '').replace(/^\[/, '');
  const equals = inner.indexOf('=');
  if (equals < 0) return fail('build-replacement', `${part} must say which element: [name=value]`, place);
  return [inner.slice(0, equals), inner.slice(equals + 1)];
}

/** What to create when a path leads nowhere. */
export interface MatchOptions {
  readonly create: Node['kind'] | undefined;
  readonly place: Place;
  /** Owns the tree, and with it what is created. */
  readonly edit: Edit;
  /** Reads the text of a scalar that a path leads into; undefined when it is no document. */
  parse(text: Node): Node | undefined;
}

/** Every node that a target's field path leads to, in a tree that may be changed: what is missing can be created. */
export function matchPath(node: Node, path: readonly string[], options: MatchOptions): readonly Node[] {
  const [part, ...rest] = path;
  if (part === undefined) return [node];
  const { place } = options;
  if (isIndex(part)) return matchIndex(node, Number(part), rest, options);
  if (isElementPart(part)) return matchElements(node, part, rest, options);
  if (part === '*') {
    if (isNull(node)) return [];
    requireKind(node, 'seq', place);
    return node.items.flatMap((item) => matchPath(item, rest, options));
  }
  return matchField(node, part, rest, options);
}

function isIndex(part: string | undefined): boolean {
  return part !== undefined && /^\+?\d+$/.test(part);
}

/** The kind of a node to create, by the part of the path that comes next. */
function created(next: string | undefined, options: MatchOptions): Node {
  const kind =
    next === undefined || next === '' ? options.create : isElementPart(next) || isIndex(next) ? 'seq' : 'map';
  if (kind === 'seq') return owned(newSequence(options.place), options);
  return owned(kind === 'map' ? newMap(options.place) : newScalar('', '', options.place), options);
}

function owned(node: Node, { edit }: MatchOptions): Node {
  node.owner = edit;
  return node;
}

function matchField(
  node: Node,
  name: string,
  rest: readonly string[],
  options: MatchOptions,
): readonly Node[] {
  if (isNull(node) && options.create === undefined) return [];
  requireKind(node, 'map', options.place);
  const index = keyIndex(node, name);
  let field = index < 0 ? undefined : node.items[index + 1];
  if (field === undefined) {
    if (options.create === undefined) return [];
    field = created(rest[0], options);
    mutableItems(node).push(newScalar(name, '', options.place), field);
  }
  if (field.kind === 'scalar' && rest.length > 0) {
    const document = options.parse(field);
    if (document === undefined)
      return fail('build-replacement', `${name} is a value, the path cannot lead into it`, options.place);
    return matchPath(document, rest, options);
  }
  return matchPath(field, rest, options);
}

function matchIndex(
  node: Node,
  index: number,
  rest: readonly string[],
  options: MatchOptions,
): readonly Node[] {
  requireKind(node, 'seq', options.place);
  if (node.items.length === index && options.create !== undefined)
    mutableItems(node).push(created(rest[0], options));
  const element = node.items[index];
  if (element === undefined)
    return fail(
      'build-replacement',
      `the path asks for element ${index}, the list has ${node.items.length}`,
      options.place,
    );
  return matchPath(element, rest, options);
}

function matchElements(
  node: Node,
  part: string,
  rest: readonly string[],
  options: MatchOptions,
): readonly Node[] {
  const [key, pattern] = elementOf(part, options.place);
  requireKind(node, 'seq', options.place);
  const expression = goRegExp(pattern, options.place);
  const find = (): readonly Node[] =>
    node.items.flatMap((item) => {
      const compared = key === '' ? item : fieldOf(item, key);
      if (compared === undefined || !expression.test(printNode(compared).trim())) return [];
      return key === '' ? [item] : matchPath(item, rest, options);
    });
  const found = find();
  if (found.length > 0 || options.create === undefined) return found;
  const value = owned(newScalar(pattern, '', options.place), options);
  const element = newMap(options.place, [newScalar(key, '', options.place), value]);
  mutableItems(node).push(key === '' ? value : owned(element, options));
  return find();
}
