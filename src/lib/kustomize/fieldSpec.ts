import { tags } from '../../kube/yamlScalar.ts';
import {
  keyIndex,
  mutableItems,
  newMap,
  newScalar,
  own,
  setField,
  withItem,
  type Edit,
  type Node,
  type Place,
} from './node.ts';
import { fail } from './problem.ts';
import type { Resource } from './resource.ts';
import type { FieldSpec } from './transformerConfig.ts';

/** How a transformer sets the fields that a FieldSpec leads to. */
export interface FieldSetter {
  readonly edit: Edit;
  /** Gives the node to put in the place of the one found. */
  set(node: Node): Node;
  /** What is created when the field is missing and the FieldSpec says create; nothing when absent. */
  readonly create?: { readonly kind: 'map' | 'scalar'; readonly tag: string };
  /** The line that asks for the change: the origin of what is created. */
  readonly place: Place;
}

interface Step {
  readonly name: string;
  readonly isList: boolean;
}

/** Parts of a path that mean elements of a list: an index, `-`, `*` or `[name=value]`. */
const elementName = /^(?:[-+]?\d+|-|\*|\[.*\])$/s;
const stepsByPath = new Map<string, readonly Step[]>();

/** Tells whether a FieldSpec is about the object's kind. */
export function concernsKind(spec: FieldSpec, resource: Resource): boolean {
  const { group, version, kind } = resource.gvk;
  return (
    (spec.kind === '' || spec.kind === kind) &&
    (spec.group === '' || spec.group === group) &&
    (spec.version === '' || spec.version === version)
  );
}

/** Sets every field of the tree that the FieldSpec's path leads to, through lists; gives the new root. */
export function setFieldsAt(root: Node, spec: FieldSpec, setter: FieldSetter): Node {
  return visit(root, fieldStepsOf(spec.path), 0, spec, setter);
}

function visit(
  node: Node,
  steps: readonly Step[],
  depth: number,
  spec: FieldSpec,
  setter: FieldSetter,
): Node {
  const step = steps[depth];
  if (step === undefined) return setter.set(node);
  if (node.tag === tags.null) return node;
  if (node.kind === 'seq') {
    let result = node;
    for (let index = 0; index < result.items.length; index++) {
      const item = result.items[index] as Node;
      const next = visit(item, steps, depth, spec, setter);
      if (next !== item) result = withItem(result, index, next, setter.edit);
    }
    return result;
  }
  if (node.kind !== 'map')
    fail(
      'build-invalid-field',
      `cannot set ${spec.path}: a mapping or list is expected here, not a value`,
      node,
    );
  return visitField(node, steps, depth, spec, setter);
}

function visitField(
  map: Node,
  steps: readonly Step[],
  depth: number,
  spec: FieldSpec,
  setter: FieldSetter,
): Node {
  const { name, isList } = steps[depth] as Step;
  if (name === '') fail('build-invalid-field', 'cannot set or create a field without a name', setter.place);
  if (elementName.test(name))
    fail(
      'build-invalid-field',
      `cannot set ${spec.path}: ${name} names elements of a list, but a mapping is here`,
      map,
      'a field specification takes names of fields only',
    );
  const { edit, create } = setter;
  const isLast = depth === steps.length - 1;
  const mayCreate = spec.create && create !== undefined && !isList;
  const index = keyIndex(map, name);
  if (index < 0) {
    if (!mayCreate) return map;
    const made = isLast && create.kind === 'scalar' ? newScalar('', '', setter.place) : newMap(setter.place);
    const owned = own(setField(map, name, made, edit), edit);
    const at = keyIndex(owned, name) + 1;
    mutableItems(owned)[at] = visit(made, steps, depth + 1, spec, setter);
    return owned;
  }
  let field = map.items[index + 1] as Node;
  if (field.tag === tags.null && (mayCreate || isList)) {
    field = own(field, edit);
    field.kind = isList ? 'seq' : isLast && create?.kind === 'scalar' ? 'scalar' : 'map';
    field.tag = isList ? '' : isLast ? (create?.tag ?? '') : tags.map;
  }
  const next = visit(field, steps, depth + 1, spec, setter);
  return next === map.items[index + 1] ? map : withItem(map, index + 1, next, edit);
}

/** True for a part that is the name of a field and nothing else. */
export function isPlainStep({ name, isList }: Step): boolean {
  return !isList && name !== '' && !elementName.test(name);
}

/** The parts of a FieldSpec's path. */
export function fieldStepsOf(path: string): readonly Step[] {
  let steps = stepsByPath.get(path);
  if (steps === undefined) {
    steps = splitPath(path, '/').map((part) => {
      const isList = part.endsWith('[]');
      return { name: isList ? part.slice(0, -2) : part, isList };
    });
    stepsByPath.set(path, steps);
  }
  return steps;
}

/** Splits at a delimiter that no backslash escapes; a leading one does not count. */
export function splitPath(path: string, delimiter: string): string[] {
  const parts = path.split(delimiter);
  if (parts.length > 1 && parts[0] === '') parts.shift();
  const result = [parts[0] ?? ''];
  for (const part of parts.slice(1)) {
    const previous = result[result.length - 1] as string;
    if (previous.endsWith('\\')) result[result.length - 1] = previous.slice(0, -1) + delimiter + part;
    else result.push(part);
  }
  return result;
}

/** As splitPath at dots, but `[name=a.b]` and `[a.b]` stay one part; the latter loses its brackets. */
export function splitFieldPath(path: string): string[] {
  const parts = splitPath(path, '.');
  const result: string[] = [];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as string;
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part);
      continue;
    }
    const bracketed = [part];
    while (index < parts.length - 1) {
      const next = parts[++index] as string;
      bracketed.push(next);
      if (next.endsWith(']')) break;
    }
    const joined = bracketed.join('.');
    result.push(joined.includes('=') ? joined : joined.replace(/^[[\]]+/, '').replace(/[[\]]+$/, ''));
  }
  return result;
}
