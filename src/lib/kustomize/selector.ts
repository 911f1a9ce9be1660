import { goRegExp, type GoRegExp } from './goRegExp.ts';
import { matchesSelector } from './labelSelector.ts';
import { nowhere, type Place } from './node.ts';
import type { Resource } from './resource.ts';
import { effectiveNamespace, type Gvk } from './resId.ts';
import { valueOf, type SelectorInput } from './kustomizationShape.ts';

/** A selector with its regular expressions compiled; an empty part matches everything. */
export interface Selector {
  readonly place: Place;
  readonly annotationSelector: string;
  readonly labelSelector: string;
  /** No part of an id is given: upstream then skips a selector that is to reject. */
  readonly selectsById: boolean;
  matchesGvk(gvk: Gvk): boolean;
  matchesName(name: string): boolean;
  matchesNamespace(namespace: string): boolean;
}

/** Compiles a selector of a patch or replacement. Throws BuildFailure for a malformed expression. */
export function compileSelector(input: SelectorInput): Selector {
  const part = (
    located: { readonly value: string; readonly node: Place } | undefined,
  ): GoRegExp | undefined => {
    const pattern = located?.value ?? '';
    return pattern === '' ? undefined : goRegExp(`^(?:${pattern})$`, located?.node ?? nowhere);
  };
  const group = part(input.group);
  const version = part(input.version);
  const kind = part(input.kind);
  const name = part(input.name);
  const namespace = part(input.namespace);
  return {
    place: input.node,
    annotationSelector: valueOf(input.annotationSelector),
    labelSelector: valueOf(input.labelSelector),
    selectsById: [group, version, kind, name, namespace].some((expression) => expression !== undefined),
    matchesGvk: (gvk) =>
      (group?.test(gvk.group) ?? true) &&
      (version?.test(gvk.version) ?? true) &&
      (kind?.test(gvk.kind) ?? true),
    matchesName: (text) => name?.test(text) ?? true,
    matchesNamespace: (text) => namespace?.test(text) ?? true,
  };
}

/** The objects that a patch's target selects: by the id they have or had, and by labels and annotations. */
export function selectObjects(objects: readonly Resource[], selector: Selector): readonly Resource[] {
  return objects.filter((object) => isSelectedObject(object, selector));
}

function isSelectedObject(object: Resource, selector: Selector): boolean {
  const { id, originalId } = object;
  return (
    (selector.matchesNamespace(effectiveNamespace(originalId)) ||
      selector.matchesNamespace(effectiveNamespace(id))) &&
    (selector.matchesName(originalId.name) || selector.matchesName(id.name)) &&
    selector.matchesGvk(id) &&
    matchesSelector(selector.labelSelector, object.labels, selector.place) &&
    matchesSelector(selector.annotationSelector, object.annotations, selector.place)
  );
}
