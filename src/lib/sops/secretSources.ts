import type { ReadableTree } from '../../base/readableTree.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { joinTreePath } from '../../base/treePath.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { formatOfPath, type SopsFormat } from './sopsFormat.ts';

/** A file that is decrypted before the build, and the format it is read and written in. */
export interface SecretSource {
  readonly path: string;
  readonly format: SopsFormat;
}

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * The files of secret generators and patches that the build of the folder reads, through its resources and components:
 * what the kustomize-controller decrypts before it builds (contract 1.4). The first mention of a file decides its
 * format; `components` are added to those of the folder itself. What the build will refuse (a missing or broken file) is left to it.
 */
export function secretSourcesOf(
  tree: ReadableTree,
  folder: string,
  components: readonly string[] = [],
): readonly SecretSource[] {
  const sources = new Map<string, SopsFormat>();
  const visited = new Set<string>();
  const onSource: OnSource = (path, format) => {
    if (tree.has(path) && !sources.has(path)) sources.set(path, format);
  };
  visit(tree, folder, visited, onSource);
  for (const component of components) visit(tree, within(folder, component), visited, onSource);
  return [...sources].map(([path, format]) => ({ path, format }));
}

/** As the kustomize-controller names formats: by ending, and a docker configuration is JSON. */
export function formatOfKey(name: string): SopsFormat {
  return name.endsWith('.dockerconfigjson') ? 'json' : formatOfPath(name);
}

type OnSource = (path: string, format: SopsFormat) => void;

function visit(tree: ReadableTree, folder: string, visited: Set<string>, onSource: OnSource): void {
  if (visited.has(folder) || !tree.isFolder(folder)) return;
  visited.add(folder);
  const file = kustomizationOf(tree, folder);
  if (file === undefined) return;
  for (const generator of listOf(file, 'secretGenerator').filter(isJsonObject)) {
    for (const entry of textsOf(generator, 'files')) {
      const [key = '', path] = splitOnce(entry);
      onSource(within(folder, path ?? key), formatOfKey(key));
    }
    for (const path of textsOf(generator, 'envs')) {
      const format = formatOfKey(path);
      onSource(within(folder, path), format === 'binary' ? 'dotenv' : format);
    }
  }
  for (const patch of listOf(file, 'patches').filter(isJsonObject)) {
    const path = patch['path'];
    if (typeof path === 'string' && path !== '' && !isRemote(path))
      onSource(within(folder, path), formatOfKey(path));
  }
  for (const entry of [...textsOf(file, 'resources'), ...textsOf(file, 'components')])
    visit(tree, within(folder, entry), visited, onSource);
}

function kustomizationOf(tree: ReadableTree, folder: string): JsonObject | undefined {
  const path = fileNames.map((name) => within(folder, name)).find((name) => tree.has(name));
  if (path === undefined) return undefined;
  const value = parseYaml(path, new TextDecoder().decode(tree.get(path))).value[0]?.value;
  return isJsonObject(value) ? value : undefined;
}

/** The path never leaves the tree: `..` at its root stays there. */
function within(folder: string, path: string): string {
  const start = path.startsWith('/') ? '' : folder;
  return path.split('/').reduce((inner, part) => joinTreePath(inner, part === '' ? '.' : part) ?? '', start);
}

function splitOnce(entry: string): readonly string[] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry] : [entry.slice(0, at), entry.slice(at + 1)];
}

function isRemote(path: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/.test(path);
}

function listOf(object: JsonObject, name: string): readonly JsonValue[] {
  const value = object[name];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function textsOf(object: JsonObject, name: string): readonly string[] {
  return listOf(object, name).filter((item) => typeof item === 'string');
}
