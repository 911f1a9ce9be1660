import { joinTreePath, treeDirname } from '../../base/treePath.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import { fieldsOf, itemsOf, nodeAt, resolveAlias } from './yamlAccess.ts';

/** How a kustomization uses a file: as objects, as a partial object, as plain content, or as configuration of kustomize. */
export type FileUse = 'resource' | 'component' | 'patch' | 'content' | 'configuration';

/** A path written in a kustomization. */
export interface PathReference {
  readonly use: FileUse;
  readonly node: YamlNode;
  readonly written: string;
  /** What stands before the path in the same scalar: the key of a generated file, `key=`. */
  readonly before: string;
  /** The path from the workspace's root; undefined when it leads out of it. */
  readonly target: string | undefined;
  /** True for what kustomize would fetch: such a target is not looked for here. */
  readonly isRemote: boolean;
}

const known = new WeakMap<YamlNode, readonly PathReference[]>();

/** Every path that the kustomization at `path` names. */
export function pathReferencesOf(path: string, root: YamlNode): readonly PathReference[] {
  const found = known.get(root);
  if (found !== undefined) return found;
  const references = collect(treeDirname(path), root);
  known.set(root, references);
  return references;
}

function collect(folder: string, root: YamlNode): PathReference[] {
  const references: PathReference[] = [];
  const add = (use: FileUse, written: YamlNode | undefined, from = 0): void => {
    if (written === undefined) return;
    const node = resolveAlias(written);
    const text = node.text.slice(from);
    if (node.kind !== 'scalar' || text === '' || text.includes('\n') || text.includes('${')) return;
    const target = joinTreePath(folder, text);
    const before = node.text.slice(0, from);
    references.push({ use, node, written: text, before, target, isRemote: isRemote(text) });
  };
  const list = (name: string): readonly YamlNode[] => itemsOf(nodeAt(root, [name]));

  for (const field of ['resources', 'bases']) for (const item of list(field)) add('resource', item);
  for (const item of list('components')) add('component', item);
  for (const field of ['patches', 'patchesJson6902'])
    for (const item of list(field)) add('patch', nodeAt(item, ['path']));
  for (const item of list('patchesStrategicMerge')) add('patch', item);
  for (const field of ['crds', 'configurations', 'generators', 'transformers', 'validators'])
    for (const item of list(field)) add('configuration', item);
  for (const item of list('replacements')) add('configuration', nodeAt(item, ['path']));
  add('configuration', nodeAt(root, ['openapi', 'path']));
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    for (const generator of list(field)) {
      for (const file of itemsOf(nodeAt(generator, ['files']))) {
        add('content', file, resolveAlias(file).text.indexOf('=') + 1);
      }
      for (const file of itemsOf(nodeAt(generator, ['envs']))) add('content', file);
      add('content', nodeAt(generator, ['env']));
    }
  }
  for (const chart of list('helmCharts')) {
    add('content', nodeAt(chart, ['valuesFile']));
    for (const file of itemsOf(nodeAt(chart, ['additionalValuesFiles']))) add('content', file);
  }
  return references;
}

/** What kustomize takes for a URL or a repository: it looks for a local file first, we then for one of these. */
function isRemote(text: string): boolean {
  return (
    /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ||
    /^[\w.-]+@[\w.-]+:/.test(text) ||
    /^(git::|github\.com[/:]|gitlab\.com[/:]|bitbucket\.org[/:])/.test(text) ||
    /\?(ref|version|timeout|submodules)=/.test(text) ||
    /\.git(\/\/|$|\?)/.test(text) ||
    /[^:]\/\//.test(text)
  );
}

/** Prefixes and suffixes that the kustomization puts around names. */
export function nameAffixesOf(root: YamlNode): { readonly prefix: string; readonly suffix: string } {
  const text = (name: string): string =>
    fieldsOf(root).find((field) => field.name === name)?.value.text ?? '';
  return { prefix: text('namePrefix'), suffix: text('nameSuffix') };
}
