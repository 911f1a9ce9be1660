import { equalJson, type JsonValue } from '../../base/json.ts';
import type { CopyBudget } from './limits.ts';
import { keyIndex, newScalar, type Node, type Place } from './node.ts';
import { jsonOfNode } from './nodeJson.ts';
import { fail } from './problem.ts';

/** One operation of a JSON 6902 patch, and where it stands. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** The value as nodes; undefined when the operation has none. */
  readonly value: Node | undefined;
  readonly place: Place;
}

interface Slot {
  readonly container: Node;
  readonly key: string;
}

/** Applies the operations, one after the other, to a tree that only the caller holds. Throws BuildFailure. */
export function applyJsonPatch(root: Node, operations: readonly PatchOperation[], budget: CopyBudget): Node {
  let document = root;
  for (const operation of operations) document = apply(document, operation, budget);
  return document;
}

function apply(root: Node, operation: PatchOperation, budget: CopyBudget): Node {
  const { op, path, place } = operation;
  if (path === undefined) return failed(operation, 'the operation has no path');
  switch (op) {
    case 'add':
      add(find(root, path, operation), valueOf(operation), operation);
      return root;
    case 'remove':
      remove(find(root, path, operation), operation);
      return root;
    case 'replace':
      if (path === '') return replaceRoot(operation);
      replace(find(root, path, operation), valueOf(operation), operation);
      return root;
    case 'move': {
      const source = find(root, requireFrom(operation), operation);
      const value = get(source, operation) ?? newScalar('null', '!!null', place);
      remove(source, operation);
      add(find(root, path, operation), value, operation);
      return root;
    }
    case 'copy': {
      const value = get(find(root, requireFrom(operation), operation), operation);
      if (value !== undefined) budget.take(value, place);
      add(
        find(root, path, operation),
        value === undefined ? newScalar('null', '!!null', place) : copyOf(value),
        operation,
      );
      return root;
    }
    case 'test':
      test(root, path, operation);
      return root;
    default:
      return failed(
        operation,
        `unknown operation ${JSON.stringify(op)}`,
        'write add, remove, replace, move, copy or test',
      );
  }
}

function failed(operation: PatchOperation, reason: string, hint?: string): never {
  const { op, path = '' } = operation;
  return fail(
    'build-invalid-patch',
    `cannot ${op}${path === '' ? '' : ` ${path}`}: ${reason}`,
    operation.place,
    hint,
  );
}

function requireFrom(operation: PatchOperation): string {
  return operation.from ?? failed(operation, 'the operation has no from');
}

function valueOf({ value, place }: PatchOperation): Node {
  return value === undefined ? newScalar('null', '!!null', place) : copyOf(value);
}

/** A copy that no other operation or object shares. */
function copyOf(node: Node): Node {
  return { ...node, items: node.items.map(copyOf) };
}

function replaceRoot(operation: PatchOperation): Node {
  const value = valueOf(operation);
  if (value.kind !== 'map') failed(operation, 'an object can only be replaced by an object');
  return value;
}

/** The mapping or list that holds the last part of the path. */
function find(root: Node, path: string, operation: PatchOperation): Slot {
  const parts = path.split('/').map(decodeToken);
  if (parts.length < 2) return failed(operation, 'a path starts with /');
  let container = root;
  for (const part of parts.slice(1, -1)) {
    const next = memberOf(container, part);
    if (next === undefined || next.kind === 'scalar')
      return failed(
        operation,
        `the object has no ${JSON.stringify(part)} on the way`,
        'add the missing parent first, or check the path; in it / is written ~1',
      );
    container = next;
  }
  return { container, key: parts[parts.length - 1] ?? '' };
}

function decodeToken(token: string): string {
  return token.includes('~') ? token.replaceAll(/~[01]/g, (code) => (code === '~1' ? '/' : '~')) : token;
}

function memberOf(container: Node, key: string): Node | undefined {
  if (container.kind === 'map') {
    const index = keyIndex(container, key);
    return index < 0 ? undefined : container.items[index + 1];
  }
  const index = indexIn(container, key);
  return index === undefined ? undefined : container.items[index];
}

/** The index a key means in a list, negative ones from its end; undefined when there is no such element. */
function indexIn(list: Node, key: string): number | undefined {
  const index = parseIndex(key);
  if (index === undefined) return undefined;
  const position = index < 0 ? index + list.items.length : index;
  return position >= 0 && position < list.items.length ? position : undefined;
}

function parseIndex(key: string): number | undefined {
  return /^[-+]?\d+$/.test(key) ? Number(key) : undefined;
}

function get({ container, key }: Slot, operation: PatchOperation): Node | undefined {
  const member = memberOf(container, key);
  if (member === undefined && container.kind === 'seq')
    return failed(operation, `the list has no element ${key}; it has ${container.items.length}`);
  return member;
}

function add({ container, key }: Slot, value: Node, operation: PatchOperation): void {
  const items = container.items as Node[];
  if (container.kind === 'map') {
    setMember(container, key, value);
    return;
  }
  if (key === '-') {
    items.push(value);
    return;
  }
  const index = parseIndex(key);
  if (index === undefined)
    failed(operation, `${JSON.stringify(key)} is no index of a list`, 'write a number, or - for the end');
  const position = index < 0 ? index + items.length + 1 : index;
  if (position < 0 || position > items.length)
    failed(operation, `the list has no position ${key}; it has ${items.length} elements`);
  items.splice(position, 0, value);
}

function remove({ container, key }: Slot, operation: PatchOperation): void {
  const items = container.items as Node[];
  if (container.kind === 'map') {
    const index = keyIndex(container, key);
    if (index < 0)
      failed(
        operation,
        `there is no ${JSON.stringify(key)} to remove`,
        'check the path; in it / is written ~1',
      );
    items.splice(index, 2);
    return;
  }
  const index = indexIn(container, key);
  if (index === undefined) failed(operation, `the list has no element ${key}; it has ${items.length}`);
  items.splice(index, 1);
}

function replace(slot: Slot, value: Node, operation: PatchOperation): void {
  const { container, key } = slot;
  if (container.kind === 'map') {
    setMember(container, key, value);
    return;
  }
  const index = indexIn(container, key);
  if (index === undefined)
    failed(operation, `the list has no element ${key}; it has ${container.items.length}`);
  (container.items as Node[])[index] = value;
}

function setMember(map: Node, key: string, value: Node): void {
  const items = map.items as Node[];
  const index = keyIndex(map, key);
  if (index < 0) items.push({ ...newScalar(key, '!!str', value), style: 2 }, value);
  else items[index + 1] = value;
}

function test(root: Node, path: string, operation: PatchOperation): void {
  const expected: JsonValue = operation.value === undefined ? null : jsonOfNode(operation.value);
  const member = path === '' ? root : get(find(root, path, operation), operation);
  const actual: JsonValue = member === undefined ? null : jsonOfNode(member);
  if (!equalJson(actual, expected)) failed(operation, 'the value is another one');
}
