import { concernsKind, setFieldsAt } from './fieldSpec.ts';
import {
  fieldAt,
  fieldOf,
  isNull,
  keyIndex,
  newScalar,
  setField,
  setScalar,
  withItem,
  type Edit,
  type Node,
} from './node.ts';
import { jsonOfNode } from './nodeJson.ts';
import { PathTree } from './pathTree.ts';
import { fail } from './problem.ts';
import { effectiveNamespace, formatResId, isSelected, type Gvk, type ResId } from './resId.ts';
import type { Resource } from './resource.ts';
import { changeEach } from './transformer.ts';
import type { BackReference, FieldSpec } from './transformerConfig.ts';

interface Reference {
  readonly spec: FieldSpec;
  readonly target: Gvk;
}

/** Objects that were renamed or moved, by each name they had: the only ones a reference can need to follow. */
interface Renamed {
  readonly byName: ReadonlyMap<string, readonly Resource[]>;
  readonly byOriginalNamespace: ReadonlyMap<string, readonly Resource[]>;
  readonly byCurrentNamespace: ReadonlyMap<string, readonly Resource[]>;
}

/**
 * The step that brings the names in references (volumes, role bindings, webhooks and so on) to what the objects are called
 * now. Each object is looked up by its earlier names, so the work grows with the number of references only. The step holds
 * as long as no object gets another id.
 */
export function fixReferences(objects: readonly Resource[], backReferences: readonly BackReference[]): Step {
  const renamed = indexRenamed(objects);
  const referencesByKind = new Map<string, PathTree<Reference>>();
  const fix = changeEach((object) => {
    const { group, version, kind } = object.originalId;
    const key = `${group}/${version}/${kind}`;
    let references = referencesByKind.get(key);
    if (references === undefined) {
      references = new PathTree(referencesOf(object.originalId, backReferences), ({ spec }) => spec.path);
      referencesByKind.set(key, references);
    }
    const met = references.meetingIn(object.root);
    return met.length === 0 ? object : fixObject(object, met, renamed);
  });
  return withCheckedSubjects(fix);
}

type Step = (objects: readonly Resource[]) => readonly Resource[];

/** Upstream looks at the subjects of every RoleBinding, also where no name has changed. */
function withCheckedSubjects(step: Step): Step {
  return (objects) => {
    for (const object of objects) if (object.kind === 'RoleBinding') boundNamespacesOf(object);
    return step(objects);
  };
}

function referencesOf(id: ResId, backReferences: readonly BackReference[]): readonly Reference[] {
  return backReferences.flatMap((target) =>
    target.referrers.filter((spec) => isSelected(id, spec)).map((spec) => ({ spec, target })),
  );
}

function indexRenamed(objects: readonly Resource[]): Renamed {
  const byName = new Map<string, Resource[]>();
  const byOriginalNamespace = new Map<string, Resource[]>();
  const byCurrentNamespace = new Map<string, Resource[]>();
  const push = (map: Map<string, Resource[]>, key: string, object: Resource) => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [object]);
    else list.push(object);
  };
  for (const object of objects) {
    for (const name of new Set(object.previousIds.map((id) => id.name))) push(byName, name, object);
    push(byOriginalNamespace, effectiveNamespace(object.originalId), object);
    push(byCurrentNamespace, effectiveNamespace(object.id), object);
  }
  return { byName, byOriginalNamespace, byCurrentNamespace };
}

interface Referrer {
  readonly object: Resource;
  readonly renamed: Renamed;
  /** Namespaces of the service accounts that a RoleBinding names. */
  readonly boundNamespaces: ReadonlySet<string>;
}

function fixObject(given: Resource, references: readonly Reference[], renamed: Renamed): Resource {
  const referrer: Referrer = { object: given, renamed, boundNamespaces: boundNamespacesOf(given) };
  return given.edited((root, edit) => {
    let result = root;
    for (const reference of references) {
      // Upstream takes the kind of the field from the referrer itself, so only the path counts here.
      const spec: FieldSpec = { ...reference.spec, group: '', version: '', kind: '' };
      if (!concernsKind(spec, given)) continue;
      result = setFieldsAt(result, spec, {
        edit,
        place: given.root,
        set: (node) => fixNode(node, reference, referrer, edit),
      });
    }
    return result;
  });
}

function boundNamespacesOf(object: Resource): ReadonlySet<string> {
  const namespaces = new Set<string>();
  if (object.kind !== 'RoleBinding' || object.id.isClusterScoped) return namespaces;
  const subjects = fieldOf(object.root, 'subjects');
  if (subjects?.kind !== 'seq') return namespaces;
  for (const subject of subjects.items) {
    if (subject.kind !== 'map')
      fail('build-invalid-object', 'a subject must be a mapping', subject, 'give it a kind and a name');
    const namespace = fieldOf(subject, 'namespace');
    const kind = fieldOf(subject, 'kind');
    if (namespace === undefined || kind === undefined) continue;
    if (typeof jsonOfNode(kind) !== 'string')
      fail(
        'build-invalid-object',
        'the kind of a subject must be text',
        subject,
        'write ServiceAccount, User or Group',
      );
    if (kind.text !== 'ServiceAccount') continue;
    if (typeof jsonOfNode(namespace) !== 'string')
      fail(
        'build-invalid-object',
        'the namespace of a subject is blank',
        subject,
        'name it, or leave it out',
      );
    namespaces.add(namespace.text);
  }
  return namespaces;
}

function fixNode(node: Node, reference: Reference, referrer: Referrer, edit: Edit): Node {
  if (isNull(node)) return node;
  if (node.kind === 'scalar') return fixScalar(node, reference, referrer, edit);
  if (node.kind === 'map') return fixMapping(node, reference, referrer, edit);
  let result = node;
  node.items.forEach((item, index) => {
    if (isNull(item)) return;
    if (item.kind === 'seq')
      fail('build-invalid-field', `${reference.spec.path} must be a list of names`, item);
    const next =
      item.kind === 'scalar'
        ? fixScalar(item, reference, referrer, edit)
        : fixMapping(item, reference, referrer, edit);
    if (next !== item) result = withItem(result, index, next, edit);
  });
  return result;
}

function fixScalar(node: Node, reference: Reference, referrer: Referrer, edit: Edit): Node {
  const candidates = referrer.renamed.byName.get(node.text);
  if (candidates === undefined) return node;
  const referral = selectReferral(candidates, reference, referrer, (left, right) => left.name === right.name);
  if (referral === undefined || referral.name === node.text) return node;
  return setScalar(node, newScalar(referral.name, '', node), edit);
}

function fixMapping(node: Node, reference: Reference, referrer: Referrer, edit: Edit): Node {
  const index = keyIndex(node, 'name');
  if (index < 0) return fail('build-invalid-field', `${reference.spec.path} must have a name`, node);
  const name = (node.items[index + 1] as Node).text;
  const named = referrer.renamed.byName.get(name);
  if (named === undefined) return node;
  const candidates = inNamespaceOf(node, named, referrer);
  const isSame = (left: Resource, right: Resource) =>
    left.name === right.name && left.namespace === right.namespace;
  const referral = selectReferral(candidates, reference, referrer, isSame);
  if (referral === undefined || (referral.name === name && referral.namespace === '')) return node;
  const renamed = setField(node, 'name', newScalar(referral.name, '', node), edit);
  return referral.namespace === ''
    ? renamed
    : setField(renamed, 'namespace', newScalar(referral.namespace, '', node), edit);
}

/** Of objects with a name those in the namespace that the reference gives: the one they were read in, else the present. */
function inNamespaceOf(node: Node, named: readonly Resource[], referrer: Referrer): readonly Resource[] {
  const field = fieldOf(node, 'namespace');
  if (field === undefined) return named;
  const namespace = field.text;
  const { byOriginalNamespace } = referrer.renamed;
  const isOriginal = (byOriginalNamespace.get(namespace) ?? []).some((object) =>
    mayReferTo(referrer, object),
  );
  return named.filter(
    (object) => effectiveNamespace(isOriginal ? object.originalId : object.id) === namespace,
  );
}

/** A namespaced object refers to objects of its namespace and to cluster-scoped ones only. */
function mayReferTo({ object, boundNamespaces }: Referrer, target: Resource): boolean {
  return (
    object.id.isClusterScoped ||
    target.id.isClusterScoped ||
    effectiveNamespace(object.id) === effectiveNamespace(target.id) ||
    boundNamespaces.has(target.namespace)
  );
}

function selectReferral(
  named: readonly Resource[],
  { spec, target }: Reference,
  referrer: Referrer,
  isSame: (left: Resource, right: Resource) => boolean,
): Resource | undefined {
  const { object } = referrer;
  const role = spec.path.endsWith('roleRef/name') ? roleOf(object.root) : undefined;
  let candidates = named.filter(
    (candidate) =>
      mayReferTo(referrer, candidate) &&
      candidate.previousIds.some((id) => isSelected(id, target)) &&
      (role === undefined || candidate.previousIds.some((id) => isSelected(id, role))) &&
      isNear(object, candidate),
  );
  if (candidates.length > 1) {
    candidates = candidates.filter((candidate) => hasSameAffixes(candidate, object, true));
    if (candidates.length > 1)
      candidates = candidates.filter((candidate) => hasSameAffixes(candidate, object, false));
  }
  const [first, ...others] = candidates;
  if (first === undefined) return undefined;
  if (others.every((other) => isSame(first, other))) return first;
  return fail(
    'build-ambiguous-reference',
    `${formatResId(object.id)} refers to a name that several objects had: ${candidates
      .map((candidate) => formatResId(candidate.id))
      .join(', ')}`,
    fieldAt(object.root, 'metadata', 'name') ?? object.root,
    'give the objects different names, or put them into the same kustomization as what refers to them',
  );
}

/** True for targets in the referrer's namespace, cluster-scoped ones and service accounts anywhere. */
function isNear(object: Resource, candidate: Resource): boolean {
  return (
    object.id.isClusterScoped ||
    candidate.id.isClusterScoped ||
    candidate.kind === 'ServiceAccount' ||
    effectiveNamespace(object.id) === effectiveNamespace(candidate.id)
  );
}

function roleOf(root: Node): Gvk | undefined {
  const group = fieldAt(root, 'roleRef', 'apiGroup');
  const kind = fieldAt(root, 'roleRef', 'kind');
  return group === undefined || kind === undefined
    ? undefined
    : { group: group.text, version: '', kind: kind.text };
}

function hasSameAffixes(left: Resource, right: Resource, allowEmpty: boolean): boolean {
  return (
    endsAlike(left.prefixes, right.prefixes, allowEmpty) &&
    endsAlike(left.suffixes, right.suffixes, allowEmpty)
  );
}

function endsAlike(left: readonly string[], right: readonly string[], allowEmpty: boolean): boolean {
  if (left.length === 0 || right.length === 0) return allowEmpty || left.length === right.length;
  const length = Math.min(left.length, right.length);
  for (let index = 1; index <= length; index++)
    if (left[left.length - index] !== right[right.length - index]) return false;
  return true;
}
