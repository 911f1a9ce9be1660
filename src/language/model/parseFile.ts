import type { Diagnostic } from '../../base/diagnostic.ts';
import { isJsonObject, type JsonValue } from '../../base/json.ts';
import { parseApiVersion } from '../../kube/object.ts';
import { parseYaml, type YamlDocument } from '../../kube/yaml.ts';
import type { YamlNode } from '../../kube/yamlNode.ts';
import { isHidden, isKustomizationPath } from './fileNames.ts';
import { itemsOf, nodeAt, textAt } from './yamlAccess.ts';

/** An object written in a file; `namespace` as it stands there. */
export interface WrittenObject {
  readonly path: string;
  readonly node: YamlNode;
  readonly value: JsonValue;
  readonly apiVersion: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** A YAML file of the workspace. */
export interface ParsedFile {
  readonly path: string;
  readonly text: string;
  /** Without empty documents and those that cannot be read. */
  readonly documents: readonly YamlDocument[];
  readonly objects: readonly WrittenObject[];
  /** The mapping of a kustomization.yaml. */
  readonly kustomization: YamlNode | undefined;
  /** What keeps the text from being read as YAML. */
  readonly problems: readonly Diagnostic[];
  /** True when the text looks like Kubernetes objects, so that a problem in it is ours to report. */
  readonly isManifest: boolean;
}

/** Reads a file. What cannot be read of one document leaves the others alone. */
export function parseFile(path: string, text: string): ParsedFile {
  const { value: documents, diagnostics: problems } = parseYaml(path, text);
  const isKustomization = isKustomizationPath(path) && !isHidden(path);
  const isManifest = isKustomization || (/^apiVersion:/m.test(text) && /^kind:/m.test(text));
  const isJudged = isManifest && !isHidden(path) && !isTemplate(text, problems);
  return {
    path,
    text,
    documents,
    objects:
      isKustomization || !isJudged
        ? []
        : documents.flatMap((document) => objectsOf(path, document.node, document.value)),
    kustomization: isKustomization ? documents.find(({ node }) => node.kind === 'map')?.node : undefined,
    problems,
    isManifest: isJudged,
  };
}

/** Text for a template engine, which is no YAML before it has run. Braces within quotes are fine. */
function isTemplate(text: string, problems: readonly Diagnostic[]): boolean {
  if (problems.length === 0 || !text.includes('{{')) return false;
  const lines = text.split('\n');
  return problems.some(({ range }) => lines[range.start.line]?.includes('{{') === true);
}

/** The object of a document, or the items of a List. */
function objectsOf(path: string, root: YamlNode, value: JsonValue): WrittenObject[] {
  const apiVersion = textAt(root, ['apiVersion']);
  const kind = textAt(root, ['kind']);
  if (apiVersion === undefined || kind === undefined) return [];
  const items = nodeAt(root, ['items']);
  if (kind.endsWith('List') && items?.kind === 'seq') {
    const values = isJsonObject(value) && Array.isArray(value['items']) ? value['items'] : [];
    return itemsOf(items).flatMap((item, index) => objectsOf(path, item, values[index] ?? null));
  }
  return [
    {
      path,
      node: root,
      value,
      apiVersion,
      ...parseApiVersion(apiVersion),
      kind,
      name: textAt(root, ['metadata', 'name']),
      namespace: textAt(root, ['metadata', 'namespace']),
    },
  ];
}
