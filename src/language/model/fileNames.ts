import { treeBasename } from '../../base/treePath.ts';

const kustomizationNames = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/** Whether kustomize takes a file of that name for the kustomization of its folder. */
export function isKustomizationPath(path: string): boolean {
  return kustomizationNames.has(treeBasename(path));
}

/** Whether the language service reads the text of a file of that name. */
export function isYamlPath(path: string): boolean {
  return /\.ya?ml$/i.test(path) || isKustomizationPath(path);
}

/** Settings of tools, and what somebody put aside: neither goes to a cluster. */
export function isHidden(path: string): boolean {
  return path.startsWith('.') || path.includes('/.');
}

/** A patch by common usage: in a folder `patches`, or with the word in its name. */
export function isNamedPatch(path: string): boolean {
  return /(^|\/)patches\/|(^|[-_./])patch(es)?[-_.][^/]*$/.test(path);
}
