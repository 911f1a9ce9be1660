import type { Located } from './decode.ts';
import { fieldSpecOf } from './configFiles.ts';
import type { KustomizationInput } from './kustomizationShape.ts';
import {
  makeJsonPatch,
  makePatch,
  makePatchesStrategicMerge,
  makeReplacements,
  type PatchContext,
} from './patchSteps.ts';
import { BuildFailure, type BuildProblem } from './problem.ts';
import { mergeFieldSpecs, type FieldSpec, type TransformerConfig } from './transformerConfig.ts';
import type { Transformer } from './transformer.ts';
import { imageTransformer } from './transformers/imageTransformer.ts';
import {
  annotationsTransformer,
  entriesOfMap,
  labelTransformer,
} from './transformers/metadataTransformers.ts';
import { namespaceTransformer } from './transformers/namespaceTransformer.ts';
import { prefixTransformer, suffixTransformer } from './transformers/nameTransformers.ts';
import { replicaTransformer } from './transformers/replicaTransformer.ts';

const metadataLabels: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };

/** The steps that the fields of a kustomization ask for, in upstream's order. Problems are collected, not thrown. */
export function stepsOf(
  input: KustomizationInput,
  config: TransformerConfig,
  context: PatchContext,
  problems: BuildProblem[],
): readonly Transformer[] {
  const steps: Transformer[] = [];
  const add = (make: () => Transformer): void => {
    try {
      steps.push(make());
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      problems.push(error.problem);
    }
  };
  const strategic = input.patchesStrategicMerge ?? [];
  if (strategic.length > 0)
    add(() => makePatchesStrategicMerge({ paths: strategic, patches: undefined, node: input.node }, context));
  for (const patch of input.patches ?? []) add(() => makePatch(patch, context));
  addNaming(input, config, add);
  addLabels(input, config, add);
  if (input.commonAnnotations !== undefined && input.commonAnnotations.size > 0)
    add(() => annotationsTransformer(entriesOfMap(input.commonAnnotations), config.commonAnnotations));
  for (const patch of input.patchesJson6902 ?? []) add(() => makeJsonPatch(patch, context));
  for (const replica of input.replicas ?? []) add(() => replicaTransformer(replica, config.replicas));
  for (const image of [...(input.images ?? []), ...(input.imageTags ?? [])])
    add(() => imageTransformer(image, config.images));
  const { replacements = [] } = input;
  if (replacements.length > 0) add(() => makeReplacements(replacements, context));
  return steps;
}

type Add = (make: () => Transformer) => void;

function addNaming(input: KustomizationInput, config: TransformerConfig, add: Add): void {
  const text = (located: Located<string> | undefined) =>
    located === undefined || located.value === '' ? undefined : { text: located.value, place: located.node };
  const namespace = text(input.namespace);
  if (namespace !== undefined)
    add(() =>
      namespaceTransformer({
        namespace: namespace.text,
        place: namespace.place,
        fieldSpecs: config.namespace,
      }),
    );
  const prefix = text(input.namePrefix);
  if (prefix !== undefined) add(() => prefixTransformer({ ...prefix, fieldSpecs: config.namePrefix }));
  const suffix = text(input.nameSuffix);
  if (suffix !== undefined) add(() => suffixTransformer({ ...suffix, fieldSpecs: config.nameSuffix }));
}

function addLabels(input: KustomizationInput, config: TransformerConfig, add: Add): void {
  const { labels = [], commonLabels } = input;
  if (labels.length === 0 && (commonLabels === undefined || commonLabels.size === 0)) return;
  for (const label of labels)
    add(() => {
      let specs = mergeFieldSpecs((label.fields ?? []).map(fieldSpecOf), config.labels, label.node);
      if (label.includeSelectors?.value === true)
        specs = mergeFieldSpecs(specs, config.commonLabels, label.node);
      else {
        if (label.includeTemplates?.value === true)
          specs = mergeFieldSpecs(specs, config.templateLabels, label.node);
        specs = mergeFieldSpecs(specs, [metadataLabels], label.node);
      }
      return labelTransformer(entriesOfMap(label.pairs), specs);
    });
  add(() => labelTransformer(entriesOfMap(commonLabels), config.commonLabels));
}
