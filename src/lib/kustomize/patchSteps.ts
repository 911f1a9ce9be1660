import type { YamlNode, YamlText } from '../../kube/yamlNode.ts';
import { sourceOf } from './configFiles.ts';
import { list, type Decoder, type Located } from './decode.ts';
import {
  placeOf,
  replacementShape,
  valueOf,
  type PatchInput,
  type ReplacementInput,
} from './kustomizationShape.ts';
import type { Loader } from './loader.ts';
import type { MergeSchemas } from './mergeSchema.ts';
import { parseMergePatches, parseOperations, parsePatch, readYaml, type ParsedPatch } from './patchText.ts';
import { BuildFailure, fail } from './problem.ts';
import { buildAnnotation, setMetaTexts, type Resource } from './resource.ts';
import { compileSelector } from './selector.ts';
import type { Transformer } from './transformer.ts';
import { jsonPatchTransformer, mergePatchTransformer } from './transformers/patchTransformers.ts';
import { replacementTransformer } from './transformers/replacementTransformer.ts';

export interface PatchContext {
  readonly loader: Loader;
  schemas(): MergeSchemas;
}

/** The source of a text inside a kustomization; lines of a block scalar keep their places. */
export function inlineSource({ value, node }: Located<string>): YamlText {
  return { path: node.source?.path ?? '', text: value, line: 0, inside: node };
}

/** The same without white space around the text, as `patches` take it. */
function trimmedSource({ value, node }: Located<string>): YamlText {
  const trimmed = value.trim();
  const lead = value.slice(0, value.indexOf(trimmed));
  const lines = lead.split('\n').length - 1;
  return { path: node.source?.path ?? '', text: '\n'.repeat(lines) + trimmed, line: 0, inside: node };
}

/** The step of one entry of `patches`. Throws BuildFailure. */
export function makePatch(input: PatchInput, { loader, schemas }: PatchContext): Transformer {
  const text = valueOf(input.patch).trim();
  const path = valueOf(input.path);
  if (text === '' && path === '')
    return fail(
      'build-invalid-patch',
      'a patch needs patch or path',
      input.node,
      'add the text, or the path of a file',
    );
  if (text !== '' && path !== '')
    return fail('build-invalid-patch', 'a patch has either patch or path', input.node, 'remove one of them');
  const place = placeOf(text === '' ? input.path : input.patch, input.node);
  const source =
    text === ''
      ? sourceOf(loader, path, loader.load(path, place))
      : trimmedSource(input.patch as Located<string>);
  const parsed: ParsedPatch = parsePatch(source, place);
  const target = input.target === undefined ? undefined : compileSelector(input.target);
  const type = 'PatchTransformer';
  if (parsed.type === 'json') {
    if (target === undefined)
      return fail(
        'build-invalid-patch',
        'a JSON 6902 patch needs a target',
        place,
        'add target with kind and name',
      );
    return jsonPatchTransformer({ type, operations: parsed.operations, target, storesId: true });
  }
  const allowNameChange = input.options?.allowNameChange?.value ?? false;
  const allowKindChange = input.options?.allowKindChange?.value ?? false;
  const patches = parsed.patches.map((patch) => enable(patch, allowNameChange, allowKindChange));
  if (patches.length === 0) return { type, transform: (objects) => objects };
  return mergePatchTransformer({
    type,
    patches,
    target,
    schemas: schemas(),
    place,
    allowNameChange,
    allowKindChange,
    asTexts: false,
  });
}

/** Notes in the patch what it may change, as upstream does; the note travels into the object. */
function enable(patch: Resource, allowNameChange: boolean, allowKindChange: boolean): Resource {
  const names = [
    ...(allowNameChange ? [buildAnnotation.allowNameChange] : []),
    ...(allowKindChange ? [buildAnnotation.allowKindChange] : []),
  ];
  if (names.length === 0) return patch;
  const texts = new Map([...patch.annotations, ...names.map((name) => [name, 'enabled'] as const)]);
  return patch.edited((root, edit) => setMetaTexts(root, 'annotations', texts, edit));
}

/** The step of one entry of `patchesJson6902`. Throws BuildFailure. */
export function makeJsonPatch(input: PatchInput, { loader }: PatchContext): Transformer {
  const target = input.target;
  if (target === undefined || valueOf(target.name) === '')
    return fail(
      'build-invalid-patch',
      'the patch must name its target',
      target?.node ?? input.node,
      'add target.name',
    );
  const path = valueOf(input.path);
  const text = valueOf(input.patch);
  if ((path === '') === (text === ''))
    return fail('build-invalid-patch', 'a patch has either patch or path', input.node);
  const place = placeOf(path === '' ? input.patch : input.path, input.node);
  const source =
    path === ''
      ? inlineSource(input.patch as Located<string>)
      : sourceOf(loader, path, loader.load(path, place));
  const operations = parseOperations(source, place);
  if (operations.length === 0) fail('build-invalid-patch', 'the patch is empty', place);
  return jsonPatchTransformer({
    type: 'PatchJson6902Transformer',
    operations,
    target: compileSelector(target),
    storesId: false,
  });
}

/** The step of all `patchesStrategicMerge`: each entry is a file or the patch itself. Throws BuildFailure. */
export function makePatchesStrategicMerge(
  input: {
    readonly paths: readonly Located<string>[];
    readonly patches: Located<string> | undefined;
    readonly node: YamlNode;
  },
  { loader, schemas }: PatchContext,
): Transformer {
  const patches = input.paths.flatMap((entry) => patchesOfEntry(entry, loader));
  if (input.patches !== undefined && input.patches.value !== '')
    patches.push(...parseMergePatches(inlineSource(input.patches)));
  if (patches.length === 0)
    fail('build-invalid-patch', 'the patch is empty', input.paths[0]?.node ?? input.node);
  return mergePatchTransformer({
    type: 'PatchStrategicMergeTransformer',
    patches,
    target: undefined,
    schemas: schemas(),
    place: input.node,
    allowNameChange: false,
    allowKindChange: false,
    asTexts: true,
  });
}

function patchesOfEntry(entry: Located<string>, loader: Loader): readonly Resource[] {
  try {
    return parseMergePatches(inlineSource(entry));
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    if (entry.value.includes('\n')) throw error;
  }
  return parseMergePatches(sourceOf(loader, entry.value, loader.load(entry.value, entry.node)));
}

/** The step of all `replacements`, inline and in files. Throws BuildFailure. */
export function makeReplacements(
  entries: readonly (ReplacementInput & { readonly path?: Located<string> })[],
  { loader }: Pick<PatchContext, 'loader'>,
): Transformer {
  const replacements = entries.flatMap((entry) => {
    const path = valueOf(entry.path);
    if (path === '') return [entry];
    if (entry.source !== undefined || (entry.targets ?? []).length > 0)
      fail(
        'build-replacement',
        'a replacement is either inline or in a file',
        placeOf(entry.path, entry.node),
      );
    return readReplacements(loader, path, placeOf(entry.path, entry.node));
  });
  return replacementTransformer(replacements);
}

function readReplacements(loader: Loader, path: string, place: YamlNode): readonly ReplacementInput[] {
  const root = readYaml(sourceOf(loader, path, loader.load(path, place)));
  if (root === undefined || root.kind === 'scalar')
    return fail(
      'build-replacement',
      `${path} holds no replacement`,
      place,
      'a mapping or a list of them is expected',
    );
  const decoder: Decoder = { strict: false, problems: [] };
  const one = root.kind === 'map' ? replacementShape(decoder, root, path) : undefined;
  const inputs =
    root.kind === 'map' ? (one === undefined ? [] : [one]) : list(replacementShape)(decoder, root, path);
  const [problem] = decoder.problems.filter(({ severity }) => severity !== 'warning');
  if (problem !== undefined) throw new BuildFailure(problem);
  return inputs ?? [];
}
