import { parseAllDocuments, stringify } from 'yaml';
import type { JsonValue } from '../base/json.ts';
import { isKubeObject, type KubeObject } from './object.ts';

/** Objects as a stream of YAML documents, keys in the objects' order; read alike by YAML 1.1 and 1.2. */
export function formatManifests(objects: readonly KubeObject[]): string {
  return objects.map((object) => `---\n${formatYaml(object)}`).join('');
}

/** One value as a YAML document without a marker. Texts that YAML 1.1 takes for something else are quoted. */
export function formatYaml(value: JsonValue): string {
  return stringify(value, {
    version: '1.1',
    lineWidth: 0,
    indentSeq: false,
    aliasDuplicateObjects: false,
    defaultStringType: 'PLAIN',
  });
}

/** The Kubernetes objects of a stream of documents; undefined when a document is no YAML or no object. Empty ones are passed over. */
export function parseManifests(text: string): readonly KubeObject[] | undefined {
  const objects: KubeObject[] = [];
  for (const document of parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' })) {
    if (document.errors.length > 0) return undefined;
    const value = document.toJS() as JsonValue;
    if (value === null) continue;
    if (!isKubeObject(value)) return undefined;
    objects.push(value);
  }
  return objects;
}
