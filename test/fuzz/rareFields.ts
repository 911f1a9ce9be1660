import { stringifyJson, type JsonObject, type JsonValue } from '../../src/base/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { FileStyle } from './fuzzTree.ts';
import { labels, names, namespaces, text } from './objects.ts';
import { jsonPatch, strategicPatch } from './patches.ts';
import type { Random } from './random.ts';
import { rawObjects } from './rawText.ts';
import { replacement } from './transformers.ts';

/** Puts files beside a kustomization and gives their names. */
export interface AddFiles {
  readonly documents: (documents: readonly JsonValue[], style?: FileStyle) => string;
  readonly text: (text: string) => string;
}

/**
 * Fields of a kustomization that few repositories use: configurations, crds, openapi, generators, validators, old patch
 * fields and files written by hand. They come on top of the usual ones, lists are joined to those.
 */
export function rareFields(
  random: Random,
  objects: readonly KubeObject[],
  folder: string,
  add: AddFiles,
): JsonObject {
  const patchable = objects.length > 0;
  return {
    ...(random.chance(12) && { resources: [add.text(rawObjects(random, folder))] }),
    ...(random.chance(10) && { configurations: [add.documents([configuration(random)])] }),
    ...(random.chance(6) && { crds: [add.documents([definitions(random)])] }),
    ...(random.chance(5) && { openapi: { path: add.documents([schema(random)], 'json') } }),
    ...(random.chance(8) && { generators: [add.documents([generator(random, folder)])] }),
    ...(random.chance(4) && { validators: [add.documents([validator(random)])] }),
    ...(patchable && random.chance(10) && { transformers: [moreTransformers(random, objects, add)] }),
    ...(patchable && random.chance(8) && { patchesJson6902: [oldJsonPatch(random, objects, add)] }),
    ...(patchable && random.chance(8) && { replacements: [rareReplacement(random, objects, add)] }),
    ...(random.chance(6) && { images: [{ name: 'nginx', tagSuffix: '-slim' }] }),
    ...(random.chance(6) && { configMapGenerator: [fromFiles(random, folder, add)] }),
    ...(random.chance(6) && {
      sortOptions: {
        order: 'legacy',
        legacySortOptions: {
          orderFirst: random.some(['Namespace', 'Service', 'ConfigMap'], 60),
          orderLast: random.some(['Deployment', 'Secret', 'Role'], 60),
        },
      },
    }),
  };
}

/** The same kustomization with more fields; lists are joined, what is there already wins. */
export function withFields(kustomization: JsonObject, more: JsonObject): JsonObject {
  const joined: Record<string, JsonValue | undefined> = { ...more, ...kustomization };
  for (const [name, value] of Object.entries(more)) {
    const present = kustomization[name];
    if (Array.isArray(value) && Array.isArray(present))
      joined[name] = [...(present as JsonValue[]), ...(value as JsonValue[])];
  }
  return joined;
}

function configuration(random: Random): JsonObject {
  const widget = (path: string, create = false): JsonObject => ({
    path,
    kind: 'Widget',
    ...(random.chance(30) && { group: 'example.org' }),
    ...(create && random.chance(50) && { create: true }),
  });
  return {
    ...(random.chance(30) && {
      nameReference: [
        {
          kind: random.pick(['Secret', 'ConfigMap']),
          version: 'v1',
          fieldSpecs: [widget('spec/secretName')],
        },
      ],
    }),
    ...(random.chance(30) && { images: [widget(random.pick(['spec/image', 'spec/list/v']))] }),
    ...(random.chance(30) && { commonLabels: [widget('spec/nested/labels', true)] }),
    ...(random.chance(30) && { commonAnnotations: [widget('spec/annotations', true)] }),
    ...(random.chance(20) && { namespace: [widget('spec/namespace', true)] }),
    ...(random.chance(20) && { namePrefix: [widget(random.pick(['spec/secretName', 'metadata/name']))] }),
    ...(random.chance(20) && { nameSuffix: [widget('spec/nested/deep/text')] }),
    ...(random.chance(20) && { replicas: [widget('spec/size', true)] }),
    ...(random.chance(20) && { varReference: [widget('spec/nested/deep/text')] }),
    ...(random.chance(20) && { labels: [widget('spec/nested/labels', true)] }),
    ...(random.chance(20) && { templateLabels: [widget('spec/template/metadata/labels', true)] }),
  };
}

function definitions(random: Random): JsonObject {
  const type = 'org.example.v1.Widget';
  const secret = { 'x-kubernetes-object-ref-api-version': 'v1', 'x-kubernetes-object-ref-kind': 'Secret' };
  return {
    [type]: {
      Schema: {
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          spec: { $ref: `${type}Spec` },
        },
      },
    },
    [`${type}Spec`]: {
      Schema: {
        properties: {
          secretName: { type: 'string', ...secret, 'x-kubernetes-object-ref-name-key': '' },
          nested: { type: 'object', ...(random.chance(50) && { 'x-kubernetes-label-selector': '' }) },
          ref: { type: 'object', ...secret },
          marked: { type: 'object', 'x-kubernetes-annotation': '' },
        },
      },
    },
  };
}

function schema(random: Random): JsonObject {
  const item = { type: 'object', properties: { name: { type: 'string' }, id: { type: 'integer' } } };
  return {
    definitions: {
      'org.example.v1.Widget': {
        type: 'object',
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          spec: {
            type: 'object',
            properties: {
              list: {
                type: 'array',
                items: item,
                'x-kubernetes-patch-merge-key': random.pick(['name', 'id']),
                'x-kubernetes-patch-strategy': 'merge',
              },
            },
          },
        },
        'x-kubernetes-group-version-kind': [{ group: 'example.org', version: 'v1', kind: 'Widget' }],
      },
    },
  };
}

function generator(random: Random, folder: string): JsonObject {
  const kind = random.pick(['ConfigMapGenerator', 'SecretGenerator']);
  return {
    apiVersion: 'builtin',
    kind,
    metadata: { name: `made-${folder}`, ...(random.chance(30) && { namespace: random.pick(namespaces) }) },
    literals: ['a=b', `t=${text(random)}`],
    ...(random.chance(30) && { options: { disableNameSuffixHash: true, labels: labels(random) } }),
    ...(kind === 'SecretGenerator' && random.chance(30) && { type: 'example.org/own' }),
  };
}

function validator(random: Random): JsonObject {
  return {
    apiVersion: 'builtin',
    kind: 'LabelTransformer',
    metadata: { name: 'check' },
    labels: { app: 'web' },
    fieldSpecs: [{ path: 'metadata/labels', create: random.chance(20) }],
  };
}

/** Built-in transformers by name, written in a file or as text in the kustomization. */
function moreTransformers(random: Random, objects: readonly KubeObject[], add: AddFiles): JsonValue {
  const builtin = (kind: string, fields: JsonObject): JsonObject => ({
    apiVersion: 'builtin',
    kind,
    metadata: { name: 'more' },
    ...fields,
  });
  const object = random.pick(objects);
  const configured = random.pick<JsonObject>([
    builtin('ReplacementTransformer', { replacements: [replacement(random, objects)] }),
    builtin('PatchStrategicMergeTransformer', { patches: stringifyJson(strategicPatch(random, object)) }),
    builtin('PatchJson6902Transformer', {
      target: { kind: object.kind, name: object.metadata.name },
      jsonOp: stringifyJson(jsonPatch(random, object)),
    }),
    builtin('PrefixSuffixTransformer', {
      prefix: 'x-',
      suffix: '-y',
      fieldSpecs: [{ path: 'metadata/name' }, { path: 'spec/secretName', kind: 'Widget' }],
    }),
    builtin('HashTransformer', {}),
    builtin('ValueAddTransformer', {
      value: 'added',
      targets: [{ selector: { kind: object.kind }, fieldPath: 'metadata/annotations/value' }],
    }),
  ]);
  return random.chance(60) ? add.documents([configured]) : { $inline: configured };
}

function oldJsonPatch(random: Random, objects: readonly KubeObject[], add: AddFiles): JsonObject {
  const object = random.pick(objects);
  const [group, version] = object.apiVersion.includes('/')
    ? (object.apiVersion.split('/') as [string, string])
    : (['', object.apiVersion] as const);
  const operations = jsonPatch(random, object);
  return {
    target: {
      ...(random.chance(50) && { group, version }),
      kind: object.kind,
      name: object.metadata.name,
      ...(random.chance(20) && { namespace: random.pick(namespaces) }),
    },
    ...(random.chance(50)
      ? { path: add.documents([operations], random.pick(['block', 'json'])) }
      : { patch: { $inline: operations } }),
  };
}

/** Replacements in files, from a value, with selectors by everything and with encodings. */
function rareReplacement(random: Random, objects: readonly KubeObject[], add: AddFiles): JsonObject {
  const entry = replacement(random, objects);
  const target = random.pick(objects);
  switch (random.below(4)) {
    case 0:
      return { path: add.documents(random.chance(50) ? [entry] : [[entry]]) };
    case 1: {
      const { source: _source, ...rest } = entry;
      return { sourceValue: text(random), ...rest };
    }
    case 2:
      return {
        ...entry,
        targets: [
          {
            select: random.pick<JsonObject>([
              { labelSelector: 'app=web' },
              { annotationSelector: 'note' },
              { namespace: random.pick(namespaces) },
              { name: `${target.metadata.name.slice(0, 2)}.*` },
              { group: 'apps', version: 'v1' },
            ]),
            reject: [{ kind: random.pick(['Service', 'ConfigMap', 'Widget']) }, { name: random.pick(names) }],
            fieldPaths: ['metadata.annotations.replaced'],
            options: { create: true },
          },
        ],
      };
    default:
      return {
        ...entry,
        targets: [
          {
            select: { kind: target.kind },
            fieldPaths: [random.pick(['data.k', 'metadata.annotations.note', 'spec.image'])],
            options: { encoding: random.pick(['base64', 'hex']), ...(random.chance(60) && { create: true }) },
          },
        ],
      };
  }
}

const environmentText = ['A=1', 'B = two', '# comment', '', 'C="quoted"', 'D=a=b', 'é=x', ' E=lead'] as const;

function fromFiles(random: Random, folder: string, add: AddFiles): JsonObject {
  const lines = random.some(environmentText, 40).join(random.chance(80) ? '\n' : '\r\n');
  return {
    name: `files-${folder}`,
    ...(random.chance(60) && { envs: [add.text(lines)] }),
    ...(random.chance(30) && { env: add.text('K=v\n') }),
    ...(random.chance(60) && {
      files: [add.text(text(random)), `named.txt=${add.text(`${text(random)}\n${text(random)}`)}`],
    }),
  };
}
