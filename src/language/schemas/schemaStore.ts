import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { fluxCrds } from '../../flux/crds.gen.ts';
import { apiVersionOf, parseApiVersion } from '../../kube/object.ts';
import kubernetes from './kubernetes.json' with { type: 'json' };
import kustomization from './kustomization.json' with { type: 'json' };
import type { KindSchema, Schema, SchemaOrigin } from './schema.ts';
import { tableSchemas, type SchemaTable } from './tableSchema.ts';

/** Every kind whose objects can be judged, by apiVersion and kind. */
export interface SchemaStore {
  find(apiVersion: string, kind: string): KindSchema | undefined;
  /** Kinds of that name in any group or version. */
  named(kind: string): readonly KindSchema[];
  /** Kinds of that group and version; empty when the group is not known. */
  served(apiVersion: string): readonly KindSchema[];
  all(): Iterable<KindSchema>;
}

const builtin = tableSchemas(kubernetes as unknown as SchemaTable);
const objectMeta = builtin('meta.v1.ObjectMeta');

const known: readonly KindSchema[] = [
  ...fromTable(kubernetes as unknown as SchemaTable, builtin, 'builtin'),
  ...fromTable(
    kustomization as unknown as SchemaTable,
    tableSchemas(kustomization as unknown as SchemaTable),
    'kustomize',
  ),
  ...fluxCrds.flatMap(kindsOfDefinition),
];

/** The kinds of Kubernetes, Flux and kustomize, and those that the given CustomResourceDefinitions define. */
export function createSchemaStore(definitions: readonly KindSchema[] = []): SchemaStore {
  const byKey = new Map<string, KindSchema>();
  const byKind = new Map<string, KindSchema[]>();
  const byApiVersion = new Map<string, KindSchema[]>();
  for (const entry of [...known, ...definitions]) {
    const apiVersion = apiVersionOf(entry);
    const key = `${apiVersion}/${entry.kind}`;
    if (byKey.has(key)) continue;
    byKey.set(key, entry);
    listIn(byKind, entry.kind).push(entry);
    listIn(byApiVersion, apiVersion).push(entry);
  }
  return {
    find: (apiVersion, kind) => byKey.get(`${apiVersion}/${kind}`),
    named: (kind) => byKind.get(kind) ?? [],
    served: (apiVersion) => byApiVersion.get(apiVersion) ?? [],
    all: () => byKey.values(),
  };
}

/** The served kinds of a CustomResourceDefinition; none when it is not one or has no schema. */
export function kindsOfDefinition(definition: JsonObject): KindSchema[] {
  const { spec } = definition;
  if (definition['kind'] !== 'CustomResourceDefinition' || !isJsonObject(spec)) return [];
  const { group, names, versions, scope } = spec;
  const kind = isJsonObject(names) ? names['kind'] : undefined;
  if (typeof group !== 'string' || typeof kind !== 'string' || !Array.isArray(versions)) return [];
  return versions.flatMap((version: JsonValue): KindSchema[] => {
    const schema = schemaOfVersion(version);
    if (schema === undefined || !isJsonObject(version) || typeof version['name'] !== 'string') return [];
    if (version['served'] === false) return [];
    const namespaced = scope !== 'Cluster';
    return [
      { group, version: version['name'], kind, namespaced, origin: 'custom', schema: withMetadata(schema) },
    ];
  });
}

function schemaOfVersion(version: JsonValue): Schema | undefined {
  const holder = isJsonObject(version) ? version['schema'] : undefined;
  const schema = isJsonObject(holder) ? holder['openAPIV3Schema'] : undefined;
  return isJsonObject(schema) ? (schema as Schema) : undefined;
}

function withMetadata(schema: Schema): Schema {
  const text: Schema = { type: 'string' };
  return {
    ...schema,
    properties: { ...schema.properties, apiVersion: text, kind: text, metadata: objectMeta },
  };
}

function fromTable(
  table: SchemaTable,
  schemaOf: (typeName: string) => Schema,
  origin: SchemaOrigin,
): KindSchema[] {
  return Object.entries(table.kinds).map(([key, [type, , namespaced]]) => {
    const slash = key.lastIndexOf('/');
    const { group, version } = parseApiVersion(key.slice(0, slash));
    const kind = key.slice(slash + 1);
    return {
      group,
      version,
      kind,
      namespaced: namespaced === true,
      origin,
      schema: schemaOf(String(type)),
    };
  });
}

function listIn<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
