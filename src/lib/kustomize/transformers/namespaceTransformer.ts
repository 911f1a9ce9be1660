import { tags } from '../../../kube/yamlScalar.ts';
import { concernsKind, setFieldsAt, type FieldSetter } from '../fieldSpec.ts';
import {
  fieldOf,
  isEmpty,
  isNull,
  keyIndex,
  newScalar,
  own,
  setField,
  withItem,
  type Edit,
  type Node,
  type Place,
} from '../node.ts';
import { fail } from '../problem.ts';
import { formatResId } from '../resId.ts';
import { buildAnnotation, storePreviousId, type Resource } from '../resource.ts';
import { onEach, type Transformer } from '../transformer.ts';
import type { FieldSpec } from '../transformerConfig.ts';
import { hasText, requireKind, setScalarText } from './setEntry.ts';

export interface NamespaceOptions {
  readonly namespace: string;
  readonly place: Place;
  readonly fieldSpecs: readonly FieldSpec[];
  /** Leaves fields alone that have a namespace already. */
  readonly unsetOnly?: boolean;
  readonly subjects?: 'defaultOnly' | 'allServiceAccounts' | 'none';
}

const metadataNamespace: FieldSpec = {
  group: '',
  version: '',
  kind: '',
  path: 'metadata/namespace',
  create: true,
};

/** Moves objects to a namespace, with what names it: role binding subjects, webhooks, the Namespace itself. */
export function namespaceTransformer(options: NamespaceOptions): Transformer {
  const move = onEach((object) => {
    if (isEmpty(object.root)) return object;
    if (object.annotations.get(buildAnnotation.helmGenerated) === 'true') return object;
    return object.edited((root, edit) =>
      setNamespace(storePreviousId(root, object.id, edit), object, options, edit),
    );
  });
  return {
    type: 'NamespaceTransformer',
    transform: (objects) =>
      options.namespace === '' ? objects : checked(objects, move(objects), options.place),
  };
}

/** The moved objects. They are moved one after the other, and none may take the id of another on the way. */
function checked(
  objects: readonly Resource[],
  moved: readonly Resource[],
  place: Place,
): readonly Resource[] {
  const counts = new Map<string, number>();
  const count = (key: string, by: number): number => {
    const sum = (counts.get(key) ?? 0) + by;
    counts.set(key, sum);
    return sum;
  };
  for (const object of objects) count(object.id.key, 1);
  moved.forEach((object, index) => {
    const before = objects[index] as Resource;
    count(before.id.key, -1);
    if (count(object.id.key, 1) !== 1 && object !== before)
      fail(
        'build-duplicate-object',
        `namespace makes two objects the same: ${formatResId(object.id)}`,
        before.root.source === undefined ? place : before.root,
        'rename one of them',
      );
  });
  return moved;
}

/** Sets every namespace of one object. */
export function setNamespace(root: Node, object: Resource, options: NamespaceOptions, edit: Edit): Node {
  const { namespace, place, unsetOnly = false } = options;
  const set = (node: Node): Node =>
    unsetOnly && hasText(node) ? node : setScalarText(node, namespace, tags.str, place, edit);
  const setter: FieldSetter = { edit, place, set, create: { kind: 'scalar', tag: tags.str } };
  let result = root;
  if (!object.id.isClusterScoped)
    result = setFieldsAt(result, metadataNamespace, { ...setter, create: { kind: 'scalar', tag: '' } });
  const isBinding = object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding';
  if (isBinding) result = setSubjects(result, options, set, edit);
  for (const spec of options.fieldSpecs) {
    if (spec.path === 'metadata/namespace') continue;
    if (spec.path === 'metadata/name' && object.apiVersion !== 'v1') continue;
    const isSubjects = spec.path === 'subjects/namespace';
    if (isBinding && isSubjects && (spec.kind === 'RoleBinding' || spec.kind === 'ClusterRoleBinding'))
      continue;
    if (concernsKind(spec, object)) result = setFieldsAt(result, spec, setter);
  }
  return result;
}

function setSubjects(root: Node, options: NamespaceOptions, set: (node: Node) => Node, edit: Edit): Node {
  const { subjects = 'defaultOnly', place } = options;
  const index = keyIndex(root, 'subjects');
  if (subjects === 'none' || index < 0) return root;
  let list = root.items[index + 1] as Node;
  if (isNull(list)) return root;
  requireKind(list, 'seq', place);
  list.items.forEach((subject, at) => {
    if (isNull(subject)) return;
    requireKind(subject, 'map', place);
    const [name, wanted] = subjects === 'defaultOnly' ? ['name', 'default'] : ['kind', 'ServiceAccount'];
    const field = fieldOf(subject, name);
    if (field === undefined || isNull(field)) return;
    requireKind(field, 'scalar', place);
    if (field.text !== wanted) return;
    const owned = own(subject, edit);
    const existing = fieldOf(owned, 'namespace');
    const next = set(existing ?? newScalar('', '', place));
    const changed =
      existing === undefined
        ? setField(owned, 'namespace', next, edit)
        : withItem(owned, keyIndex(owned, 'namespace') + 1, next, edit);
    list = withItem(list, at, changed, edit);
  });
  return withItem(root, index + 1, list, edit);
}
