import type { Diagnosed, Diagnostic } from '../../base/diagnostic.ts';
import type { FileTree } from '../../base/fileTree.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { joinTreePath, relativeTreePath } from '../../base/treePath.ts';
import type { KustomizationSpec } from '../../flux/api/kustomize.gen.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { printYamlInOrder } from '../../kube/yamlPrint.ts';

/** The names a kustomization file may have, in the order they are looked for. */
const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Top-level members that kustomize knows; upstream's controller drops all others from the root file without a word. */
const knownMembers: ReadonlySet<string> = new Set([
  ...[
    'apiVersion',
    'kind',
    'metadata',
    'openapi',
    'namePrefix',
    'nameSuffix',
    'namespace',
    'commonLabels',
    'labels',
  ],
  ...[
    'commonAnnotations',
    'patchesStrategicMerge',
    'patchesJson6902',
    'patches',
    'images',
    'imageTags',
    'replacements',
  ],
  ...[
    'replicas',
    'vars',
    'sortOptions',
    'resources',
    'components',
    'crds',
    'bases',
    'configMapGenerator',
    'secretGenerator',
  ],
  ...[
    'helmGlobals',
    'helmCharts',
    'helmChartInflationGenerator',
    'generatorOptions',
    'configurations',
    'generators',
  ],
  ...['transformers', 'validators', 'buildMetadata'],
]);

/** Keys of no real kind: kustomize builds nothing from it, and neither does Flux (contract 1.3). */
const placeholder = '_placeholder';

/**
 * The tree with the root kustomization that kustomize-controller would build: generated when the folder has none, and with
 * what the spec adds. A file that needs no change stays as it is, so that the lines of its fields stay true.
 * Throws BuildFailed for files upstream refuses. Follows fluxcd/pkg kustomize Generator (contract 1.3).
 */
export function prepareOverlay(tree: FileTree, folder: string, spec: KustomizationSpec): Diagnosed<FileTree> {
  const name = fileNames.find((candidate) => tree.has(pathIn(folder, candidate)));
  const path = pathIn(folder, name ?? 'kustomization.yaml');
  const withFile = name === undefined ? tree.with(path, printYamlInOrder(generated(tree, folder))) : tree;
  const document = rootDocument(withFile, path);
  const { value, unknown } = withoutUnknown(document.value);
  const overlaid = withSpec(value, spec, (component) =>
    tree.isFolder(joinTreePath(folder, component) ?? placeholder),
  );
  const diagnostics = unknown.map((member): Diagnostic => droppedMember(path, member, document.text));
  const isSame = unknown.length === 0 && overlaid === value;
  return { value: isSame ? withFile : withFile.with(path, printYamlInOrder(overlaid)), diagnostics };
}

function rootDocument(tree: FileTree, path: string): { readonly value: JsonObject; readonly text: string } {
  const text = tree.text(path) ?? '';
  const { value: documents, diagnostics } = parseYaml(path, text);
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined) {
    throw plumbError('BuildFailed', {
      message: `failed to decode ${path}: ${problem.message}`,
      origin: problem,
    });
  }
  const value = documents[0]?.value;
  return { value: isJsonObject(value) ? value : {}, text };
}

/** Every manifest below the folder; a folder with a kustomization of its own is one resource. */
function generated(tree: FileTree, folder: string): JsonObject {
  const resources = resourcesIn(tree, folder).map((path) => `./${relativeTreePath(folder, path)}`);
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  return resources.length === 0 ? { ...head, namespace: placeholder } : { ...head, resources };
}

function resourcesIn(tree: FileTree, folder: string): readonly string[] {
  return tree.list(folder).flatMap((name) => {
    const path = pathIn(folder, name);
    if (tree.isFolder(path)) {
      const isKustomization = fileNames.some((candidate) => tree.has(pathIn(path, candidate)));
      return isKustomization ? [path] : resourcesIn(tree, path);
    }
    if (!/\.ya?ml$/.test(name)) return [];
    requireKubernetesYaml(tree, path);
    return [path];
  });
}

function requireKubernetesYaml(tree: FileTree, path: string): void {
  const { value: documents, diagnostics } = parseYaml(path, tree.text(path) ?? '');
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined) {
    throw plumbError('BuildFailed', {
      message: `failed to decode Kubernetes YAML from ${path}: ${problem.message}`,
      origin: problem,
    });
  }
  for (const { value, range } of documents) {
    const isObject =
      isJsonObject(value) &&
      typeof value['kind'] === 'string' &&
      value['kind'] !== '' &&
      typeof value['apiVersion'] === 'string';
    if (isObject) continue;
    throw plumbError('BuildFailed', {
      message: `failed to decode Kubernetes YAML from ${path}: the document is no object with apiVersion and kind`,
      origin: { path, range },
      hint: 'a folder without kustomization.yaml is built from all its YAML files: move others away, or list the manifests in a kustomization.yaml',
    });
  }
}

function withoutUnknown(value: JsonObject): {
  readonly value: JsonObject;
  readonly unknown: readonly string[];
} {
  const unknown = Object.keys(value).filter((member) => !knownMembers.has(member));
  if (unknown.length === 0) return { value, unknown };
  return {
    value: Object.fromEntries(Object.entries(value).filter(([member]) => knownMembers.has(member))),
    unknown,
  };
}

function withSpec(
  root: JsonObject,
  spec: KustomizationSpec,
  hasComponent: (component: string) => boolean,
): JsonObject {
  const components = (spec.components ?? []).filter(
    (component) =>
      requireLocal(component) && (spec.ignoreMissingComponents !== true || hasComponent(component)),
  );
  const changes: JsonObject = {
    ...(isSet(spec.targetNamespace) && { namespace: spec.targetNamespace }),
    ...(isSet(spec.namePrefix) && { namePrefix: spec.namePrefix }),
    ...(isSet(spec.nameSuffix) && { nameSuffix: spec.nameSuffix }),
    ...appended(root, 'patches', (spec.patches ?? []) as unknown as readonly JsonValue[]),
    ...appended(root, 'components', components),
    ...mergedImages(root, (spec.images ?? []) as unknown as readonly JsonObject[]),
    ...buildMetadata(root, spec),
  };
  return Object.keys(changes).length === 0 ? root : { ...root, ...changes };
}

function buildMetadata(root: JsonObject, spec: KustomizationSpec): JsonObject {
  if ((spec.buildMetadata ?? []).length > 0)
    return { buildMetadata: spec.buildMetadata as readonly string[] };
  // Upstream forces this where a root file lists no resources, and so marks the objects of component-only roots.
  const hasResources = Array.isArray(root['resources']) && root['resources'].length > 0;
  return hasResources || root['namespace'] === placeholder ? {} : { buildMetadata: ['originAnnotations'] };
}

function appended(root: JsonObject, member: string, items: readonly JsonValue[]): JsonObject {
  if (items.length === 0) return {};
  const present = root[member];
  return { [member]: [...(Array.isArray(present) ? (present as readonly JsonValue[]) : []), ...items] };
}

/** By name: newName replaces, tag and digest are replaced as a unit, others are appended. */
function mergedImages(root: JsonObject, images: readonly JsonObject[]): JsonObject {
  if (images.length === 0) return {};
  const merged: JsonObject[] = Array.isArray(root['images'])
    ? [...(root['images'] as readonly JsonObject[])]
    : [];
  for (const image of images) {
    const index = merged.findIndex((present) => present['name'] === image['name']);
    const present = merged[index];
    if (present === undefined) {
      merged.push(image);
      continue;
    }
    const hasVersion = isSet(image['newTag']) || isSet(image['digest']);
    const { newTag: _tag, digest: _digest, ...rest } = present;
    merged[index] = {
      ...(hasVersion ? rest : present),
      ...(isSet(image['newName']) && { newName: image['newName'] }),
      ...(isSet(image['newTag']) && { newTag: image['newTag'] }),
      ...(isSet(image['digest']) && { digest: image['digest'] }),
    };
  }
  return { images: merged };
}

function requireLocal(component: string): boolean {
  if (!component.includes('://') && !component.startsWith('/')) return true;
  throw plumbError('BuildFailed', {
    message: `component path '${component}' must be local and relative`,
    hint: 'spec.components takes folders of the same source, relative to spec.path',
  });
}

function droppedMember(path: string, member: string, text: string): Diagnostic {
  const line = Math.max(
    0,
    text.split('\n').findIndex((content) => content.startsWith(`${member}:`)),
  );
  return {
    code: 'kustomization-member-dropped',
    severity: 'warning',
    message: `${member} is no field of a kustomization: Flux drops it without a word`,
    path,
    range: { start: { line, character: 0 }, end: { line, character: member.length } },
  };
}

function pathIn(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function isSet(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
