import { formatDiagnostic } from '../base/diagnostic.ts';
import { plumbError } from '../base/plumbError.ts';
import { isKubeObject, type KubeObject } from '../kube/object.ts';
import { parseYaml } from '../kube/yaml.ts';
import { printYaml } from '../kube/yamlPrint.ts';

/** The text of a manifest file: a head of comments, then the objects as a stream of documents. */
export function formatManifestFile(comments: readonly string[], objects: readonly KubeObject[]): string {
  const head = ['---', ...comments.map((line) => `# ${line}`), ''].join('\n');
  return head + objects.map((object) => `---\n${printYaml(object)}`).join('');
}

/** The objects of a manifest file. Throws BuildFailed with file and line when it is no YAML or holds something else. */
export function readManifestFile(path: string, text: string): readonly KubeObject[] {
  const objects = objectsOf(path, text);
  if (objects !== undefined) return objects;
  const problem = parseYaml(path, text).diagnostics.find(({ severity }) => severity === 'error');
  throw plumbError('BuildFailed', {
    subject: path,
    message:
      problem === undefined ? 'a document is no Kubernetes object' : `not YAML: ${formatDiagnostic(problem)}`,
    hint: 'correct the file in the repository, or remove it so that it is made anew',
  });
}

/** Whether kustomize could take the file as a resource. */
export function isManifestFile(path: string, text: string): boolean {
  return (objectsOf(path, text)?.length ?? 0) > 0;
}

function objectsOf(path: string, text: string): readonly KubeObject[] | undefined {
  const { value, diagnostics } = parseYaml(path, text);
  if (diagnostics.some(({ severity }) => severity === 'error')) return undefined;
  const values = value.map((document) => document.value).filter((document) => document !== null);
  return values.every((document) => isKubeObject(document)) ? (values as readonly KubeObject[]) : undefined;
}
