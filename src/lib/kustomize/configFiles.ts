import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { YamlNode, YamlText } from '../../kube/yamlNode.ts';
import { decodeText } from './buildCache.ts';
import { list, struct, text, type Decoder, type Located } from './decode.ts';
import { defaultConfig } from './defaultConfig.gen.ts';
import { fieldSpecShape, valueOf, type FieldSpecInput } from './kustomizationShape.ts';
import type { Loader } from './loader.ts';
import { asNode, isNull, type Node, type Place } from './node.ts';
import { convert, readYaml, requireJson } from './patchText.ts';
import { BuildFailure, fail } from './problem.ts';
import {
  emptyConfig,
  mergeConfigs,
  sorted,
  type BackReference,
  type FieldSpec,
  type TransformerConfig,
} from './transformerConfig.ts';

const backReferenceShape = struct({
  group: text,
  version: text,
  kind: text,
  fieldSpecs: list(fieldSpecShape),
});
const specs = list(fieldSpecShape);
const configShape = struct({
  namePrefix: specs,
  nameSuffix: specs,
  namespace: specs,
  commonLabels: specs,
  labels: specs,
  templateLabels: specs,
  commonAnnotations: specs,
  nameReference: list(backReferenceShape),
  varReference: specs,
  images: specs,
  replicas: specs,
});

/** The built-in configuration with that of the files that `configurations` names. Throws BuildFailure. */
export function configOf(loader: Loader, files: readonly Located<string>[]): TransformerConfig {
  let added = emptyConfig;
  for (const file of files) added = mergeConfigs(added, readConfig(loader, file), file.node);
  const [first] = files;
  return first === undefined ? defaultConfig : mergeConfigs(defaultConfig, added, first.node);
}

function readConfig(loader: Loader, { value: path, node: place }: Located<string>): TransformerConfig {
  const root = readYaml(sourceOf(loader, path, loader.load(path, place)));
  if (root === undefined) return emptyConfig;
  const decoder: Decoder = { strict: true, problems: [] };
  const input = configShape(decoder, root, path);
  const [problem] = decoder.problems.filter(({ severity }) => severity !== 'warning');
  if (problem !== undefined) throw new BuildFailure(problem);
  if (input === undefined) return emptyConfig;
  const fields = (list: readonly FieldSpecInput[] | undefined) => sorted((list ?? []).map(fieldSpecOf));
  return {
    namePrefix: fields(input.namePrefix),
    nameSuffix: fields(input.nameSuffix),
    namespace: fields(input.namespace),
    commonLabels: fields(input.commonLabels),
    labels: fields(input.labels),
    templateLabels: fields(input.templateLabels),
    commonAnnotations: fields(input.commonAnnotations),
    nameReference: sorted(
      (input.nameReference ?? []).map((reference) => ({
        group: valueOf(reference.group),
        version: valueOf(reference.version),
        kind: valueOf(reference.kind),
        referrers: (reference.fieldSpecs ?? []).map(fieldSpecOf),
      })),
    ),
    varReference: fields(input.varReference),
    images: fields(input.images),
    replicas: fields(input.replicas),
  };
}

/** A FieldSpec as written. */
export function fieldSpecOf(input: FieldSpecInput): FieldSpec {
  return {
    group: valueOf(input.group),
    version: valueOf(input.version),
    kind: valueOf(input.kind),
    path: valueOf(input.path),
    create: input.create?.value ?? false,
  };
}

/** The whole text of a file as one source. */
export function sourceOf(loader: Loader, path: string, bytes: Uint8Array): YamlText {
  const full = loader.pathOf(loader.resolve(path) ?? path);
  return { path: full, text: decodeText(full, bytes), line: 0 };
}

/** What OpenAPI definitions of custom kinds add: fields with names, labels, annotations and identities. */
export function configOfCrds(loader: Loader, files: readonly Located<string>[]): TransformerConfig {
  let config = emptyConfig;
  for (const { value: path, node } of files) {
    const source = sourceOf(loader, path, loader.load(path, node));
    if (source.text.startsWith('{')) requireJson(source, 'OpenAPI definitions that start with {');
    const root = readYaml(source);
    const definitions = root === undefined ? null : convert(root);
    if (!isJsonObject(definitions))
      fail(
        'build-invalid-file',
        `${path} has no OpenAPI definitions`,
        root ?? node,
        'crds takes OpenAPI definitions by name',
      );
    requireDefinitions(asNode(root as YamlNode));
    for (const name of Object.keys(definitions)) {
      const properties = propertiesOf(definitions, name);
      if (
        properties === undefined ||
        !['kind', 'apiVersion', 'metadata'].every((each) => Object.hasOwn(properties, each))
      )
        continue;
      const kind = name.slice(name.lastIndexOf('.') + 1);
      config = mergeConfigs(config, configOfDefinition(definitions, name, kind, [], new Set()), node);
    }
  }
  return config;
}

/** Refuses what upstream cannot read as definitions: mostly manifests of kinds, which belong under resources. */
function requireDefinitions(root: Node): void {
  const hint = 'crds takes OpenAPI definitions by name; a CustomResourceDefinition belongs under resources';
  const membersOf = (given: Node, what: string): readonly (readonly [string, Node])[] => {
    const node = given.kind === 'alias' ? asNode(given.target as YamlNode) : given;
    if (isNull(node)) return [];
    if (node.kind !== 'map') fail('build-invalid-file', `${what} must be a mapping`, node, hint);
    return node.items.flatMap((key, index) =>
      index % 2 === 0 ? [[key.text, node.items[index + 1] as Node] as const] : [],
    );
  };
  const requireSchema = (node: Node, what: string): void => {
    for (const [name, member] of membersOf(node, what))
      if (name === 'properties')
        for (const [property, schema] of membersOf(member, `${what}.properties`))
          requireSchema(schema, `${what}.properties.${property}`);
  };
  for (const [name, definition] of membersOf(root, 'the file'))
    for (const [field, schema] of membersOf(definition, name))
      if (field.toLowerCase() === 'schema') requireSchema(schema, `${name}.${field}`);
}

function propertiesOf(definitions: JsonObject, name: string): JsonObject | undefined {
  const definition = member(definitions, name);
  const schema = isJsonObject(definition)
    ? (member(definition, 'Schema') ?? member(definition, 'schema'))
    : undefined;
  const properties = isJsonObject(schema) ? member(schema, 'properties') : undefined;
  return isJsonObject(properties) ? properties : undefined;
}

function member(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function configOfDefinition(
  definitions: JsonObject,
  name: string,
  kind: string,
  path: readonly string[],
  open: ReadonlySet<string>,
): TransformerConfig {
  let config = emptyConfig;
  if (open.has(name)) return config;
  const properties = propertiesOf(definitions, name) ?? {};
  const place: Place = { source: undefined, start: 0, end: 0 };
  for (const [field, property] of Object.entries(properties)) {
    if (!isJsonObject(property)) continue;
    const here = [...path, field];
    config = mergeConfigs(config, configOfProperty(property, kind, here), place);
    const reference = member(property, '$ref');
    if (typeof reference === 'string')
      config = mergeConfigs(
        config,
        configOfDefinition(definitions, reference, kind, here, new Set([...open, name])),
        place,
      );
  }
  return config;
}

function configOfProperty(property: JsonObject, kind: string, path: readonly string[]): TransformerConfig {
  const texts = (name: string): string | undefined => {
    const value = member(property, name);
    return typeof value === 'string' ? value : undefined;
  };
  const spec = (parts: readonly string[]): FieldSpec => ({
    group: '',
    version: '',
    kind,
    path: parts.join('/'),
    create: false,
  });
  const targetKind = texts('x-kubernetes-object-ref-kind');
  const targetVersion = texts('x-kubernetes-object-ref-api-version');
  const references: BackReference[] =
    targetKind === undefined || targetVersion === undefined
      ? []
      : [
          {
            group: '',
            version: targetVersion,
            kind: targetKind,
            referrers: [spec([...path, texts('x-kubernetes-object-ref-name-key') ?? 'name'])],
          },
        ];
  return {
    ...emptyConfig,
    commonAnnotations: texts('x-kubernetes-annotation') === undefined ? [] : [spec(path)],
    commonLabels: texts('x-kubernetes-label-selector') === undefined ? [] : [spec(path)],
    namePrefix: texts('x-kubernetes-identity') === undefined ? [] : [spec(path)],
    nameReference: references,
  };
}
