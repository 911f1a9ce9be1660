import { quotedStyles, yamlStyle, type YamlNode } from '../../kube/yamlNode.ts';
import { resolveTagged, resolveValue, tags, type ScalarValue } from '../../kube/yamlScalar.ts';
import { goStringOfScalar, isMergeKey } from '../../kube/yamlValue.ts';
import { newMap } from './node.ts';
import type { BuildProblem } from './problem.ts';

/** A value and the node it was written as: the origin of everything made from it. */
export interface Located<T> {
  readonly value: T;
  readonly node: YamlNode;
}

/** A map of texts, with the node of each value. */
export type LocatedMap = ReadonlyMap<string, Located<string>>;

/**
 * How a configuration file is read. `strict` is how upstream reads kustomization.yaml: unknown fields and wrong types are
 * errors. Otherwise unknown fields are left out, and numbers and booleans serve as texts, as in sigs.k8s.io/yaml.
 */
export interface Decoder {
  readonly strict: boolean;
  readonly problems: BuildProblem[];
  /** Where reading is not strict: unknown fields become warnings. */
  readonly tellsDropped?: boolean;
}

/** Reads a node as a T; undefined, with a problem, when it is none, and without one when it is null. */
export type Shape<T> = (decoder: Decoder, node: YamlNode, name: string) => T | undefined;

export type Fields = Readonly<Record<string, Shape<unknown>>>;

/** A mapping read field by field; `node` is where it stands. */
export type Struct<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Shape<infer T> ? T : never;
} & { readonly node: YamlNode };

export const text: Shape<Located<string>> = (decoder, node, name) => {
  const scalar = scalarOf(node);
  if (scalar === null) return undefined;
  if (typeof scalar === 'string') return { value: scalar, node };
  const coerced = scalar === undefined || decoder.strict ? undefined : goStringOfScalar(scalar);
  if (coerced !== undefined) return { value: coerced, node };
  const shown = scalar === undefined ? 'a mapping or list' : `the ${typeof scalar} ${String(scalar)}`;
  return wrong(
    decoder,
    node,
    `${name} must be text, not ${shown}`,
    scalar === undefined ? undefined : 'quote it',
  );
};

export const boolean: Shape<Located<boolean>> = (decoder, node, name) => {
  const scalar = scalarOf(node);
  if (scalar === null) return undefined;
  return typeof scalar === 'boolean'
    ? { value: scalar, node }
    : wrong(decoder, node, `${name} must be true or false`);
};

export const integer: Shape<Located<number>> = (decoder, node, name) => {
  const scalar = scalarOf(node);
  if (scalar === null) return undefined;
  return typeof scalar === 'number' && Number.isInteger(scalar)
    ? { value: scalar, node }
    : wrong(decoder, node, `${name} must be an integer`);
};

/** A list; null items count as empty mappings, unless the shape of the items has its own idea of null. */
export function list<T>(item: Shape<T>, nullItems: 'asEmpty' | 'asGiven' = 'asEmpty'): Shape<readonly T[]> {
  return (decoder, node, name) => {
    const resolved = target(node);
    if (isNullNode(resolved)) return undefined;
    if (resolved.kind !== 'seq')
      return wrong(decoder, node, `${name} must be a list`, "start each item with '- '");
    return resolved.items.flatMap((child, index) => {
      const given = target(child);
      const isEmpty = nullItems === 'asEmpty' && isNullNode(given);
      const value = item(decoder, isEmpty ? newMap(given) : given, `${name}[${index}]`);
      return value === undefined ? [] : [value];
    });
  };
}

/** A list of texts; null items are empty texts. */
export const texts: Shape<readonly Located<string>[]> = list(
  (decoder, node, name) => (isNullNode(node) ? { value: '', node } : text(decoder, node, name)),
  'asGiven',
);

export const textMap: Shape<LocatedMap> = (decoder, node, name) => {
  const resolved = target(node);
  if (isNullNode(resolved)) return undefined;
  if (resolved.kind !== 'map') return wrong(decoder, node, `${name} must be a mapping`);
  const result = new Map<string, Located<string>>();
  for (const [key, { value }] of entriesOf(decoder, resolved)) {
    const located = isNullNode(value) ? { value: '', node: value } : text(decoder, value, `${name}.${key}`);
    if (located !== undefined) result.set(key, located);
  }
  return result;
};

/** Anything; the node is given as it is. */
export const anything: Shape<YamlNode> = (_decoder, node) => target(node);

/** A mapping with the given fields; like Go's JSON, it also takes names that differ in case only. */
export function struct<F extends Fields>(fields: F): Shape<Struct<F>> {
  const byLowerCase = new Map(Object.keys(fields).map((field) => [field.toLowerCase(), field]));
  return (decoder, node, name) => {
    const resolved = target(node);
    if (isNullNode(resolved)) return undefined;
    if (resolved.kind !== 'map') return wrong(decoder, node, `${name} must be a mapping`);
    const result: Record<string, unknown> = { node: resolved };
    for (const [key, entry] of entriesOf(decoder, resolved)) {
      const field = Object.hasOwn(fields, key) ? key : byLowerCase.get(key.toLowerCase());
      const shape = field === undefined ? undefined : fields[field];
      if (field === undefined || shape === undefined) {
        if (decoder.strict || decoder.tellsDropped === true)
          unknownField(decoder, entry.key, key, Object.keys(fields));
        continue;
      }
      const value = shape(decoder, entry.value, field);
      if (value !== undefined) result[field] = value;
    }
    return result as Struct<F>;
  };
}

function unknownField(decoder: Decoder, node: YamlNode, key: string, known: readonly string[]): void {
  const similar = similarField(key.toLowerCase(), known);
  decoder.problems.push({
    ...(decoder.strict
      ? { code: 'kustomization-invalid', message: `unknown field ${JSON.stringify(key)}` }
      : {
          code: 'kustomization-field-dropped',
          severity: 'warning',
          message: `unknown field ${JSON.stringify(key)}: Flux drops it from the root kustomization without a word`,
        }),
    place: node,
    ...(similar !== undefined && { hint: `did you mean ${similar}?` }),
  });
}

/** A field that is spelled nearly so, or that ends or begins with what is written. */
function similarField(key: string, known: readonly string[]): string | undefined {
  const fields = known.map((field) => [field, field.toLowerCase()] as const);
  const [similar] =
    fields.find(([, field]) => distance(field, key) <= 2) ??
    (key.length < 3 ? undefined : fields.find(([, field]) => field.endsWith(key))) ??
    (key.length < 3 ? undefined : fields.find(([, field]) => field.startsWith(key))) ??
    [];
  return similar;
}

/** Edit distance, cut off at 3. */
function distance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > 2) return 3;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[right.length] ?? 3;
}

interface Entry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

/** The entries of a mapping with merge keys carried out; of a key given twice the last counts, as in go-yaml v2. */
function entriesOf(decoder: Decoder, map: YamlNode): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (let index = 0; index + 1 < map.items.length; index += 2) {
    const key = map.items[index] as YamlNode;
    const value = map.items[index + 1] as YamlNode;
    if (isMergeKey(key)) {
      const sources = value.kind === 'seq' ? value.items.toReversed() : [value];
      for (const source of sources) {
        const merged = target(source);
        if (merged.kind !== 'map') wrong(decoder, source, 'only mappings can be merged with <<');
        else for (const [name, entry] of entriesOf(decoder, merged)) entries.set(name, entry);
      }
      continue;
    }
    const scalar = scalarOf(target(key));
    const name = typeof scalar === 'string' ? scalar : scalar == null ? undefined : goStringOfScalar(scalar);
    if (name === undefined) wrong(decoder, key, 'a key must be a string, a number or a boolean', 'quote it');
    else {
      if (entries.has(name))
        decoder.problems.push({
          code: 'kustomization-invalid',
          severity: 'warning',
          message: `the field ${name} is given twice; the last one counts`,
          place: key,
          hint: 'remove one of them',
        });
      entries.set(name, { key, value });
    }
  }
  return entries;
}

function wrong(decoder: Decoder, node: YamlNode, message: string, hint?: string): undefined {
  decoder.problems.push({
    code: 'kustomization-invalid',
    message,
    place: node,
    ...(hint !== undefined && { hint }),
  });
  return undefined;
}

function target(node: YamlNode): YamlNode {
  return node.kind === 'alias' && node.target !== undefined ? node.target : node;
}

export function isNullNode(node: YamlNode): boolean {
  return scalarOf(node) === null;
}

/** The value of a scalar as go-yaml v2 reads it; undefined for a mapping or list. */
export function scalarOf(given: YamlNode): ScalarValue | undefined {
  const node = target(given);
  if (node.kind !== 'scalar') return undefined;
  if ((node.style & yamlStyle.tagged) !== 0) return resolveTagged(node.tag, node.text, 'v2') ?? node.text;
  if ((node.style & quotedStyles) !== 0 || node.tag === tags.merge) return node.text;
  return resolveValue(node.text, 'v2');
}
