import type { Diagnostic, Severity } from '../../base/diagnostic.ts';
import type { Range } from '../../base/position.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import { jsonOfYaml } from '../../kube/yamlValue.ts';
import type { OverlayEffects } from '../model/overlayEffects.ts';
import {
  fieldsOf,
  formatPath,
  headRangeOf,
  isNull,
  itemsOf,
  nodeAt,
  rangeOf,
  resolveAlias,
  type Field,
  type Path,
} from '../model/yamlAccess.ts';
import { closestName } from './closestName.ts';
import { scalarProblem, withArticle } from './scalarProblems.ts';
import { childSchema, describeType, isClosed, type KindSchema, type Schema } from './schema.ts';

/** How a document is meant: a patch is part of an object, so nothing in it is required. */
export type DocumentRole = 'object' | 'patch';

interface Walk {
  readonly file: string;
  readonly kind: KindSchema;
  readonly role: DocumentRole;
  readonly effects: OverlayEffects;
  /** Schemas of the objects around the current one, outermost first. */
  readonly around: readonly { readonly path: Path; readonly schema: Schema }[];
  readonly problems: Diagnostic[];
}

/** A document to be checked. */
export interface Checked {
  readonly file: string;
  readonly root: YamlNode;
  readonly kind: KindSchema;
  readonly role: DocumentRole;
  readonly effects: OverlayEffects;
}

/** Everything in a document that its kind's schema does not allow. */
export function validateNode({ root, ...checked }: Checked): Diagnostic[] {
  const walk: Walk = { ...checked, around: [], problems: [] };
  visit(walk, resolveAlias(root), checked.kind.schema, [], undefined);
  return walk.problems;
}

function visit(
  walk: Walk,
  written: YamlNode,
  schema: Schema,
  path: Path,
  key: YamlNode | undefined,
): void {
  const node = resolveAlias(written);
  if (node.kind === 'scalar') {
    if (isNull(node)) visitNothing(walk, node, schema, path, key);
    else if (!isFilledLater(node)) visitScalar(walk, node, schema, path);
    return;
  }
  const expected = node.kind === 'map' ? 'object' : 'array';
  if (schema['x-kubernetes-int-or-string'] === true || (schema.type ?? expected) !== expected) {
    const is = node.kind === 'map' ? 'a mapping' : 'a list';
    const message = `${formatPath(path)} must be ${withArticle(describeType(schema))}, not ${is}`;
    report(walk, 'wrong-type', key === undefined ? headRangeOf(node) : rangeOf(key), message);
    return;
  }
  if (node.kind === 'map') visitMapping(walk, node, schema, path, key);
  else visitList(walk, node, schema, path, key);
}

/** A server takes null for left out, except where a custom kind has no default to put there. */
function visitNothing(
  walk: Walk,
  node: YamlNode,
  schema: Schema,
  path: Path,
  key: YamlNode | undefined,
): void {
  if (walk.kind.origin !== 'custom' || walk.role === 'patch') return;
  if (schema.type === undefined || schema.nullable === true || schema.default !== undefined) return;
  const message = `${formatPath(path)} has no value`;
  const hint = `give it ${withArticle(describeType(schema))}, or remove it`;
  report(walk, 'wrong-type', rangeOf(key ?? node), message, hint);
}

function visitScalar(walk: Walk, node: YamlNode, schema: Schema, path: Path): void {
  const problem = scalarProblem(node, schema, walk.kind.origin !== 'custom' || isFlux(walk.kind));
  if (problem === undefined) return;
  // Where kustomize knows no such word it goes on as if there were none.
  const isTolerated = walk.kind.origin === 'kustomize' && problem.code === 'invalid-value';
  const message = `${formatPath(path)} ${problem.message}`;
  report(walk, problem.code, rangeOf(node), message, problem.hint, isTolerated ? 'warning' : 'error');
}

function visitMapping(
  walk: Walk,
  node: YamlNode,
  schema: Schema,
  path: Path,
  key: YamlNode | undefined,
): void {
  const fields = fieldsOf(node);
  const inner: Walk = { ...walk, around: [...walk.around, { path, schema }] };
  for (const field of fields) {
    const child = fieldSchema(walk, schema, field.name);
    if (child !== undefined) {
      const isLeftOut = isNull(resolveAlias(field.value)) && schema.required?.includes(field.name) === true;
      if (!isLeftOut) visit(inner, field.value, child, [...path, field.name], field.key);
    } else if (isClosed(schema) && !isAllowedAnyway(walk, field.name, path)) {
      reportUnknownField(walk, field, schema, path);
    }
  }
  for (const name of walk.role === 'patch' ? [] : (schema.required ?? [])) {
    const value = fields.find((field) => field.name === name)?.value;
    if (value !== undefined && !isNull(resolveAlias(value))) continue;
    reportMissing(walk, [...path, name], key === undefined ? headRangeOf(node) : rangeOf(key));
  }
}

/** Overlays may add what is missing: some for certain, others perhaps. */
function reportMissing(walk: Walk, path: Path, range: Range): void {
  const name = path.at(-1);
  const { selectors, namespace, anything } = walk.effects;
  if ((selectors && name === 'selector') || (namespace && name === 'namespace')) return;
  const message = `${formatPath(path)} is required`;
  if (anything) report(walk, 'missing-field', range, message, 'unless an overlay adds it', 'warning');
  else report(walk, 'missing-field', range, message);
}

/** kustomize reads its files with Go's JSON decoder, which does not mind upper and lower case. */
function fieldSchema(walk: Walk, schema: Schema, name: string): Schema | undefined {
  const exact = childSchema(schema, name);
  if (exact !== undefined || walk.kind.origin !== 'kustomize') return exact;
  const other = Object.keys(schema.properties ?? {}).find((key) => key.toLowerCase() === name.toLowerCase());
  return other === undefined ? undefined : childSchema(schema, other);
}

/** The directives of strategic merge patches, and what SOPS adds to the files it encrypts. */
function isAllowedAnyway(walk: Walk, name: string, path: Path): boolean {
  if (walk.role === 'patch' && name.startsWith('$')) return true;
  return path.length === 0 && name === 'sops';
}

function reportUnknownField(walk: Walk, field: Field, schema: Schema, path: Path): void {
  const names = Object.keys(schema.properties ?? {});
  const owner = path.length === 0 ? walk.kind.kind : formatPath(path);
  const near = closestName(field.name, names);
  const home = [...walk.around]
    .reverse()
    .find((outer) => Object.hasOwn(outer.schema.properties ?? {}, field.name));
  const hint =
    near !== undefined
      ? `did you mean ${near}?`
      : home !== undefined
        ? `${home.path.length === 0 ? walk.kind.kind : formatPath(home.path)} has a field ${field.name}: check the indentation`
        : undefined;
  // Flux drops fields that a built-in kind does not know, and a newer server may know more than we do.
  const severity = walk.kind.origin === 'builtin' ? 'warning' : 'error';
  const message = `${field.name} is not a field of ${owner}`;
  report(walk, 'unknown-field', rangeOf(field.key), message, hint, severity);
}

function visitList(
  walk: Walk,
  node: YamlNode,
  schema: Schema,
  path: Path,
  key: YamlNode | undefined,
): void {
  const items = itemsOf(node);
  const range = key === undefined ? headRangeOf(node) : rangeOf(key);
  if (schema.minItems !== undefined && items.length < schema.minItems && walk.role === 'object') {
    report(
      walk,
      'invalid-value',
      range,
      `${formatPath(path)} must have at least ${schema.minItems} ${plural(schema.minItems)}`,
    );
  }
  if (schema.maxItems !== undefined && items.length > schema.maxItems) {
    report(
      walk,
      'invalid-value',
      range,
      `${formatPath(path)} must have at most ${schema.maxItems} ${plural(schema.maxItems)}`,
    );
  }
  reportDuplicateItems(walk, items, schema, path);
  if (schema.items === undefined) return;
  for (const [index, item] of items.entries()) {
    visit(walk, item, schema.items, [...path, index], undefined);
  }
}

function plural(count: number): string {
  return count === 1 ? 'item' : 'items';
}

/** Server-side apply refuses a list whose keys are not unique. */
function reportDuplicateItems(walk: Walk, items: readonly YamlNode[], schema: Schema, path: Path): void {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'map' && type !== 'set') return;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const parts = type === 'set' ? [item] : keys.map((name) => nodeAt(item, [name]));
    if (parts.every((part) => part === undefined)) continue;
    const identity = JSON.stringify(parts.map((part) => (part === undefined ? null : String(jsonOfYaml(part, [])))));
    const first = seen.get(identity);
    if (first === undefined) {
      seen.set(identity, index);
      continue;
    }
    const what =
      type === 'set' ? 'is the same value as' : `has the same ${keys.join(' and ')} as`;
    const message = `${formatPath([...path, index])} ${what} ${formatPath([...path, first])}`;
    report(walk, 'duplicate-item', headRangeOf(item), message);
  }
}

/** Substitution, the variables of kustomize and decryption fill such a value in later; what it will be is not known here. */
function isFilledLater(node: YamlNode): boolean {
  return /\$[{(]/.test(node.text) || node.text.startsWith('ENC[');
}

function isFlux({ group }: KindSchema): boolean {
  return group.endsWith('.fluxcd.io');
}

function report(
  walk: Walk,
  code: string,
  range: Range,
  message: string,
  hint?: string,
  severity: Severity = 'error',
): void {
  walk.problems.push({
    code,
    severity,
    message,
    path: walk.file,
    range,
    ...(hint !== undefined && { hint }),
  });
}
