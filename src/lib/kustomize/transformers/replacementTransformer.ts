import { splitFieldPath } from '../fieldSpec.ts';
import { placeOf, valueOf, type FieldOptionsInput, type ReplacementInput } from '../kustomizationShape.ts';
import { CopyBudget } from '../limits.ts';
import { matchesSelector } from '../labelSelector.ts';
import {
  assignContent,
  isEmpty,
  newScalar,
  nowhere,
  own,
  setText,
  type Edit,
  type Node,
  type Place,
} from '../node.ts';
import { lookUp, matchPath } from '../pathLookup.ts';
import { fail } from '../problem.ts';
import { isSelected, type ResId } from '../resId.ts';
import type { Resource } from '../resource.ts';
import { compileSelector, type Selector } from '../selector.ts';
import type { Transformer } from '../transformer.ts';
import { attempt, copyIntoText, parseDocument } from './structuredText.ts';

interface Target {
  readonly select: Selector;
  readonly reject: readonly Selector[];
  readonly fieldPaths: readonly { readonly value: string; readonly place: Place }[];
  readonly options: FieldOptionsInput | undefined;
}

/** Copies values from fields of one object to fields of others. */
export function replacementTransformer(replacements: readonly ReplacementInput[]): Transformer {
  const compiled = replacements.map((replacement) => ({
    replacement,
    targets: replacement.targets?.map(targetOf),
  }));
  return {
    type: 'ReplacementTransformer',
    transform: (objects) => {
      const budget = new CopyBudget();
      let result = objects;
      for (const { replacement, targets } of compiled) {
        if (
          (replacement.source === undefined && replacement.sourceValue === undefined) ||
          targets === undefined
        )
          fail(
            'build-replacement',
            'a replacement needs a source and at least one target',
            replacement.node,
            'add source and targets, or the path of a file that has them',
          );
        result = replaceAll(result, replacement, targets, budget);
      }
      return result;
    },
  };
}

/** Upstream copies from the live field, so a target that is the source's own field changes what the next ones get. */
function replaceAll(
  objects: readonly Resource[],
  replacement: ReplacementInput,
  targets: readonly Target[],
  budget: CopyBudget,
): readonly Resource[] {
  const result = [...objects];
  const source =
    replacement.source === undefined ? -1 : objects.indexOf(sourceObject(objects, replacement.source));
  let value = sourceValue(objects, replacement);
  const isLive = valueOf(replacement.source?.options?.delimiter) === '';
  const path = splitFieldPath(valueOf(replacement.source?.fieldPath) || 'metadata.name');
  const read = (root: Node): Node => attempt(() => lookUp(root, path, nowhere)) ?? value;
  for (const target of targets)
    for (const [index, object] of result.entries()) {
      if (!isTarget(object, target)) continue;
      const isSource = isLive && index === source;
      const changed = copyInto(object, value, { target, budget, read: isSource ? read : undefined });
      result[index] = changed;
      if (isSource) value = read(changed.root);
    }
  return result.every((object, index) => object === objects[index]) ? objects : result;
}

function targetOf(input: NonNullable<ReplacementInput['targets']>[number]): Target {
  const { select, reject = [], fieldPaths = [], options } = input;
  if (select === undefined)
    return fail('build-replacement', 'a target must say what to select', input.node, 'add select');
  const paths = fieldPaths.map(({ value, node }) => ({ value, place: node }));
  return {
    select: compileSelector(select),
    reject: reject.map(compileSelector),
    fieldPaths: paths.length === 0 ? [{ value: 'metadata.name', place: input.node }] : paths,
    options,
  };
}

function sourceValue(objects: readonly Resource[], replacement: ReplacementInput): Node {
  const { source, sourceValue: constant } = replacement;
  if (constant !== undefined && source !== undefined)
    fail('build-replacement', 'a replacement has either source or sourceValue', replacement.node);
  if (constant !== undefined) return newScalar(constant.value, '', constant.node);
  if (source === undefined)
    return fail('build-replacement', 'a replacement needs a source', replacement.node);
  const object = sourceObject(objects, source);
  const path = valueOf(source.fieldPath) || 'metadata.name';
  const place = placeOf(source.fieldPath, source.node);
  const value = lookUp(object.root, splitFieldPath(path), place);
  if (value === undefined || isEmpty(value))
    return fail(
      'build-replacement',
      `the source has no value at ${path}`,
      place,
      'check fieldPath; it starts at the root of the object',
    );
  return part(value, source.options);
}

function sourceObject(
  objects: readonly Resource[],
  source: NonNullable<ReplacementInput['source']>,
): Resource {
  const selector = {
    group: valueOf(source.group),
    version: valueOf(source.version),
    kind: valueOf(source.kind),
  };
  const name = valueOf(source.name);
  const namespace = valueOf(source.namespace);
  const found = objects.filter((object) =>
    [object.id, ...object.previousIds].some(
      (id) =>
        (name === '' || id.name === name) &&
        (namespace === '' || namespaceOf(id.namespace) === namespaceOf(namespace)) &&
        isSelected(id, selector),
    ),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  return fail(
    'build-replacement',
    found.length === 0 ? 'the source selects no object' : `the source selects ${found.length} objects`,
    source.node,
    found.length === 0 ? 'check kind, name and namespace' : 'add kind, name or namespace until it is one',
  );
}

function namespaceOf(namespace: string): string {
  return namespace === '' ? 'default' : namespace;
}

/** The part of the value between delimiters that the options ask for. */
function part(value: Node, options: FieldOptionsInput | undefined): Node {
  const delimiter = valueOf(options?.delimiter);
  if (options === undefined || delimiter === '') return value;
  const place = placeOf(options.delimiter, options.node);
  if (value.kind !== 'scalar') fail('build-replacement', 'only a single value can be split', place);
  const parts = splitText(value.text, delimiter);
  const index = options.index?.value ?? 0;
  const text = parts[index];
  if (text === undefined)
    return fail(
      'build-replacement',
      `there is no part ${index} in ${JSON.stringify(value.text)}`,
      place,
      'parts count from 0',
    );
  return { ...value, owner: undefined, text };
}

function splitText(text: string, delimiter: string): string[] {
  return text.split(delimiter);
}

function isTarget(object: Resource, { select, reject }: Target): boolean {
  if (!matchesTexts(object, select)) return false;
  const rejectsByTexts = reject.filter((each) => each.annotationSelector !== '' || each.labelSelector !== '');
  if (rejectsByTexts.some((each) => matchesTexts(object, each))) return false;
  const ids = [object.id, ...object.previousIds];
  if (reject.some((each) => each.selectsById && ids.some((id) => matchesId(id, each)))) return false;
  return ids.some((id) => matchesId(id, select));
}

function matchesTexts(object: Resource, selector: Selector): boolean {
  return (
    matchesSelector(selector.annotationSelector, object.annotations, selector.place) &&
    matchesSelector(selector.labelSelector, object.labels, selector.place)
  );
}

function matchesId(id: ResId, selector: Selector): boolean {
  return selector.matchesGvk(id) && selector.matchesName(id.name) && selector.matchesNamespace(id.namespace);
}

interface Copying {
  readonly target: Target;
  readonly budget: CopyBudget;
  /** Reads the value anew after each field of the object that it comes from. */
  readonly read: ((root: Node) => Node) | undefined;
}

function copyInto(object: Resource, given: Node, { target, budget, read }: Copying): Resource {
  return object.edited((root, edit) => {
    let result = copyAll(root, edit);
    let value = given;
    for (const { value: path, place } of target.fieldPaths) {
      const create = target.options?.create?.value === true ? value.kind : undefined;
      const parts = splitFieldPath(path);
      budget.take(value, place);
      if (!copyIntoText(result, value, parts, { create, place, edit, parse: parseDocument })) {
        const fields = matchPath(result, parts, { create, place, edit, parse: parseDocument });
        if (fields.length === 0)
          fail(
            'build-replacement',
            `${object.kind} ${object.name} has no field ${path}`,
            place,
            'set options.create to make it',
          );
        for (const field of fields) {
          setField(field, value, target.options, edit);
          budget.take(field, place);
        }
      }
      result = edit.finish(result);
      value = read?.(result) ?? value;
    }
    return result;
  });
}

/** A copy of the whole tree, so that fields can be changed wherever the path leads. */
function copyAll(node: Node, edit: Edit): Node {
  const copy = own(node, edit);
  if (node.items.length > 0) copy.items = node.items.map((item) => copyAll(item, edit));
  return copy;
}

/** A copy that no later write to other places reaches. */
function unshared(node: Node): Node {
  return { ...node, owner: undefined, share: undefined, items: node.items.map(unshared) };
}

function setField(field: Node, value: Node, options: FieldOptionsInput | undefined, edit: Edit): void {
  const place: Place = value.source === undefined ? nowhere : value;
  const delimiter = valueOf(options?.delimiter);
  let { text } = value;
  if (delimiter !== '') {
    if (field.kind !== 'scalar')
      fail(
        'build-replacement',
        'only a single value can be split',
        placeOf(options?.delimiter, options?.node as never),
      );
    text = spliced(splitText(field.text, delimiter), value.text, options?.index?.value ?? 0).join(delimiter);
  }
  if (field.kind === 'scalar') setText(field, text, place, edit);
  else {
    assignContent(field, { ...unshared(value), text });
    edit.wrote(field);
  }
}

function spliced(parts: readonly string[], text: string, index: number): readonly string[] {
  if (index < 0) return [text, ...parts];
  return index >= parts.length ? [...parts, text] : parts.with(index, text);
}
