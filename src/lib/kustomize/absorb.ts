import {
  clearField,
  type Edit,
  editAt,
  fieldOf,
  newMapOf,
  newScalar,
  newString,
  setField,
  type Node,
  type Place,
} from './node.ts';
import { objectsByAnyId, appendObjects } from './objectList.ts';
import { fail } from './problem.ts';
import { originAnnotation } from './provenance.ts';
import { formatResId } from './resId.ts';
import { buildAnnotation, compareBytes, setMetaTexts, type Resource } from './resource.ts';

/** Adds what a generator made, merged into or in the place of what is there when its behavior says so. */
export function absorbObjects(
  objects: readonly Resource[],
  generated: readonly Resource[],
  place: Place,
): readonly Resource[] {
  return generated.reduce((result, object) => absorb(result, object, place), objects);
}

function absorb(objects: readonly Resource[], object: Resource, place: Place): readonly Resource[] {
  const behavior = object.annotations.get(buildAnnotation.behavior) ?? '';
  const found = objectsByAnyId(objects, (id) => id.key === object.id.key);
  const [old, ...others] = found;
  if (old === undefined) {
    if (behavior === 'merge' || behavior === 'replace')
      fail(
        'build-generator',
        `there is no ${formatResId(object.id)} to ${behavior}`,
        place,
        'its name is the one in the base, and it must be in the same namespace',
      );
    return appendObjects(objects, [object], place);
  }
  if (others.length > 0)
    fail('build-generator', `${formatResId(object.id)} could be merged into ${found.length} objects`, place);
  if (behavior !== 'merge' && behavior !== 'replace')
    fail(
      'build-duplicate-object',
      `${formatResId(object.id)} is there already`,
      place,
      'set behavior: merge or behavior: replace to change it',
    );
  const absorbed =
    behavior === 'merge' ? mergeData(withMetadataOf(object, old), old) : withMetadataOf(object, old);
  return replaceObject(objects, old, absorbed, place);
}

function replaceObject(
  objects: readonly Resource[],
  old: Resource,
  absorbed: Resource,
  place: Place,
): readonly Resource[] {
  const index = objects.indexOf(old);
  const matching = objects.filter(({ id }) => id.key === absorbed.id.key);
  if (matching.length !== 1 || matching[0] !== old)
    fail('build-generator', `${formatResId(absorbed.id)} is there more than once`, place);
  return objects.with(index, absorbed);
}

/** The new object with name, namespace, labels and annotations of the old one; its own labels and annotations win. */
function withMetadataOf(object: Resource, old: Resource): Resource {
  const annotations = new Map([...old.annotations, ...object.annotations]);
  for (const name of Object.values(buildAnnotation)) {
    const kept = old.annotations.get(name);
    if (kept === undefined) annotations.delete(name);
    else annotations.set(name, kept);
  }
  if (!object.annotations.has(buildAnnotation.needsHash)) annotations.delete(buildAnnotation.needsHash);
  const labels = new Map([...old.labels, ...object.labels]);
  const named = object.edited((root, edit) => {
    let result = setMetaTexts(root, 'labels', labels, edit, old.root);
    result = setMetaTexts(result, 'annotations', annotations, edit, old.root);
    return editAt(result, ['metadata'], edit, (metadata) => {
      const renamed = setField(
        metadata,
        'name',
        newScalar(old.name, '', fieldOf(metadata, 'name') ?? root),
        edit,
      );
      return old.namespace === ''
        ? clearField(renamed, 'namespace', edit)
        : setField(
            renamed,
            'namespace',
            newScalar(old.namespace, '', fieldOf(metadata, 'namespace') ?? root),
            edit,
          );
    });
  });
  return named.withVars(old.vars);
}

/** The new object with the old one's data where it has none of its own. */
function mergeData(object: Resource, old: Resource): Resource {
  const origin = old.annotations.get(originAnnotation);
  return object.edited((root, edit) => {
    const data = mergedFields(root, old.root, 'data');
    const binaryData = mergedFields(root, old.root, 'binaryData');
    let result = setFields(root, 'data', data, edit);
    result = setFields(result, 'binaryData', binaryData, edit);
    if (origin === undefined) return result;
    const annotations = new Map([...object.annotations, [originAnnotation, origin]]);
    return setMetaTexts(result, 'annotations', annotations, edit);
  });
}

function mergedFields(root: Node, old: Node, field: string): ReadonlyMap<string, Node> {
  const merged = new Map<string, Node>();
  for (const { items } of [fieldOf(old, field), fieldOf(root, field)].filter((map) => map !== undefined))
    for (let index = 0; index + 1 < items.length; index += 2)
      merged.set((items[index] as Node).text, items[index + 1] as Node);
  return merged;
}

function setFields(root: Node, field: string, values: ReadonlyMap<string, Node>, edit: Edit): Node {
  const place = fieldOf(root, field) ?? root;
  const cleared = clearField(root, field, edit);
  if (values.size === 0) return cleared;
  const fields = [...values.keys()].sort(compareBytes).map((key) => {
    const value = values.get(key) as Node;
    return [key, newString(value.tag === '!!null' ? '' : value.text, value)] as const;
  });
  return setField(cleared, field, newMapOf(place, fields), edit);
}
