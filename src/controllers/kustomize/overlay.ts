import { withFile, type ReadableTree } from '../../base/readableTree.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { joinTreePath, relativeTreePath } from '../../base/treePath.ts';
import type { KustomizationSpec } from '../../flux/api/kustomize.gen.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { printYamlInOrder } from '../../kube/yamlPrint.ts';
import type { RootChanges } from '../../lib/kustomize/rootChanges.ts';
import type { FolderIgnore } from '../../lib/sourceignore/folderIgnore.ts';

const utf8 = new TextDecoder();

/** The names a kustomization file may have, in the order they are looked for. */
const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Keys of no real kind: kustomize builds nothing from it, and neither does Flux (contract 1.3). */
const placeholder = '_placeholder';

/** What is built for a Kustomization: files, and what its spec changes in their root kustomization. */
export interface Overlay {
  readonly files: ReadableTree;
  readonly rootChanges: RootChanges;
}

/**
 * What kustomize-controller builds in the place of the files as they are: with a root kustomization where the folder has
 * none, and with what the spec adds to it. The root file itself stays as it is, so that the lines of its fields stay true.
 * Throws BuildFailed for files upstream refuses. Follows fluxcd/pkg kustomize Generator (contract 1.3).
 */
export function prepareOverlay(tree: ReadableTree, folder: string, spec: KustomizationSpec): Overlay {
  return overlayWithout({ tree, folder, spec });
}

interface OverlaySource {
  readonly tree: ReadableTree;
  readonly folder: string;
  readonly spec: KustomizationSpec;
  /** What ignore files leave out; an artifact comes without it. */
  readonly ignore?: FolderIgnore;
}

/** As prepareOverlay for a folder that no source-controller has gone through yet. */
export function overlayWithout({ tree, folder, spec, ignore }: OverlaySource): Overlay {
  const hasFile = fileNames.some((name) => tree.has(pathIn(folder, name)));
  const components = (spec.components ?? []).filter((component) => {
    requireLocal(component);
    const isThere = tree.isFolder(joinTreePath(folder, component) ?? placeholder);
    return isThere || spec.ignoreMissingComponents !== true;
  });
  return {
    files: hasFile
      ? tree
      : withFile(
          tree,
          pathIn(folder, 'kustomization.yaml'),
          Buffer.from(printYamlInOrder(generated(tree, folder, ignore))),
        ),
    rootChanges: {
      ...(spec.targetNamespace !== undefined && { namespace: spec.targetNamespace }),
      ...(spec.namePrefix !== undefined && { namePrefix: spec.namePrefix }),
      ...(spec.nameSuffix !== undefined && { nameSuffix: spec.nameSuffix }),
      patches: (spec.patches ?? []) as unknown as readonly JsonValue[],
      components,
      images: (spec.images ?? []) as unknown as readonly JsonValue[],
      buildMetadata: spec.buildMetadata ?? [],
      marksWithoutResources: hasFile,
      ...(ignore !== undefined && { leftOut: leftOutBy(tree, folder, ignore) }),
    },
  };
}

/** Every manifest below the folder; a folder with a kustomization of its own is one resource. */
function generated(tree: ReadableTree, folder: string, ignore: FolderIgnore | undefined): JsonObject {
  const resources = resourcesIn(tree, folder, ignore).map((path) => `./${relativeTreePath(folder, path)}`);
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  return resources.length === 0 ? { ...head, namespace: placeholder } : { ...head, resources };
}

function resourcesIn(
  tree: ReadableTree,
  folder: string,
  ignore: FolderIgnore | undefined,
): readonly string[] {
  return tree.list(folder).flatMap((name) => {
    const path = pathIn(folder, name);
    if (tree.isFolder(path)) {
      // Links to folders are not followed: they may lead in circles.
      if (tree.realPath !== undefined && tree.realPath(path) !== path) return [];
      const isKustomization = fileNames.some((candidate) => tree.has(pathIn(path, candidate)));
      return isKustomization ? [path] : resourcesIn(tree, path, ignore);
    }
    if (!/\.ya?ml$/.test(name) || ignore?.skipsManifest(path) === true) return [];
    requireKubernetesYaml(tree, path);
    return [path];
  });
}

/** URLs stay, only crds take them for paths; so does what is not there, and is told by the build. */
function leftOutBy(
  tree: ReadableTree,
  folder: string,
  ignore: FolderIgnore,
): NonNullable<RootChanges['leftOut']> {
  const isUrl = (entry: string): boolean => /^[A-Za-z][\w+.-]*:/.test(entry);
  return {
    key: ignore.key,
    has: (field, entry) => {
      const path = field !== 'crds' && isUrl(entry) ? undefined : joinTreePath(folder, entry);
      const isThere = path !== undefined && (tree.has(path) || tree.isFolder(path));
      return isThere && ignore.skipsEntry(path);
    },
  };
}

function requireKubernetesYaml(tree: ReadableTree, path: string): void {
  const { value: documents, diagnostics } = parseYaml(path, utf8.decode(tree.get(path)));
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

function requireLocal(component: string): void {
  if (!component.includes('://') && !component.startsWith('/')) return;
  throw plumbError('BuildFailed', {
    message: `component path '${component}' must be local and relative`,
    hint: 'spec.components takes folders of the same source, relative to spec.path',
  });
}

function pathIn(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
