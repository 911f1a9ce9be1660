import { formatGoFloat } from '../../kube/goFloat.ts';
import { yamlStyle } from '../../kube/yamlNode.ts';
import { tags } from '../../kube/yamlScalar.ts';
import { concernsKind, setFieldsAt, splitFieldPath } from './fieldSpec.ts';
import { placeOf, valueOf, type VarInput } from './kustomizationShape.ts';
import {
  isNull,
  isStringScalar,
  newString,
  nowhere,
  own,
  withItem,
  type Edit,
  type Node,
  type Place,
} from './node.ts';
import { jsonOfNode } from './nodeJson.ts';
import { objectsByAnyId } from './objectList.ts';
import { lookUp } from './pathLookup.ts';
import { fail, type BuildProblem } from './problem.ts';
import { effectiveNamespace, ResId, type Gvk } from './resId.ts';
import { compareBytes, type Resource } from './resource.ts';
import { mapObjects } from './transformer.ts';
import type { FieldSpec } from './transformerConfig.ts';

/** The value of a var and where it stands. */
interface VarValue {
  readonly value: string | number | bigint | boolean | undefined;
  readonly place: Place;
}

/** Vars by name; a name may be defined once in a whole build. */
export type VarSet = ReadonlyMap<string, VarInput>;

/** Both sets in one. Throws BuildFailure when a name is defined twice. */
export function mergeVars(left: VarSet, right: Iterable<readonly [string, VarInput]>): VarSet {
  const merged = new Map(left);
  for (const [name, variable] of right) {
    if (merged.has(name))
      fail(
        'kustomization-invalid',
        `the var ${name} is defined twice`,
        placeOf(variable.name, variable.node),
      );
    merged.set(name, variable);
  }
  return merged;
}

/** The objects with those that vars name marked, and the vars by name. */
export function bindVars(
  objects: readonly Resource[],
  variables: readonly VarInput[],
): { readonly objects: readonly Resource[]; readonly vars: readonly (readonly [string, VarInput])[] } {
  let result = objects;
  for (const variable of variables) {
    const matches = matcherOf(variable);
    const found = objectsByAnyId(result, matches);
    if (found.length > 1)
      fail(
        'build-ambiguous-reference',
        `the var ${valueOf(variable.name)} could take its value from ${found.length} objects`,
        variable.node,
        'add a namespace to objref',
      );
    result = mapObjects(result, (object) =>
      object === found[0] ? object.withVars([...object.vars, valueOf(variable.name)]) : object,
    );
  }
  return { objects: result, vars: variables.map((variable) => [valueOf(variable.name), variable] as const) };
}

function matcherOf(variable: VarInput): (id: Resource['id']) => boolean {
  const { objref } = variable;
  const gvk = gvkOfReference(objref);
  const name = valueOf(objref?.name);
  const namespace = valueOf(objref?.namespace);
  const wanted = new ResId(gvk, name, namespace, false);
  return (id) =>
    id.name === name &&
    id.group === gvk.group &&
    id.version === gvk.version &&
    id.kind === gvk.kind &&
    (namespace === '' || effectiveNamespace(id) === effectiveNamespace(wanted));
}

function gvkOfReference(objref: VarInput['objref']): Gvk {
  const apiVersion = valueOf(objref?.apiVersion);
  const parts = apiVersion === '' ? [] : apiVersion.split('/');
  return {
    group: parts.length === 2 ? (parts[0] ?? '') : valueOf(objref?.group),
    version:
      parts.length === 2
        ? (parts[1] ?? '')
        : parts.length === 1
          ? (parts[0] ?? '')
          : valueOf(objref?.version),
    kind: valueOf(objref?.kind),
  };
}

/** Replaces `$(NAME)` in the fields that may have vars. */
export function resolveVars(
  objects: readonly Resource[],
  vars: VarSet,
  fieldSpecs: readonly FieldSpec[],
  warnings: BuildProblem[],
): readonly Resource[] {
  if (vars.size === 0) return objects;
  const values = new Map<string, VarValue>();
  for (const name of [...vars.keys()].sort(compareBytes))
    values.set(name, varValue(objects, name, vars.get(name) as VarInput));
  const used = new Set<string>();
  const result = mapObjects(objects, (object) =>
    object.edited((root, edit) => {
      let changed = root;
      for (const spec of fieldSpecs)
        if (concernsKind(spec, object))
          changed = setFieldsAt(changed, spec, {
            edit,
            place: nowhere,
            set: (node) => resolveNode(node, values, used, edit),
          });
      return changed;
    }),
  );
  for (const [name, variable] of vars)
    if (!used.has(name))
      warnings.push({
        code: 'kustomization-deprecated',
        severity: 'warning',
        message: `the var ${name} is never used`,
        place: placeOf(variable.name, variable.node),
      });
  return result;
}

function varValue(objects: readonly Resource[], name: string, variable: VarInput): VarValue {
  const object = objects.find(({ vars }) => vars.includes(name));
  const path = valueOf(variable.fieldref?.fieldPath) || 'metadata.name';
  const place = placeOf(variable.fieldref?.fieldPath, variable.node);
  if (object === undefined)
    return fail(
      'build-replacement',
      `the var ${name} names an object that is not among the resources`,
      placeOf(variable.objref?.name, variable.node),
      'check kind, name and namespace of objref',
    );
  const node = lookUp(object.root, splitFieldPath(path).flatMap(withIndex), place);
  if (node === undefined)
    return fail(
      'build-replacement',
      `the object of the var ${name} has no field ${path}`,
      place,
      'check fieldref.fieldpath',
    );
  return { value: primitiveOf(node), place: node };
}

/** `ports[0]` is the field `ports` and the index 0. */
function withIndex(part: string): string[] {
  const match = /^(.*)\[(\d+)\]$/.exec(part);
  if (match === null) return [part];
  return [match[1], match[2]].filter((each) => each !== undefined && each !== '') as string[];
}

/** A scalar's value as Go reads it; undefined for what cannot take the place of a var. */
function primitiveOf(node: Node): VarValue['value'] {
  if (node.kind !== 'scalar') {
    jsonOfNode(node);
    return undefined;
  }
  const { tag, text } = node;
  if (tag === tags.int && /^[-+]?\d+$/.test(text)) {
    const value = BigInt(text.replace(/^\+/, ''));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (tag === tags.int) return fail('build-replacement', `${text} cannot be read as a decimal integer`, node);
  if (tag === tags.float) return Number(text);
  if (tag === tags.bool) return /^(?:1|t|T|TRUE|true|True)$/.test(text);
  return text;
}

function resolveNode(node: Node, values: ReadonlyMap<string, VarValue>, used: Set<string>, edit: Edit): Node {
  if (isNull(node)) return node;
  if (node.kind === 'scalar') return isStringScalar(node) ? resolveScalar(node, values, used, edit) : node;
  let result = node;
  const stepWidth = node.kind === 'map' ? 2 : 1;
  for (let index = 0; index < node.items.length; index += stepWidth) {
    const item = node.items[index] as Node;
    if (!isStringScalar(item))
      fail(
        'build-invalid-field',
        node.kind === 'map' ? `the key ${item.text} is no string` : 'a var can only stand in a list of texts',
        item,
      );
    const at = index + stepWidth - 1;
    const value = node.items[at] as Node;
    if (!isStringScalar(value)) continue;
    const next = resolveScalar(value, values, used, edit);
    if (next !== value) result = withItem(result, at, next, edit);
  }
  return result;
}

function resolveScalar(
  node: Node,
  values: ReadonlyMap<string, VarValue>,
  used: Set<string>,
  edit: Edit,
): Node {
  if (!node.text.includes('$') && node.tag === tags.str) return node;
  const expanded = expand(node.text, values, used);
  const { value, place } = expanded;
  const owned = own(node, edit);
  const source = place ?? node;
  Object.assign(owned, {
    source: source.source,
    start: source.start,
    end: source.end,
    style: yamlStyle.plain,
  });
  if (typeof value === 'string') {
    owned.text = newString(value, source).text;
    owned.tag = tags.str;
  } else {
    const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    owned.text = typeof value === 'number' && !isInteger ? goFixed(value) : String(value);
    owned.tag = typeof value === 'boolean' ? tags.bool : isInteger ? tags.int : tags.float;
  }
  edit.wrote(owned);
  return owned;
}

/** Go's 'f' format with the shortest digits. */
function goFixed(value: number): string {
  const text = String(value);
  return text.includes('e') ? BigInt(Math.trunc(value)).toString() : text;
}

interface Expanded {
  readonly value: string | number | bigint | boolean;
  readonly place: Place | undefined;
}

/** Expands `$(NAME)` as upstream: `$$` is a dollar sign, an unknown name stays as it is. */
function expand(input: string, values: ReadonlyMap<string, VarValue>, used: Set<string>): Expanded {
  let text = '';
  let place: Place | undefined;
  let index = 0;
  while (index < input.length) {
    const character = input[index] ?? '';
    if (character !== '$' || index + 1 >= input.length) {
      text += character;
      index++;
      continue;
    }
    const next = input[index + 1] ?? '';
    const close = next === '(' ? input.indexOf(')', index + 2) : -1;
    if (close < 0) {
      text += next === '$' ? '$' : `$${next}`;
      index += 2;
      continue;
    }
    const name = input.slice(index + 2, close);
    const known = values.get(name);
    index = close + 1;
    if (known?.value === undefined) {
      text += `$(${name})`;
      continue;
    }
    used.add(name);
    place = known.place;
    if (input === `$(${name})`) return { value: known.value, place };
    text +=
      typeof known.value === 'number' && !Number.isInteger(known.value)
        ? formatGoFloat(known.value)
        : String(known.value);
  }
  return { value: text, place };
}
