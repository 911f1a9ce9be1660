import { tags } from '../../../kube/yamlScalar.ts';
import { concernsKind, setFieldsAt } from '../fieldSpec.ts';
import { newScalar, nowhere, type Place } from '../node.ts';
import { isSelected, type Gvk } from '../resId.ts';
import { appendToAnnotation, buildAnnotation, storePreviousId, type Resource } from '../resource.ts';
import { perObject, type Transformer } from '../transformer.ts';
import type { FieldSpec } from '../transformerConfig.ts';
import { setScalarText } from './setEntry.ts';

export interface AffixOptions {
  readonly text: string;
  readonly place: Place;
  readonly fieldSpecs: readonly FieldSpec[];
}

/** Kinds whose names are given by something else. */
const skipped: readonly Gvk[] = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

/** Puts a text in front of every name. */
export function prefixTransformer(options: AffixOptions): Transformer {
  return perObject('PrefixTransformer', (object) =>
    affix(object, options, buildAnnotation.prefixes, (name) => options.text + name),
  );
}

/** Puts a text behind every name. */
export function suffixTransformer(options: AffixOptions): Transformer {
  return perObject('SuffixTransformer', (object) =>
    affix(object, options, buildAnnotation.suffixes, (name) => name + options.text),
  );
}

function affix(
  object: Resource,
  { text, place, fieldSpecs }: AffixOptions,
  annotation: string,
  rename: (name: string) => string,
): Resource {
  const { originalId } = object;
  if (skipped.some((gvk) => isSelected(originalId, gvk))) return object;
  let result = object;
  for (const spec of fieldSpecs) {
    if (!isSelected(originalId, spec)) continue;
    const before = result;
    result = before.edited((root, edit) => {
      let changed = root;
      if (spec.path === 'metadata/name') {
        changed = appendToAnnotation(changed, annotation, text, edit);
        if (text !== '') changed = storePreviousId(changed, before.id, edit);
      }
      if (!concernsKind(spec, before)) return changed;
      return setFieldsAt(changed, spec, {
        edit,
        place,
        create: { kind: 'scalar', tag: tags.str },
        set: (node) => setScalarText(node, rename(node.text), '', place, edit),
      });
    });
  }
  return result;
}

/** Puts the hash of its content behind the name of every object that a generator marked. */
export function hashTransformer(hash: (object: Resource) => string): Transformer {
  return perObject('HashTransformer', (object) => {
    if (!object.isEnabled(buildAnnotation.needsHash)) return object;
    const name = `${object.name}-${hash(object)}`;
    return object.edited((root, edit) => setName(storePreviousId(root, object.id, edit), name, edit));
  });
}

const metadataName: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/name', create: true };

function setName(
  root: Resource['root'],
  name: string,
  edit: Parameters<typeof storePreviousId>[2],
): Resource['root'] {
  return setFieldsAt(root, metadataName, {
    edit,
    place: nowhere,
    create: { kind: 'scalar', tag: '' },
    set: (node) => {
      const changed = setScalarText(node, name, '', node, edit);
      return changed.tag === tags.null ? newScalar(name, '', nowhere) : changed;
    },
  });
}
