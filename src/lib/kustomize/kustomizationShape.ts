import type { YamlNode } from '../../kube/yamlNode.ts';
import {
  anything,
  boolean,
  integer,
  list,
  struct,
  text,
  textMap,
  texts,
  type Located,
  type Shape,
  type Struct,
} from './decode.ts';

const gvkFields = { group: text, version: text, kind: text };
const resIdFields = { ...gvkFields, name: text, namespace: text };

export const selectorShape = struct({ ...resIdFields, annotationSelector: text, labelSelector: text });
export type SelectorInput = NonNullable<ReturnType<typeof selectorShape>>;

const fieldSpecFields = { ...gvkFields, path: text, create: boolean };
export const fieldSpecShape = struct(fieldSpecFields);
export type FieldSpecInput = NonNullable<ReturnType<typeof fieldSpecShape>>;

const patchOptions = struct({ allowNameChange: boolean, allowKindChange: boolean });
export const patchShape = struct({ path: text, patch: text, target: selectorShape, options: patchOptions });
export type PatchInput = NonNullable<ReturnType<typeof patchShape>>;

export const imageShape = struct({ name: text, newName: text, tagSuffix: text, newTag: text, digest: text });
export type ImageInput = NonNullable<ReturnType<typeof imageShape>>;

export const replicaShape = struct({ name: text, count: integer });
export type ReplicaInput = NonNullable<ReturnType<typeof replicaShape>>;

const labelShape = struct({
  pairs: textMap,
  includeSelectors: boolean,
  includeTemplates: boolean,
  fields: list(fieldSpecShape),
});

const fieldOptions = struct({ delimiter: text, index: integer, encoding: text, create: boolean });
export type FieldOptionsInput = NonNullable<ReturnType<typeof fieldOptions>>;
const replacementFields = {
  source: struct({ ...resIdFields, fieldPath: text, options: fieldOptions }),
  targets: list(
    struct({ select: selectorShape, reject: list(selectorShape), fieldPaths: texts, options: fieldOptions }),
  ),
  sourceValue: text,
};
export const replacementShape = struct(replacementFields);
export type ReplacementInput = NonNullable<ReturnType<typeof replacementShape>>;
export const replacementFieldShape = struct({ ...replacementFields, path: text });

const varShape = struct({
  name: text,
  objref: struct({ apiVersion: text, ...resIdFields }),
  fieldref: struct({ fieldPath: text }),
});
export type VarInput = NonNullable<ReturnType<typeof varShape>>;

export const generatorOptionsShape = struct({
  labels: textMap,
  annotations: textMap,
  disableNameSuffixHash: boolean,
  immutable: boolean,
});
export type GeneratorOptionsInput = NonNullable<ReturnType<typeof generatorOptionsShape>>;

export const generatorArgsFields = {
  namespace: text,
  name: text,
  behavior: text,
  literals: texts,
  files: texts,
  envs: texts,
  env: text,
  options: generatorOptionsShape,
};
const configMapShape = struct(generatorArgsFields);
const secretShape = struct({ ...generatorArgsFields, type: text });
export type GeneratorInput = NonNullable<ReturnType<typeof secretShape>>;

export const sortOptionsShape = struct({
  order: text,
  legacySortOptions: struct({ orderFirst: texts, orderLast: texts }),
});
export type SortOptionsInput = NonNullable<ReturnType<typeof sortOptionsShape>>;

export const helmGlobalsFields = { chartHome: text, configHome: text };
export const helmChartFields = {
  name: text,
  version: text,
  repo: text,
  releaseName: text,
  namespace: text,
  additionalValuesFiles: texts,
  valuesFile: text,
  valuesInline: anything,
  valuesMerge: text,
  includeCRDs: boolean,
  skipHooks: boolean,
  apiVersions: texts,
  kubeVersion: text,
  nameTemplate: text,
  skipTests: boolean,
  debug: boolean,
  devel: boolean,
};
const oldHelmChartShape = struct({
  chartName: text,
  chartVersion: text,
  chartRepoUrl: text,
  chartHome: text,
  chartRepoName: text,
  helmBin: text,
  helmHome: text,
  values: text,
  valuesLocal: anything,
  valuesMerge: text,
  releaseName: text,
  releaseNamespace: text,
  extraArgs: texts,
});

const kustomizationFields = {
  apiVersion: text,
  kind: text,
  metadata: struct({ name: text, namespace: text, labels: textMap, annotations: textMap }),
  openapi: textMap,
  namePrefix: text,
  nameSuffix: text,
  namespace: text,
  commonLabels: textMap,
  labels: list(labelShape),
  commonAnnotations: textMap,
  patchesStrategicMerge: texts,
  patchesJson6902: list(patchShape),
  patches: list(patchShape),
  images: list(imageShape),
  imageTags: list(imageShape),
  replacements: list(replacementFieldShape),
  replicas: list(replicaShape),
  vars: list(varShape),
  sortOptions: sortOptionsShape,
  resources: texts,
  components: texts,
  crds: texts,
  bases: texts,
  configMapGenerator: list(configMapShape),
  secretGenerator: list(secretShape),
  helmGlobals: struct(helmGlobalsFields),
  helmCharts: list(struct(helmChartFields)),
  helmChartInflationGenerator: list(oldHelmChartShape),
  generatorOptions: generatorOptionsShape,
  configurations: texts,
  generators: texts,
  transformers: texts,
  validators: texts,
  buildMetadata: texts,
};

/** A kustomization or component file, field by field, with the place of every value. */
export const kustomizationShape: Shape<Struct<typeof kustomizationFields>> = struct(kustomizationFields);
export type KustomizationInput = NonNullable<ReturnType<typeof kustomizationShape>>;

/** Every field a kustomization may have. */
export const kustomizationFieldNames: readonly string[] = Object.keys(kustomizationFields);

/** The text of an optional field, '' when it is not there. */
export function valueOf(located: Located<string> | undefined): string {
  return located?.value ?? '';
}

/** Where a value stands, else where the thing it belongs to does. */
export function placeOf(located: Located<unknown> | undefined, fallback: YamlNode): YamlNode {
  return located?.node ?? fallback;
}
