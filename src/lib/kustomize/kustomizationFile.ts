import type { YamlNode } from '../../kube/yamlNode.ts';
import { jsonOfYaml, type YamlProblem } from '../../kube/yamlValue.ts';
import { sourceOf } from './configFiles.ts';
import { isNullNode, type Decoder } from './decode.ts';
import { kustomizationShape, valueOf, type KustomizationInput } from './kustomizationShape.ts';
import type { Loader } from './loader.ts';
import { newMap, nowhere } from './node.ts';
import { readYaml } from './patchText.ts';
import { BuildFailure, type BuildProblem } from './problem.ts';

/** As kustomize reads its files, or as Flux reads the root before it writes it anew: what it does not know is dropped. */
export type Reading = 'strictly' | 'asFlux';

/** The names a kustomization file may have, in the order in which they are looked for. */
export const kustomizationFileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

export interface KustomizationFile {
  readonly name: string;
  readonly input: KustomizationInput;
  readonly isComponent: boolean;
  readonly warnings: readonly BuildProblem[];
}

/** Reads the kustomization of a folder; every problem in it is added to `problems`. */
export function readKustomization(
  loader: Loader,
  problems: BuildProblem[],
  how: Reading = 'strictly',
): KustomizationFile | undefined {
  const found = kustomizationFileNames.filter(
    (name) => loader.read(loader.resolve(name) ?? '') !== undefined,
  );
  const [name] = found;
  if (name === undefined) {
    problems.push({
      code: 'kustomization-missing',
      message: 'this folder has no kustomization.yaml',
      place: nowhere,
      path: loader.pathOf(loader.root === '' ? 'kustomization.yaml' : `${loader.root}/kustomization.yaml`),
      hint: 'add one, or name the files instead of the folder',
    });
    return undefined;
  }
  if (found.length > 1) {
    problems.push({
      code: 'kustomization-ambiguous',
      message: `this folder has several kustomization files: ${found.join(', ')}`,
      place: nowhere,
      path: loader.pathOf(loader.resolve(name) ?? name),
      hint: 'keep one of them',
    });
    return undefined;
  }
  return parseKustomization(loader, name, problems, how);
}

function parseKustomization(
  loader: Loader,
  name: string,
  problems: BuildProblem[],
  how: Reading,
): KustomizationFile | undefined {
  const path = loader.pathOf(loader.resolve(name) ?? name);
  const bytes = loader.tree.get(loader.resolve(name) ?? name) ?? new Uint8Array();
  let root: YamlNode | undefined;
  try {
    const source = sourceOf(loader, name, bytes);
    root = readYaml(source);
    if (how === 'asFlux' && (root === undefined || isNullNode(root)))
      root = newMap({ source, start: 0, end: 0 });
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    problems.push(error.problem);
    return undefined;
  }
  const empty: BuildProblem = {
    code: 'kustomization-empty',
    message: 'the kustomization is empty',
    place: nowhere,
    path,
    hint: 'list files under resources',
  };
  if (root === undefined || isNullNode(root)) {
    problems.push(empty);
    return undefined;
  }
  if (!isWellFormed(root, problems)) return undefined;
  const decoder: Decoder = { strict: how === 'strictly', problems: [], tellsDropped: true };
  const input = kustomizationShape(decoder, root, 'the kustomization');
  const warnings = decoder.problems.filter(({ severity }) => severity === 'warning');
  const errors = decoder.problems.filter(({ severity }) => severity !== 'warning');
  problems.push(...errors);
  if (input === undefined || errors.length > 0) return undefined;
  if (how === 'strictly' && isEmpty(input)) {
    problems.push({ ...empty, place: root });
    return undefined;
  }
  const isComponent = valueOf(input.kind) === 'Component';
  const before = problems.length;
  checkKind(input, isComponent, problems);
  if (problems.length > before) return undefined;
  return { name, input, isComponent, warnings: [...warnings, ...deprecations(input)] };
}

/** Anchors that contain themselves and alias bombs must not reach code that follows aliases. */
function isWellFormed(root: YamlNode, problems: BuildProblem[]): boolean {
  const found: YamlProblem[] = [];
  jsonOfYaml(root, found);
  const errors = found.filter(({ code }) => code !== 'yaml-duplicate-key');
  for (const { message, node, hint } of errors)
    problems.push({
      code: 'kustomization-invalid',
      message,
      place: node,
      ...(hint !== undefined && { hint }),
    });
  return errors.length === 0;
}

/** Tells whether the file says nothing about what is built. */
export function isEmpty(input: KustomizationInput): boolean {
  const { node: _node, kind: _kind, apiVersion: _apiVersion, ...fields } = input;
  return Object.values(fields).every(
    (field) => typeof field === 'object' && 'value' in field && field.value === '',
  );
}

function checkKind(input: KustomizationInput, isComponent: boolean, problems: BuildProblem[]): void {
  const kind = valueOf(input.kind) || 'Kustomization';
  const apiVersion = valueOf(input.apiVersion);
  const expected = isComponent ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1';
  if (kind !== 'Kustomization' && !isComponent)
    problems.push({
      code: 'kustomization-invalid',
      message: `kind must be Kustomization or Component, not ${kind}`,
      place: input.kind?.node ?? input.node,
      hint: 'write kind: Kustomization, or leave kind and apiVersion out',
    });
  if (apiVersion !== '' && apiVersion !== expected)
    problems.push({
      code: 'kustomization-invalid',
      message: `apiVersion must be ${expected}`,
      place: input.apiVersion?.node ?? input.node,
      ...(apiVersion.startsWith('kustomize.toolkit.fluxcd.io/') && {
        hint: 'this is a Flux Kustomization; it belongs into another file',
      }),
    });
}

const replacements = {
  bases: 'resources',
  commonLabels: 'labels',
  imageTags: 'images',
  patchesJson6902: 'patches',
  patchesStrategicMerge: 'patches',
  vars: 'replacements',
} as const;

function deprecations(input: KustomizationInput): readonly BuildProblem[] {
  return Object.entries(replacements).flatMap(([field, better]) => {
    const value = input[field as keyof typeof replacements];
    if (value === undefined) return [];
    const key = input.node.items.find((item, index) => index % 2 === 0 && item.text === field);
    return [
      {
        code: 'kustomization-deprecated' as const,
        severity: 'warning' as const,
        message: `${field} is deprecated`,
        place: key ?? input.node,
        hint: `use ${better} instead`,
      },
    ];
  });
}
