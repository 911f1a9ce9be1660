import type { FileTree } from '../../base/fileTree.ts';
import type { Kustomization, KustomizationSpec } from '../../flux/api/kustomize.gen.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import { isKubeObject, type KubeObject, parseApiVersion } from '../../kube/object.ts';
import { parseYaml } from '../../kube/yaml.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import type { Overlay } from './overlay.ts';

interface WrittenKustomization {
  readonly object: KubeObject;
  readonly spec: YamlNode | undefined;
}

const manifestName = /\.(?:ya?ml|json)$/i;
/** Cheaper than parsing: no file without these words holds a Kustomization. */
const groupWord = Buffer.from(`${kustomizeGroup}/`);
const read = new WeakMap<
  Uint8Array,
  { readonly path: string; readonly found: readonly WrittenKustomization[] }
>();

/**
 * The overlay with the lines of the spec that it comes from, where exactly one file of the tree has the Kustomization. What
 * a spec sets then has its origin there, not in the root kustomization.
 */
export function withWrittenSpec(overlay: Overlay, kustomization: Kustomization, files: FileTree): Overlay {
  if (!changesRoot(kustomization.spec)) return overlay;
  const { name, namespace } = kustomization.metadata;
  const specs: YamlNode[] = [];
  for (const [path, bytes] of files.entries()) {
    if (!manifestName.test(path)) continue;
    for (const { object, spec } of writtenKustomizations(path, bytes)) {
      const { metadata } = object;
      const isSame = metadata.name === name && (metadata.namespace ?? namespace) === namespace;
      if (isSame && spec !== undefined) specs.push(spec);
    }
  }
  const [written, ...others] = specs;
  return written === undefined || others.length > 0 ? overlay : overlayOfSpec(overlay, written);
}

/** The overlay with the lines of the spec that it comes from. */
export function overlayOfSpec(overlay: Overlay, written: YamlNode): Overlay {
  return { ...overlay, rootChanges: { ...overlay.rootChanges, written } };
}

/** Where the spec of an object stands. */
export function specNodeOf(node: YamlNode): YamlNode | undefined {
  const index = node.items.findIndex((item, at) => at % 2 === 0 && item.text === 'spec');
  return index < 0 ? undefined : node.items[index + 1];
}

function writtenKustomizations(path: string, bytes: Uint8Array): readonly WrittenKustomization[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.includes(groupWord)) return [];
  const known = read.get(bytes);
  if (known?.path === path) return known.found;
  const found = parseYaml(path, buffer.toString('utf8')).value.flatMap(({ value, node }) =>
    isKubeObject(value) && isKustomization(value) ? [{ object: value, spec: specNodeOf(node) }] : [],
  );
  read.set(bytes, { path, found });
  return found;
}

function isKustomization({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Kustomization' && parseApiVersion(apiVersion).group === kustomizeGroup;
}

/** Tells whether the spec has any field that changes the root kustomization. */
function changesRoot(spec: KustomizationSpec): boolean {
  const { targetNamespace, namePrefix, nameSuffix, patches, images, components } = spec;
  return [targetNamespace, namePrefix, nameSuffix, patches, images, components].some(
    (value) => value !== undefined && value.length > 0,
  );
}
