import { equalJson, isJsonObject, type JsonValue } from '../base/json.ts';
import { plumbError } from '../base/plumbError.ts';
import { parsePointer } from '../kube/jsonPointer.ts';
import { matchesLabels, parseLabelSelector, type LabelRequirement } from '../kube/labelSelector.ts';
import {
  coversPath,
  emptyFieldSet,
  fieldsBelow,
  listElements,
  managedFieldsOf,
} from '../kube/managedFields.ts';
import { refOf, type KubeObject } from '../kube/object.ts';
import type { Owner } from './owner.ts';

/** Fields that are no drift, as `spec.ignore` names them: JSON pointers, and the objects they are for (all without a target). */
export interface IgnoreRule {
  readonly paths: readonly string[];
  readonly target?: IgnoreTarget;
}

/** Regular expressions matched against the whole value, and selectors; what is absent or empty matches all. */
export interface IgnoreTarget {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** Compiled rules: the pointers to ignore in an object. */
export type IgnoredPointers = (object: KubeObject) => readonly (readonly string[])[];

/** Throws InvalidConfiguration for a pattern or selector that cannot be read. */
export function compileIgnoreRules(rules: readonly IgnoreRule[]): IgnoredPointers {
  const compiled = rules.map(({ paths, target }) => ({
    matches: compileTarget(target ?? {}),
    pointers: paths.flatMap((path) => {
      const tokens = parsePointer(path);
      return tokens === undefined || tokens.length === 0 ? [] : [tokens];
    }),
  }));
  return (object) => compiled.flatMap(({ matches, pointers }) => (matches(object) ? pointers : []));
}

function compileTarget(target: IgnoreTarget): (object: KubeObject) => boolean {
  const names = (['group', 'version', 'kind', 'name', 'namespace'] as const).flatMap((part) => {
    const pattern = target[part];
    return pattern === undefined || pattern === '' ? [] : [{ part, pattern: anchored(part, pattern) }];
  });
  const labels = selector('labelSelector', target.labelSelector);
  const annotations = selector('annotationSelector', target.annotationSelector);
  return (object) => {
    const ref = refOf(object);
    return (
      names.every(({ part, pattern }) => pattern.test(ref[part] ?? '')) &&
      (labels === undefined || matchesLabels(labels, object.metadata.labels ?? {})) &&
      (annotations === undefined || matchesLabels(annotations, object.metadata.annotations ?? {}))
    );
  };
}

function anchored(part: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch (error) {
    throw plumbError('InvalidConfiguration', {
      message: `ignore rule: invalid ${part} regex ${JSON.stringify(pattern)}`,
      hint: 'correct the target of spec.ignore',
      cause: error,
    });
  }
}

function selector(member: string, text: string | undefined): readonly LabelRequirement[] | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseLabelSelector(text);
  if (parsed !== undefined) return parsed;
  throw plumbError('InvalidConfiguration', {
    message: `ignore rule: invalid ${member} ${JSON.stringify(text)}`,
    hint: 'correct the target of spec.ignore',
  });
}

/** The value without those fields; pointers that lead nowhere are passed over. */
export function withoutPointers<T extends JsonValue>(value: T, pointers: readonly (readonly string[])[]): T {
  return pointers.reduce<JsonValue>((rest, pointer) => setAt(rest, pointer, undefined), value) as T;
}

/** What an apply leaves behind in ignored fields: the live values, where the dry-run would change them. */
export function withLiveValues(
  merged: KubeObject,
  live: KubeObject,
  dryRun: KubeObject,
  pointers: readonly (readonly string[])[],
): KubeObject {
  return pointers
    .filter((pointer) => !equalJson(lookUp(live, pointer), lookUp(dryRun, pointer)))
    .reduce<JsonValue>((rest, pointer) => setAt(rest, pointer, lookUp(live, pointer)), merged) as KubeObject;
}

/**
 * What is sent when an object with ignored fields is applied for another reason: an ignored field that differs is left out
 * where another manager applies it, else it carries the live value. Follows fluxcd/pkg ssa computeDriftedPaths.
 */
export function payloadWithIgnored(
  desired: KubeObject,
  live: KubeObject,
  dryRun: KubeObject,
  pointers: readonly (readonly string[])[],
  owner: Owner,
): KubeObject {
  let payload: JsonValue = desired;
  for (const pointer of pointers) {
    const liveValue = lookUp(live, pointer);
    if (equalJson(liveValue, lookUp(dryRun, pointer))) continue;
    const value = isAppliedByAnother(live, pointer, owner) ? undefined : liveValue;
    // Upstream's replace fails where the payload lacks the field; there is nothing to replace then.
    if (value === undefined || lookUp(payload, pointer) !== undefined)
      payload = setAt(payload, pointer, value);
  }
  return payload as KubeObject;
}

function isAppliedByAnother(live: KubeObject, pointer: readonly string[], owner: Owner): boolean {
  const applied = managedFieldsOf(live).filter(
    (entry) => entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  );
  const path: string[] = [];
  let node: JsonValue | undefined = live;
  let sets = applied.map((entry) => entry.fieldsV1 ?? emptyFieldSet);
  for (const token of pointer) {
    let element = `f:${token}`;
    if (Array.isArray(node)) {
      const items = node as readonly JsonValue[];
      const named = listElements(items, sets)[Number(token)];
      if (named?.startsWith('k:') !== true) return false;
      element = named;
      node = items[Number(token)];
    } else node = isJsonObject(node) ? node[token] : undefined;
    path.push(element);
    sets = sets.flatMap((set) => fieldsBelow(set, element));
  }
  return applied.some(
    (entry) => entry.manager !== owner.fieldManager && coversPath(entry.fieldsV1 ?? emptyFieldSet, path),
  );
}

function lookUp(value: JsonValue | undefined, pointer: readonly string[]): JsonValue | undefined {
  let node = value;
  for (const token of pointer) {
    if (Array.isArray(node)) node = (node as readonly JsonValue[])[Number(token)];
    else node = isJsonObject(node) ? node[token] : undefined;
  }
  return node;
}

function setAt(value: JsonValue, pointer: readonly string[], to: JsonValue | undefined): JsonValue {
  const [token, ...rest] = pointer;
  if (token === undefined) return to ?? value;
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    const index = Number(token);
    if (!Number.isInteger(index) || index < 0 || index >= items.length) return value;
    if (rest.length === 0 && to === undefined) return items.filter((_, place) => place !== index);
    return items.map((item, place) =>
      place !== index ? item : rest.length === 0 ? (to as JsonValue) : setAt(item, rest, to),
    );
  }
  if (!isJsonObject(value)) return value;
  if (rest.length === 0) {
    const { [token]: _, ...others } = value;
    return to === undefined ? others : { ...value, [token]: to };
  }
  const member = value[token];
  if (member === undefined) return to === undefined ? value : { ...value, [token]: setAt({}, rest, to) };
  return { ...value, [token]: setAt(member, rest, to) };
}
