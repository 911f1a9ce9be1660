import { stringify } from 'yaml';
import { stringifyJson, type JsonObject, type JsonValue } from '../../src/base/json.ts';

/** A generated repository: documents by file, so that a failing tree can be made smaller piece by piece. */
export interface FuzzTree {
  readonly path: string;
  readonly files: Readonly<Record<string, FuzzFile>>;
  /** The spec of a Flux Kustomization, for trees that are built as kustomize-controller builds. */
  readonly spec?: JsonObject;
}

export type FuzzFile = { readonly documents: readonly JsonValue[]; readonly style: FileStyle } | string;

export type FileStyle = 'block' | 'flow' | 'json';

/** The texts of all files. A field `patch` that holds data becomes the YAML text of it. */
export function renderTree(tree: FuzzTree): Record<string, string> {
  return Object.fromEntries(Object.entries(tree.files).map(([path, file]) => [path, renderFile(file)]));
}

/** The spec with the texts that it stands for; undefined for a tree without one. */
export function renderSpec({ spec }: FuzzTree): JsonObject | undefined {
  return spec === undefined ? undefined : (inlined(spec) as JsonObject);
}

export function renderFile(file: FuzzFile): string {
  if (typeof file === 'string') return file;
  const documents = file.documents.map((document) => renderDocument(inlined(document), file.style));
  return file.style === 'json' ? (documents[0] ?? '') : documents.join('---\n');
}

/** Data that stands for the text of a YAML document within another one. */
export interface InlineText extends JsonObject {
  readonly $inline: JsonValue;
}

function inlined(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => inlined(item));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  if (object['$inline'] !== undefined) return renderDocument(object['$inline'], 'block');
  return Object.fromEntries(
    Object.entries(object).map(([key, member]) => [key, inlined(member as JsonValue)]),
  );
}

function renderDocument(document: JsonValue, style: FileStyle): string {
  if (style === 'json') return `${stringifyJson(document)}\n`;
  return stringify(document, {
    version: '1.1',
    lineWidth: 0,
    aliasDuplicateObjects: false,
    ...(style === 'flow' && { collectionStyle: 'flow' as const }),
  });
}
