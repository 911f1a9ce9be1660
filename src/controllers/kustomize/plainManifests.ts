import type { Diagnosed, Diagnostic } from '../../base/diagnostic.ts';
import type { FileTree } from '../../base/fileTree.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { BuiltObject, Origins } from '../../kube/builtObject.ts';
import { isKubeObject } from '../../kube/object.ts';
import { locateInYaml, parseYaml, type YamlDocument } from '../../kube/yaml.ts';

const kustomizeFiles = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Builds a folder of plain manifests. Throws BuildFailed where a kustomization file asks for more. */
export function buildPlainManifests(files: FileTree, folder: string): Diagnosed<readonly BuiltObject[]> {
  const value: BuiltObject[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const name of files.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kustomizeFiles.includes(name))
      throw plumbError('BuildFailed', { message: `${path}: kustomization files cannot be built yet` });
    if (files.isFolder(path)) {
      const inner = buildPlainManifests(files, path);
      value.push(...inner.value);
      diagnostics.push(...inner.diagnostics);
    } else if (/\.ya?ml$/.test(name)) {
      const parsed = parseYaml(path, files.text(path) ?? '');
      const problem = parsed.diagnostics.find(({ severity }) => severity === 'error');
      if (problem !== undefined)
        throw plumbError('BuildFailed', {
          message: `failed to decode Kubernetes YAML from ${path}: ${problem.message}`,
          origin: problem,
        });
      diagnostics.push(...parsed.diagnostics);
      for (const document of parsed.value)
        if (isKubeObject(document.value))
          value.push({ object: document.value, origins: originsIn(path, document) });
    }
  }
  return { value, diagnostics };
}

function originsIn(path: string, document: YamlDocument): Origins {
  return {
    at(pointer) {
      for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
        const location = at === '' ? undefined : locateInYaml(document, at);
        if (location !== undefined) return { path, range: location.value };
        if (at === '') return { path, range: document.range };
      }
    },
    entries: () => [],
  };
}
