import { tags } from '../../../kube/yamlScalar.ts';
import type { LocatedMap } from '../decode.ts';
import { concernsKind, setFieldsAt } from '../fieldSpec.ts';
import type { Place } from '../node.ts';
import { compareBytes, type Resource } from '../resource.ts';
import { perObject, type Transformer } from '../transformer.ts';
import type { FieldSpec } from '../transformerConfig.ts';
import { setEntryText } from './setEntry.ts';

/** A text to set and the line that says so. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly place: Place;
}

/** The entries of a map in the order upstream sets them. */
export function entriesOfMap(map: LocatedMap | undefined): readonly Entry[] {
  return [...(map ?? [])]
    .map(([key, { value, node }]) => ({ key, value, place: node }))
    .sort((left, right) => compareBytes(left.key, right.key));
}

/** Sets labels in every field that the FieldSpecs name: metadata, selectors, templates. */
export function labelTransformer(entries: readonly Entry[], fieldSpecs: readonly FieldSpec[]): Transformer {
  return perObject('LabelTransformer', (object) => setEntries(object, entries, fieldSpecs));
}

/** Sets annotations in every field that the FieldSpecs name. */
export function annotationsTransformer(
  entries: readonly Entry[],
  fieldSpecs: readonly FieldSpec[],
): Transformer {
  return perObject('AnnotationsTransformer', (object) => setEntries(object, entries, fieldSpecs));
}

function setEntries(object: Resource, entries: readonly Entry[], fieldSpecs: readonly FieldSpec[]): Resource {
  const specs = fieldSpecs.filter((spec) => concernsKind(spec, object));
  if (entries.length === 0 || specs.length === 0) return object;
  return object.edited((root, edit) => {
    let result = root;
    for (const { key, value, place } of entries) {
      // Upstream puts one and the same node into all these fields; whoever changes one of them changes all.
      const share = {};
      for (const spec of specs)
        result = setFieldsAt(result, spec, {
          edit,
          place,
          create: { kind: 'map', tag: tags.map },
          set: (node) => setEntryText(node, key, value, { place, edit, share }),
        });
      result = edit.finish(result);
    }
    return result;
  });
}
