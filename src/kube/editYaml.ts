import { parseDocument } from 'yaml';

/** A value and its place: keys of mappings, indexes of sequences. */
export interface YamlEdit {
  readonly path: readonly (string | number)[];
  readonly value: string;
}

/** The text of one document with these values set; comments and order stay. */
export function editYaml(text: string, edits: readonly YamlEdit[]): string {
  const document = parseDocument(text);
  for (const { path, value } of edits) document.setIn(path, value);
  return document.toString({ lineWidth: 0 });
}
