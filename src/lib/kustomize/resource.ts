import { tags } from '../../kube/yamlScalar.ts';
import { yamlStyle } from '../../kube/yamlNode.ts';
import {
  clearField,
  Edit,
  editAt,
  fieldAt,
  fieldOf,
  fieldsOf,
  isEmpty,
  isNull,
  newScalar,
  newString,
  nowhere,
  quoteIfNeeded,
  setField,
  textAt,
  type Node,
  type Place,
} from './node.ts';
import { fail } from './problem.ts';
import { gvkOf, isClusterScoped, effectiveNamespace, type Gvk, ResId, type Scopes } from './resId.ts';

/** Annotations in which upstream, and so this build, keeps what it knows of an object; none is in the result. */
export const buildAnnotation = {
  previousNames: 'internal.config.kubernetes.io/previousNames',
  previousNamespaces: 'internal.config.kubernetes.io/previousNamespaces',
  previousKinds: 'internal.config.kubernetes.io/previousKinds',
  prefixes: 'internal.config.kubernetes.io/prefixes',
  suffixes: 'internal.config.kubernetes.io/suffixes',
  refBy: 'internal.config.kubernetes.io/refBy',
  behavior: 'internal.config.kubernetes.io/generatorBehavior',
  needsHash: 'internal.config.kubernetes.io/needsHashSuffix',
  allowNameChange: 'internal.config.kubernetes.io/allowNameChange',
  allowKindChange: 'internal.config.kubernetes.io/allowKindChange',
  helmGenerated: 'internal.config.kubernetes.io/helm-generated',
} as const;

/** Annotations that a finished build removes. */
export const removedAnnotations: readonly string[] = [
  ...Object.values(buildAnnotation),
  'internal.config.kubernetes.io/path',
  'internal.config.kubernetes.io/index',
  'internal.config.kubernetes.io/seqindent',
  'internal.config.kubernetes.io/id',
  'internal.config.kubernetes.io/annotations-migration-resource-id',
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
];

/** The fields that say all that a Resource tells of its object. */
const headFields = ['apiVersion', 'kind', 'metadata'] as const;

/** One object at one point of a build. Immutable: a transformer makes another one. */
export class Resource {
  readonly root: Node;
  /** Names of the vars that take their value from this object. */
  readonly vars: readonly string[];
  readonly #scopes: Scopes | undefined;
  #id: ResId | undefined;
  #previousIds: readonly ResId[] | undefined;
  #annotations: ReadonlyMap<string, string> | undefined;
  #labels: ReadonlyMap<string, string> | undefined;
  #signature: string | undefined;

  constructor(root: Node, scopes?: Scopes, vars: readonly string[] = []) {
    this.root = root;
    this.vars = vars;
    this.#scopes = scopes;
  }

  get kind(): string {
    return this.id.kind;
  }

  get apiVersion(): string {
    return textAt(this.root, 'apiVersion');
  }

  get gvk(): Gvk {
    return this.id;
  }

  get name(): string {
    return metaText(this.root, 'name');
  }

  get namespace(): string {
    return metaText(this.root, 'namespace');
  }

  /** The id the object has now. */
  get id(): ResId {
    if (this.#id === undefined) {
      const gvk = gvkOf(this.apiVersion, textAt(this.root, 'kind'));
      this.#id = new ResId(gvk, this.name, this.namespace, isClusterScoped(gvk, this.#scopes));
    }
    return this.#id;
  }

  /** The ids it had before it was renamed or moved, oldest first. */
  get previousIds(): readonly ResId[] {
    this.#previousIds ??= previousIdsOf(this);
    return this.#previousIds;
  }

  /** The id it was read with. */
  get originalId(): ResId {
    return this.previousIds[0] ?? this.id;
  }

  get annotations(): ReadonlyMap<string, string> {
    this.#annotations ??= textsOf(this.root, 'annotations');
    return this.#annotations;
  }

  get labels(): ReadonlyMap<string, string> {
    this.#labels ??= textsOf(this.root, 'labels');
    return this.#labels;
  }

  get prefixes(): readonly string[] {
    return listOf(this.annotations.get(buildAnnotation.prefixes));
  }

  get suffixes(): readonly string[] {
    return listOf(this.annotations.get(buildAnnotation.suffixes));
  }

  /** All that references to and from the object depend on. */
  get idSignature(): string {
    this.#signature ??= [
      this.id.key,
      ...this.previousIds.map(({ key }) => key),
      ...this.prefixes,
      '',
      ...this.suffixes,
      this.namespace,
    ].join('\t');
    return this.#signature;
  }

  isEnabled(annotation: string): boolean {
    return this.annotations.get(annotation) === 'enabled';
  }

  /** The object with another tree; itself when the tree is the same. */
  with(root: Node): Resource {
    if (root === this.root) return this;
    const next = new Resource(root, this.#scopes, this.vars);
    if (headFields.every((name) => fieldOf(root, name) === fieldOf(this.root, name))) {
      next.#id = this.#id;
      next.#previousIds = this.#previousIds;
      next.#annotations = this.#annotations;
      next.#labels = this.#labels;
      next.#signature = this.#signature;
    }
    return next;
  }

  withVars(names: readonly string[]): Resource {
    return new Resource(this.root, this.#scopes, names);
  }

  /** Runs one pass of changes over the tree. */
  edited(change: (root: Node, edit: Edit) => Node): Resource {
    const edit = new Edit();
    return this.with(edit.finish(change(this.root, edit)));
  }
}

function metaText(root: Node, name: string): string {
  const field = fieldAt(root, 'metadata', name);
  return isEmpty(field) ? '' : (field?.text ?? '');
}

/** Upstream takes a list here for keys and values, and crashes at one whose last key has no value. */
function textsOf(root: Node, field: string): ReadonlyMap<string, string> {
  const metadata = fieldOf(root, 'metadata');
  const map = new Map<string, string>();
  const texts = isEmpty(metadata) ? undefined : fieldOf(metadata, field);
  if (texts === undefined) return map;
  const { items } = texts;
  if (items.length % 2 !== 0)
    fail('build-invalid-object', `metadata.${field} must be a mapping of texts, not a list`, texts);
  for (let index = 0; index + 1 < items.length; index += 2)
    map.set((items[index] as Node).text, (items[index + 1] as Node).text);
  return map;
}

function previousIdsOf(resource: Resource): readonly ResId[] {
  const { annotations } = resource;
  const names = annotations.get(buildAnnotation.previousNames)?.split(',');
  if (names === undefined) return [];
  const namespaces = (annotations.get(buildAnnotation.previousNamespaces) ?? '').split(',');
  const kinds = (annotations.get(buildAnnotation.previousKinds) ?? '').split(',');
  if (names.length !== namespaces.length || names.length !== kinds.length)
    fail(
      'build-invalid-object',
      'the annotations that kustomize keeps about earlier names do not fit together',
      resource.root,
      'remove annotations that start with internal.config.kubernetes.io/, and give every object a kind and a name',
    );
  const gvk = gvkOf(resource.apiVersion, resource.kind);
  return names.map(
    (name, index) => new ResId({ ...gvk, kind: kinds[index] ?? '' }, name, namespaces[index] ?? '', false),
  );
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',');
}

/** Records the current id as a previous one. */
export function storePreviousId(root: Node, id: ResId, edit: Edit): Node {
  let result = appendToAnnotation(root, buildAnnotation.previousNames, id.name, edit);
  result = appendToAnnotation(result, buildAnnotation.previousNamespaces, effectiveNamespace(id), edit);
  return appendToAnnotation(result, buildAnnotation.previousKinds, id.kind, edit);
}

/** Adds to a comma-separated annotation. */
export function appendToAnnotation(root: Node, name: string, value: string, edit: Edit): Node {
  if (value === '') return root;
  const current = fieldAt(root, 'metadata', 'annotations', name);
  const text =
    current === undefined || isEmpty(fieldOf(root, 'metadata')) ? value : `${current.text},${value}`;
  return setAnnotation(root, name, newScalar(text, tags.str, nowhere, yamlStyle.singleQuoted), edit);
}

/** Sets one annotation. */
export function setAnnotation(root: Node, name: string, value: Node, edit: Edit): Node {
  let result = root;
  if (fieldAt(root, 'metadata', 'annotations')?.items.length === 0)
    result = editAt(result, ['metadata'], edit, (metadata) => clearField(metadata, 'annotations', edit));
  return editAt(result, ['metadata', 'annotations'], edit, (map) => setField(map, name, value, edit), value);
}

/** Writes all labels or annotations anew, sorted and as strings; texts that stay keep their place. */
export function setMetaTexts(
  root: Node,
  field: 'annotations' | 'labels',
  texts: ReadonlyMap<string, string>,
  edit: Edit,
  place: Place = nowhere,
): Node {
  return editAt(root, ['metadata'], edit, (metadata) => {
    if (isNull(metadata)) return metadata;
    const old = fieldOf(metadata, field);
    const cleared = clearField(metadata, field, edit);
    if (texts.size === 0) return cleared;
    const before = fieldsOf(old);
    const items: Node[] = [];
    for (const key of [...texts.keys()].sort(compareBytes)) {
      const text = texts.get(key) ?? '';
      const kept = before(key);
      const value = newString(text, kept?.text === text ? kept : place);
      quoteIfNeeded(value);
      items.push(newScalar(key, '', value), value);
    }
    const map: Node = { ...newScalar('', '', old ?? place), kind: 'map', items };
    return setField(cleared, field, map, edit);
  });
}

/** Go's order of strings: by UTF-8 bytes, which is by code point. */
export function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const leftUnit = left.charCodeAt(index);
    const rightUnit = right.charCodeAt(index);
    if (leftUnit === rightUnit) continue;
    const isLeftPair = leftUnit >= 0xd800 && leftUnit <= 0xdfff;
    const isRightPair = rightUnit >= 0xd800 && rightUnit <= 0xdfff;
    if (isLeftPair !== isRightPair) return isLeftPair ? 1 : -1;
    return leftUnit - rightUnit;
  }
  return left.length - right.length;
}
