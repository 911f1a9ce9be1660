import { mergeDefinitionByType, mergeDefinitions, type MergeMember } from './mergeSchema.gen.ts';
import { fieldOf, isNull, type Node } from './node.ts';

/** What a strategic merge knows of a field; undefined where nothing is known. */
export type MergeSchema = MergeMember | undefined;

/** The definitions a build merges by: the built-in ones, or those of the `openapi` field. */
export interface MergeSchemas {
  readonly definitions: readonly Readonly<Record<string, MergeMember>>[];
  readonly byType: Readonly<Record<string, number>>;
}

export const builtinSchemas: MergeSchemas = { definitions: mergeDefinitions, byType: mergeDefinitionByType };

/** The schema of an object that says its apiVersion and kind. */
export function schemaOfObject(schemas: MergeSchemas, node: Node | undefined): MergeSchema {
  if (node?.kind !== 'map' || isNull(node)) return undefined;
  const apiVersion = fieldOf(node, 'apiVersion')?.text ?? '';
  const kind = fieldOf(node, 'kind')?.text ?? '';
  if (apiVersion === '' || kind === '') return undefined;
  const type = `${apiVersion}/${kind}`;
  return Object.hasOwn(schemas.byType, type) ? schemas.byType[type] : undefined;
}

/** The schema of a field of what another schema describes; -1 says it is known and has nothing to merge by key. */
export function schemaOfField(schemas: MergeSchemas, schema: MergeSchema, name: string): MergeSchema {
  if (schema === undefined) return undefined;
  if (typeof schema === 'string') return Number(schema);
  if (typeof schema !== 'number' || schema < 0) return -1;
  const members = schemas.definitions[schema];
  return members !== undefined && Object.hasOwn(members, name) ? members[name] : -1;
}

/** The merge keys of a list that is merged, and the schema of its elements; undefined for a list that is replaced. */
export function mergeKeysOf(
  schema: MergeSchema,
): { readonly keys: readonly string[]; readonly elements: MergeSchema } | undefined {
  if (typeof schema !== 'object') return undefined;
  const [elements, ...keys] = schema;
  return { keys, elements };
}
