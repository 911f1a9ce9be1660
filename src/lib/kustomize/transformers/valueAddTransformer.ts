import type { YamlNode } from '../../../kube/yamlNode.ts';
import { splitPath } from '../fieldSpec.ts';
import { placeOf, valueOf, type SelectorInput } from '../kustomizationShape.ts';
import type { Located } from '../decode.ts';
import {
  fieldOf,
  keyIndex,
  mutableItems,
  newMap,
  newScalar,
  own,
  setScalar,
  type Edit,
  type Node,
  type Place,
} from '../node.ts';
import { fail } from '../problem.ts';
import type { Resource } from '../resource.ts';
import { compileSelector, selectObjects } from '../selector.ts';
import { mapObjects, type Transformer } from '../transformer.ts';
import { setNamespace } from './namespaceTransformer.ts';
import { requireKind } from './setEntry.ts';

export interface ValueAddOptions {
  readonly value: string;
  readonly place: Place;
  readonly node: YamlNode;
  readonly targets: readonly {
    readonly node: YamlNode;
    readonly selector?: SelectorInput;
    readonly fieldPath?: Located<string>;
    readonly filePathPosition?: Located<number>;
  }[];
}

/** Writes one value into fields of many objects, or into a segment of the paths that they hold. */
export function valueAddTransformer({ value, place, targets, node }: ValueAddOptions): Transformer {
  if (targets.length === 0)
    fail('kustomization-invalid', 'ValueAddTransformer needs at least one target', node);
  const steps = targets.map((target) => {
    const path = valueOf(target.fieldPath);
    if (path === '') fail('kustomization-invalid', 'a target needs a fieldPath', target.node);
    const position = target.filePathPosition?.value ?? 0;
    if (position < 0)
      fail(
        'kustomization-invalid',
        'filePathPosition cannot be negative',
        placeOf(target.filePathPosition, node),
      );
    const selector = target.selector === undefined ? undefined : compileSelector(target.selector);
    const change = (object: Resource): Resource =>
      object.edited((root, edit) =>
        path === 'metadata/namespace'
          ? setNamespace(root, object, { namespace: value, place, fieldSpecs: [] }, edit)
          : setAt(root, splitPath(path, '/'), { value, position, place, edit }),
      );
    return (objects: readonly Resource[]) => {
      const selected = new Set(selector === undefined ? objects : selectObjects(objects, selector));
      return mapObjects(objects, (object) => (selected.has(object) ? change(object) : object));
    };
  });
  return {
    type: 'ValueAddTransformer',
    transform: (objects) => steps.reduce((result, step) => step(result), objects),
  };
}

interface Addition {
  readonly value: string;
  readonly position: number;
  readonly place: Place;
  readonly edit: Edit;
}

function setAt(node: Node, path: readonly string[], addition: Addition): Node {
  const { value, position, place, edit } = addition;
  const [name, ...rest] = path;
  if (name === undefined) {
    requireKind(node, 'scalar', place);
    const text = position > 0 ? insertSegment(node.text, position - 1, value) : value;
    return setScalar(node, newScalar(text, '', place), edit);
  }
  requireKind(node, 'map', place);
  const owned = own(node, edit);
  const items = mutableItems(owned);
  if (fieldOf(owned, name) === undefined)
    items.push(newScalar(name, '', place), rest.length === 0 ? newScalar('', '', place) : newMap(place));
  const index = keyIndex(owned, name) + 1;
  items[index] = setAt(items[index] as Node, rest, addition);
  return owned;
}

/** The path with one more segment at a position; an absolute path stays one. */
function insertSegment(path: string, position: number, segment: string): string {
  if (segment === '') return path;
  const isAbsolute = path.startsWith('/');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  parts.splice(Math.min(position, parts.length), 0, segment);
  return (isAbsolute ? '/' : '') + parts.join('/');
}
