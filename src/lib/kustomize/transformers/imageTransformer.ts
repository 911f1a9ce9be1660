import type { YamlNode } from '../../../kube/yamlNode.ts';
import { concernsKind, setFieldsAt } from '../fieldSpec.ts';
import { goRegExp } from '../goRegExp.ts';
import { placeOf, valueOf, type ImageInput } from '../kustomizationShape.ts';
import { fieldOf, isNull, keyIndex, own, withItem, type Edit, type Node, type Place } from '../node.ts';
import { perObject, type Transformer } from '../transformer.ts';
import type { FieldSpec } from '../transformerConfig.ts';
import { requireKind, setScalarText } from './setEntry.ts';

interface ImageRule {
  readonly name: string;
  readonly newName: string;
  readonly newTag: string;
  readonly digest: string;
  readonly tagSuffix: string;
  readonly place: Place;
}

/** Exchanges name, tag or digest of an image, wherever containers are and in the fields of the FieldSpecs. */
export function imageTransformer(image: ImageInput, fieldSpecs: readonly FieldSpec[]): Transformer {
  const rule: ImageRule = {
    name: valueOf(image.name),
    newName: valueOf(image.newName),
    newTag: valueOf(image.newTag),
    digest: valueOf(image.digest),
    tagSuffix: valueOf(image.tagSuffix),
    place: originOf(image),
  };
  return perObject('ImageTagTransformer', (object) => {
    if (object.kind === 'CustomResourceDefinition') return object;
    return object.edited((root, edit) => {
      let result = setInContainers(root, rule, edit);
      for (const spec of fieldSpecs)
        if (concernsKind(spec, object))
          result = setFieldsAt(result, spec, {
            edit,
            place: rule.place,
            set: (node) => setImage(node, rule, edit),
          });
      return result;
    });
  });
}

/** The line a changed image comes from: the tag, else the digest, else the name. */
function originOf(image: ImageInput): YamlNode {
  const part = image.newTag ?? image.digest ?? image.newName ?? image.tagSuffix;
  return placeOf(part, image.node);
}

/** Visits every list named containers or initContainers, at any depth. */
function setInContainers(node: Node, rule: ImageRule, edit: Edit): Node {
  if (node.kind === 'scalar') return node;
  let result = node;
  const { items } = node;
  if (node.kind === 'seq') {
    items.forEach((item, index) => {
      const next = setInContainers(item, rule, edit);
      if (next !== item) result = withItem(result, index, next, edit);
    });
    return result;
  }
  for (let index = 0; index + 1 < items.length; index += 2) {
    const value = items[index + 1] as Node;
    if (value.kind === 'scalar') continue;
    const { text: key } = items[index] as Node;
    let next = setInContainers(value, rule, edit);
    if ((key === 'containers' || key === 'initContainers') && next.kind === 'seq')
      next = setInList(next, rule, edit);
    if (next !== value) result = withItem(result, index + 1, next, edit);
  }
  return result;
}

function setInList(list: Node, rule: ImageRule, edit: Edit): Node {
  let result = list;
  list.items.forEach((container, index) => {
    if (isNull(container)) return;
    requireKind(container, 'map', rule.place);
    const image = fieldOf(container, 'image');
    if (image === undefined) return;
    const next = setImage(image, rule, edit);
    if (next === image) return;
    const changed = withItem(own(container, edit), keyIndex(container, 'image') + 1, next, edit);
    result = withItem(result, index, changed, edit);
  });
  return result;
}

function setImage(node: Node, rule: ImageRule, edit: Edit): Node {
  requireKind(node, 'scalar', rule.place);
  if (!matchesImage(node.text, rule)) return node;
  return setScalarText(node, renameImage(node.text, rule), '', rule.place, edit);
}

/** Upstream takes the name for a regular expression, so dots in it match anything. */
function matchesImage(image: string, { name, place }: ImageRule): boolean {
  const simple = image.startsWith(name) || name.includes('.') || /[^\w./:-]/.test(name);
  if (!simple) return false;
  return goRegExp(`^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`, place).test(image);
}

function renameImage(image: string, rule: ImageRule): string {
  const parts = splitImage(image);
  const name = rule.newName || parts.name;
  let { tag, digest } = parts;
  if (rule.newTag !== '' || rule.digest !== '') {
    tag = rule.newTag;
    digest = rule.digest;
  } else if (rule.tagSuffix !== '') {
    tag += rule.tagSuffix;
    digest = '';
  }
  return name + (tag === '' ? '' : `:${tag}`) + (digest === '' ? '' : `@${digest}`);
}

function splitImage(image: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const slash = Math.max(image.indexOf('/'), 0);
  const at = image.indexOf('@', slash);
  const colon = image.indexOf(':', slash);
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' };
  if (at >= 0 && (at < colon || colon < 0))
    return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (at >= 0)
    return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
}
