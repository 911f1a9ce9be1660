import type { JsonObject, JsonValue } from '../../src/base/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { pointersOf } from './patches.ts';
import { labels, namespaces, text } from './objects.ts';
import type { Random } from './random.ts';

const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.labels.app',
  'metadata.labels.[app.kubernetes.io/name]',
  'metadata.annotations.note',
  'spec.template.spec.containers.0.image',
  'spec.template.spec.containers.[name=main].image',
  'spec.template.spec.containers.*.image',
  'spec.template.spec.containers.[name=main].env.[name=A].value',
  'spec.template.metadata.labels',
  'spec.replicas',
  'spec.ports.0.port',
  'data.k',
  'data.HOST',
  'spec.nested.deep.text',
  'spec.list.*.v',
  'spec.added.new',
] as const;

/** An entry of `replacements` from one of the objects to others. */
export function replacement(random: Random, objects: readonly KubeObject[]): JsonObject {
  const source = random.pick(objects);
  const isLeaf = random.chance(90);
  const fieldPath = random.chance(96)
    ? existingPath(random, source, isLeaf).replaceAll('*', '0')
    : random.pick(fieldPaths);
  return {
    source: {
      kind: source.kind,
      name: source.metadata.name,
      ...(random.chance(90) && { fieldPath }),
      ...(isLeaf && random.chance(10) && { options: splitting(random) }),
    },
    targets: Array.from({ length: 1 + random.below(2) }, () => replacementTarget(random, objects, isLeaf)),
  };
}

function replacementTarget(random: Random, objects: readonly KubeObject[], isLeaf: boolean): JsonObject {
  const target = random.pick(objects);
  const path = (): string => existingPath(random, target, isLeaf || random.chance(80));
  return {
    select: { kind: target.kind, ...(random.chance(80) && { name: target.metadata.name }) },
    ...(random.chance(15) && { reject: [{ name: random.pick(objects).metadata.name }] }),
    fieldPaths: random.chance(85) ? [path(), ...random.some([path()], 20)] : [random.pick(fieldPaths)],
    ...(random.chance(75) && {
      options: {
        ...(random.chance(90) && { create: true }),
        ...(isLeaf && random.chance(10) && splitting(random)),
      },
    }),
  };
}

function splitting(random: Random): JsonObject {
  return { delimiter: random.pick(['-', ':', '/']), index: random.pick([0, 0, 0, 1, -1, 2]) };
}

/** The path of a field that the object has, as kustomize writes paths; often of a list's item by its name. */
function existingPath(random: Random, object: KubeObject, isLeaf: boolean): string {
  const all = pointersOf(object).filter((pointer) => !/^\/(apiVersion|kind)/.test(pointer));
  const leaves = all.filter((pointer) => !all.some((other) => other.startsWith(`${pointer}/`)));
  const pointers = isLeaf ? leaves : all;
  const segments = random.pick(pointers).slice(1).split('/');
  return segments
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((segment) => {
      if (/^[0-9]+$/.test(segment) && random.chance(25)) return '*';
      if (/[./]/.test(segment)) return random.chance(80) ? `[${segment}]` : segment.replaceAll('.', '\\.');
      return segment;
    })
    .join('.');
}

/** Entries of `vars` that name one of the objects. */
export function vars(random: Random, objects: readonly KubeObject[]): JsonValue {
  const object = random.pick(objects);
  const { apiVersion, kind, metadata } = object;
  return [
    {
      name: 'VAR',
      objref: { apiVersion, kind, name: metadata.name },
      ...(random.chance(40) && {
        fieldref: { fieldPath: existingPath(random, object, true).replaceAll('*', '0') },
      }),
    },
  ];
}

/** Configurations of built-in transformers, as `transformers` names them. */
export function builtinTransformers(random: Random): JsonObject[] {
  const builtin = (kind: string, name: string, fields: JsonObject): JsonObject => ({
    apiVersion: 'builtin',
    kind,
    metadata: { name, ...(kind === 'NamespaceTransformer' && { namespace: random.pick(namespaces) }) },
    ...fields,
  });
  const all = [
    builtin('PrefixTransformer', 'prefix', { prefix: 't-', fieldSpecs: [{ path: 'metadata/name' }] }),
    builtin('SuffixTransformer', 'suffix', {
      suffix: '-t',
      fieldSpecs: [{ path: 'metadata/name', kind: 'ConfigMap' }],
    }),
    builtin('LabelTransformer', 'label', {
      labels: labels(random),
      fieldSpecs: [
        { path: 'metadata/labels', create: true },
        { path: 'spec/template/metadata/labels', create: random.chance(50), kind: 'Deployment' },
      ],
    }),
    builtin('AnnotationsTransformer', 'annotation', {
      annotations: { from: text(random) },
      fieldSpecs: [{ path: 'metadata/annotations', create: true }],
    }),
    builtin('NamespaceTransformer', 'namespace', {
      ...(random.chance(50) && { unsetOnly: true }),
      ...(random.chance(60) && {
        setRoleBindingSubjects: random.pick(['none', 'allServiceAccounts', 'defaultOnly']),
      }),
      fieldSpecs: [{ path: 'metadata/namespace', create: true }],
    }),
    builtin('ImageTagTransformer', 'image', { imageTag: { name: 'nginx', newTag: 't' } }),
    builtin('ReplicaCountTransformer', 'replicas', {
      replica: { name: 'web', count: 3 },
      fieldSpecs: [{ path: 'spec/replicas', create: true, kind: 'Deployment' }],
    }),
    builtin('PatchTransformer', 'patch', {
      target: { kind: 'ConfigMap' },
      patch: JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: { patched: 'x' } }]),
    }),
  ];
  const usual = random.chance(90) ? all.filter(({ kind }) => kind !== 'ReplicaCountTransformer') : all;
  const first = random.pick(usual);
  return [first, ...random.some(usual, 10).filter((other) => other !== first)];
}
