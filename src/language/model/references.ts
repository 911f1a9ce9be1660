import type { YamlNode } from '../../kube/yamlNode.ts';
import type { WrittenObject } from './parseFile.ts';
import { fieldsOf, itemsOf, nodeAt, resolveAlias, textAt } from './yamlAccess.ts';

/** What a reference is for: decides whether and how a missing target is reported. */
export type ReferenceRole = 'source' | 'dependency' | 'related' | 'config';

/** A field of a Flux object that names another object. */
export interface ObjectReference {
  readonly role: ReferenceRole;
  readonly from: WrittenObject;
  /** The place of the name, where a squiggle and a link go. */
  readonly nameNode: YamlNode;
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined when neither the reference nor its object says one. */
  readonly namespace: string | undefined;
}

/** Where a kind keeps a reference. A `*` in the path stands for every element of a list. */
interface ReferenceField {
  readonly path: string;
  readonly role: ReferenceRole;
  /** The kind when the reference itself has no field `kind`. */
  readonly kind?: string;
}

const sources = 'source.toolkit.fluxcd.io';

const secrets: readonly ReferenceField[] = ['secretRef', 'certSecretRef', 'proxySecretRef'].map((field) => ({
  path: `spec.${field}`,
  role: 'config',
  kind: 'Secret',
}));

const workload: readonly ReferenceField[] = [
  { path: 'spec.kubeConfig.secretRef', role: 'config', kind: 'Secret' },
  { path: 'spec.kubeConfig.configMapRef', role: 'config', kind: 'ConfigMap' },
];

const referenceFields: Readonly<Record<string, readonly ReferenceField[]>> = {
  'kustomize.toolkit.fluxcd.io/Kustomization': [
    { path: 'spec.sourceRef', role: 'source' },
    { path: 'spec.dependsOn.*', role: 'dependency', kind: 'Kustomization' },
    { path: 'spec.decryption.secretRef', role: 'config', kind: 'Secret' },
    { path: 'spec.postBuild.substituteFrom.*', role: 'config' },
    ...workload,
  ],
  'helm.toolkit.fluxcd.io/HelmRelease': [
    { path: 'spec.chart.spec.sourceRef', role: 'source' },
    { path: 'spec.chartRef', role: 'source' },
    { path: 'spec.dependsOn.*', role: 'dependency', kind: 'HelmRelease' },
    { path: 'spec.valuesFrom.*', role: 'config' },
    ...workload,
  ],
  [`${sources}/HelmChart`]: [{ path: 'spec.sourceRef', role: 'source' }],
  [`${sources}/GitRepository`]: [
    { path: 'spec.include.*.repository', role: 'source', kind: 'GitRepository' },
    { path: 'spec.verify.secretRef', role: 'config', kind: 'Secret' },
    ...secrets,
  ],
  [`${sources}/OCIRepository`]: [
    { path: 'spec.verify.secretRef', role: 'config', kind: 'Secret' },
    ...secrets,
  ],
  [`${sources}/HelmRepository`]: secrets,
  [`${sources}/Bucket`]: secrets,
  'source.extensions.fluxcd.io/ArtifactGenerator': [{ path: 'spec.sources.*', role: 'source' }],
  'notification.toolkit.fluxcd.io/Alert': [
    { path: 'spec.providerRef', role: 'related', kind: 'Provider' },
    { path: 'spec.eventSources.*', role: 'related' },
  ],
  'notification.toolkit.fluxcd.io/Provider': secrets,
  'notification.toolkit.fluxcd.io/Receiver': [
    { path: 'spec.resources.*', role: 'related' },
    { path: 'spec.secretRef', role: 'config', kind: 'Secret' },
  ],
  'image.toolkit.fluxcd.io/ImageRepository': secrets,
  'image.toolkit.fluxcd.io/ImagePolicy': [
    { path: 'spec.imageRepositoryRef', role: 'related', kind: 'ImageRepository' },
  ],
  'image.toolkit.fluxcd.io/ImageUpdateAutomation': [{ path: 'spec.sourceRef', role: 'source' }],
};

/** The group of a kind that Flux objects refer to by kind alone. */
const groupOfKind: Readonly<Record<string, string>> = {
  ConfigMap: '',
  Secret: '',
  Bucket: sources,
  ExternalArtifact: sources,
  GitRepository: sources,
  HelmChart: sources,
  HelmRepository: sources,
  OCIRepository: sources,
  HelmRelease: 'helm.toolkit.fluxcd.io',
  Kustomization: 'kustomize.toolkit.fluxcd.io',
  Provider: 'notification.toolkit.fluxcd.io',
  ImagePolicy: 'image.toolkit.fluxcd.io',
  ImageRepository: 'image.toolkit.fluxcd.io',
  ImageUpdateAutomation: 'image.toolkit.fluxcd.io',
};

const known = new WeakMap<WrittenObject, readonly ObjectReference[]>();

/** Every reference of a Flux object to another object, in the order of its fields; names still to be substituted are left out. */
export function referencesOf(object: WrittenObject): readonly ObjectReference[] {
  const found = known.get(object);
  if (found !== undefined) return found;
  const fields = referenceFields[`${object.group}/${object.kind}`] ?? [];
  const references = fields.flatMap((field) =>
    expand(object.node, field.path.split('.')).flatMap((node) => readReference(object, field, node)),
  );
  known.set(object, references);
  return references;
}

/** The kinds that a reference field of that object's kind may name, where the field itself does not say one. */
export function kindOfReference(objectKey: string, path: readonly (string | number)[]): string | undefined {
  const written = path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
  return referenceFields[objectKey]?.find((field) => field.path === written)?.kind;
}

/** Whether a path of that object's kind holds a reference. */
export function isReference(objectKey: string, path: readonly (string | number)[]): boolean {
  const written = path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
  return referenceFields[objectKey]?.some((field) => field.path === written) ?? false;
}

/** The API group of a kind that can be referred to; undefined for others. */
export function groupOfReferredKind(kind: string): string | undefined {
  return groupOfKind[kind];
}

function expand(node: YamlNode, path: readonly string[]): readonly YamlNode[] {
  const [key, ...rest] = path;
  if (key === undefined) return [node];
  const children =
    key === '*'
      ? itemsOf(node)
      : fieldsOf(node)
          .filter((field) => field.name === key)
          .map((field) => field.value);
  return children.flatMap((child) => expand(resolveAlias(child), rest));
}

function readReference(from: WrittenObject, field: ReferenceField, node: YamlNode): ObjectReference[] {
  const nameNode = nodeAt(node, ['name']);
  const name = textAt(node, ['name']);
  const kind = textAt(node, ['kind']) ?? field.kind;
  if (nameNode === undefined || name === undefined || kind === undefined) return [];
  const namespace = textAt(node, ['namespace']) ?? from.namespace;
  const apiVersion = textAt(node, ['apiVersion']);
  const group = apiVersion?.includes('/') ? apiVersion.split('/')[0] : groupOfKind[kind];
  const isOpen = [name, kind, namespace].some((part) => part?.includes('${')) || name === '*' || name === '';
  if (group === undefined || isOpen) return [];
  return [{ role: field.role, from, nameNode, group, kind, name, namespace }];
}
