import { applyJsonPatch, type PatchOperation } from '../jsonPatch.ts';
import { CopyBudget } from '../limits.ts';
import type { MergeSchemas } from '../mergeSchema.ts';
import {
  clearField,
  editAt,
  fieldAt,
  isEmpty,
  newScalar,
  setField,
  type Edit,
  type Node,
  type Place,
} from '../node.ts';
import { jsonOfNode } from '../nodeJson.ts';
import { nodeOfJson } from '../normalize.ts';
import { appendObjects, objectsById } from '../objectList.ts';
import { fail } from '../problem.ts';
import { formatResId } from '../resId.ts';
import { buildAnnotation, setMetaTexts, storePreviousId, type Resource } from '../resource.ts';
import { selectObjects, type Selector } from '../selector.ts';
import { mergeStrategically } from '../strategicMerge.ts';
import { changeSome, type Transformer } from '../transformer.ts';

export interface MergePatchOptions {
  readonly type: string;
  readonly patches: readonly Resource[];
  readonly target: Selector | undefined;
  readonly schemas: MergeSchemas;
  readonly place: Place;
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
  /** Labels and annotations of the patch are made texts first, as `patchesStrategicMerge` does. */
  readonly asTexts: boolean;
}

/** Merges patches into the objects they name, or into those that a target selects. */
export function mergePatchTransformer(options: MergePatchOptions): Transformer {
  const { type, patches, target, place } = options;
  const [patch, ...others] = patches;
  if (target !== undefined && patch !== undefined) {
    const patchFor = onceBy((apiVersion) => selectedPatch(patch, apiVersion));
    const merge = changeSome((object) => mergePatch(object, patchFor(object.apiVersion), options));
    return {
      type,
      usesSchemas: true,
      transform: (objects) => {
        if (others.length > 0)
          fail(
            'build-invalid-patch',
            'a patch with a target must be a single document',
            place,
            'make one entry of each',
          );
        const selected = new Set(selectObjects(objects, target).map(({ id }) => id.exactKey));
        const changed = merge(objects, ({ id }) => selected.has(id.exactKey));
        return changed === objects
          ? objects
          : appendObjects(
              [],
              changed.filter(({ root }) => !isEmpty(root)),
              place,
            );
      },
    };
  }
  const steps = patches.map((each) => mergeByIdentity(each, options));
  return {
    type,
    usesSchemas: true,
    transform: (objects) => steps.reduce((result, step) => step(result), objects),
  };
}

function mergeByIdentity(
  patch: Resource,
  options: MergePatchOptions,
): (objects: readonly Resource[]) => readonly Resource[] {
  const patchFor = options.asTexts ? onceBy((apiVersion) => selectedPatch(patch, apiVersion)) : () => patch;
  const merge = changeSome((object) => mergePatch(object, patchFor(object.apiVersion), options));
  return (objects) => {
    const found = objectsById(objects, patch.originalId);
    const [only] = found;
    if (only === undefined || found.length > 1)
      return fail(
        'build-patch-target',
        found.length === 0
          ? `the patch changes ${formatResId(patch.originalId)}, which is not among the resources`
          : `the patch changes ${formatResId(patch.originalId)}, which ${found.length} resources are or were called`,
        fieldAt(patch.root, 'metadata', 'name') ?? patch.root,
        found.length === 0 ? nearestHint(objects, patch) : 'select one of them with a target',
      );
    return merge(objects, (object) => object === only);
  };
}

/** What the patch may have meant: the same name with another kind, version or namespace, or another name. */
function nearestHint(objects: readonly Resource[], patch: Resource): string {
  const { id } = patch;
  const sameName = objects.find(({ id: other }) => other.name === id.name && other.kind === id.kind);
  if (sameName !== undefined) {
    const { group, version, namespace } = sameName.id;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return `there is one with apiVersion ${apiVersion}${namespace === '' ? ' and no namespace' : ` in namespace ${namespace}`}`;
  }
  return 'check apiVersion, kind, name and namespace of the patch';
}

/** The function that makes a patch once for each apiVersion. */
function onceBy(make: (apiVersion: string) => Resource): (apiVersion: string) => Resource {
  const made = new Map<string, Resource>();
  return (apiVersion) => {
    const known = made.get(apiVersion) ?? make(apiVersion);
    made.set(apiVersion, known);
    return known;
  };
}

/** The patch as upstream prepares it for objects of an apiVersion that a target selected. */
function selectedPatch(patch: Resource, apiVersion: string): Resource {
  return patch.edited((root, edit) => {
    const annotations = new Map(
      [...patch.annotations].filter(([name]) => name !== buildAnnotation.needsHash),
    );
    let result = setMetaTexts(root, 'labels', patch.labels, edit);
    result = setMetaTexts(result, 'annotations', annotations, edit);
    result = setName(result, patch.name, edit);
    result = setNamespaceField(result, patch.namespace, edit);
    return setField(
      result,
      'apiVersion',
      newScalar(apiVersion, '', fieldAt(result, 'apiVersion') ?? root),
      edit,
    );
  });
}

function setName(root: Node, name: string, edit: Edit, place?: Place): Node {
  return editAt(root, ['metadata'], edit, (metadata) =>
    setField(metadata, 'name', newScalar(name, '', place ?? fieldAt(root, 'metadata', 'name') ?? root), edit),
  );
}

function setNamespaceField(root: Node, namespace: string, edit: Edit, place?: Place): Node {
  if (namespace === '' && fieldAt(root, 'metadata') === undefined) return root;
  return editAt(root, ['metadata'], edit, (metadata) =>
    namespace === ''
      ? clearField(metadata, 'namespace', edit)
      : setField(
          metadata,
          'namespace',
          newScalar(namespace, '', place ?? fieldAt(root, 'metadata', 'namespace') ?? root),
          edit,
        ),
  );
}

function mergePatch(object: Resource, patch: Resource, options: MergePatchOptions): Resource | undefined {
  const { allowNameChange, allowKindChange, schemas } = options;
  let isDeleted = false;
  const changed = object.edited((root, edit) => {
    const keepsId = !allowNameChange && !allowKindChange;
    const prepared = keepsId ? root : storePreviousId(root, object.id, edit);
    let result = mergeStrategically({ schemas, edit }, prepared, patch.root);
    if (result === undefined || isEmpty(result)) {
      isDeleted = true;
      return root;
    }
    result = edit.finish(result);
    const placeOf = (...path: string[]) => fieldAt(root, ...path) ?? root;
    if (!allowKindChange)
      result = setField(result, 'kind', newScalar(object.kind, '', placeOf('kind')), edit);
    if (!allowNameChange) result = setName(result, object.name, edit, placeOf('metadata', 'name'));
    return setNamespaceField(result, object.namespace, edit, placeOf('metadata', 'namespace'));
  });
  return isDeleted ? undefined : changed;
}

export interface JsonPatchOptions {
  readonly type: string;
  readonly operations: readonly PatchOperation[];
  readonly target: Selector;
  /** The patch may change the name, so the id before it is kept (`patches`, not `patchesJson6902`). */
  readonly storesId: boolean;
}

/** Applies JSON 6902 operations to the objects that a target selects. */
export function jsonPatchTransformer({ type, operations, target, storesId }: JsonPatchOptions): Transformer {
  let budget = new CopyBudget();
  const patch = changeSome((object) =>
    object.edited((root, edit) => {
      const stored = storesId ? storePreviousId(root, object.id, edit) : root;
      const internal = internalAnnotations(object.with(stored));
      const patched = applyJsonPatch(nodeOfJson(jsonOfNode(stored), stored, 0), operations, budget);
      const annotations = new Map([...object.with(patched).annotations, ...internal]);
      return setMetaTexts(patched, 'annotations', annotations, edit);
    }),
  );
  return {
    type,
    transform: (objects) => {
      budget = new CopyBudget();
      const selected = new Set(selectObjects(objects, target));
      return patch(objects, (object) => selected.has(object));
    },
  };
}

function internalAnnotations(object: Resource): readonly (readonly [string, string])[] {
  const legacy = ['config.kubernetes.io/path', 'config.kubernetes.io/index', 'config.k8s.io/id'];
  return [...object.annotations].filter(
    ([name]) => name.startsWith('internal.config.kubernetes.io/') || legacy.includes(name),
  );
}
