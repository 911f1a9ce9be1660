import { tags } from '../../../kube/yamlScalar.ts';
import {
  fieldOf,
  isEmpty,
  isNull,
  newScalar,
  setField,
  setScalar,
  type Edit,
  type Node,
  type Place,
} from '../node.ts';
import { fail } from '../problem.ts';

/** Sets a scalar to a text; without a tag it is what the text resolves to in the quotes the node has. */
export function setScalarText(node: Node, text: string, tag: string, place: Place, edit: Edit): Node {
  requireKind(node, 'scalar', place);
  return setScalar(node, newScalar(text, tag, place), edit);
}

/** Sets an entry of a mapping to a string; entries made with one `share` token are one node upstream. */
export function setEntryText(
  node: Node,
  key: string,
  text: string,
  how: { readonly place: Place; readonly edit: Edit; readonly share: object },
): Node {
  if (isNull(node)) return node;
  requireKind(node, 'map', how.place);
  const value = newScalar(text, tags.str, how.place);
  if (fieldOf(node, key) === undefined) value.share = how.share;
  return setField(node, key, value, how.edit);
}

/** Refuses a node of another kind; null passes for every kind. */
export function requireKind(node: Node, kind: Node['kind'], place: Place): void {
  if (isNull(node) || node.kind === kind) return;
  const expected = kind === 'map' ? 'mapping' : kind === 'seq' ? 'list' : 'single value';
  fail('build-invalid-field', `a ${expected} is expected here`, node.source === undefined ? place : node);
}

/** True for a scalar with text in it. */
export function hasText(node: Node): boolean {
  return !isEmpty(node) && node.kind === 'scalar' && node.text !== '';
}
