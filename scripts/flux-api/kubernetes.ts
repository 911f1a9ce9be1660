import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goJson } from './goJson.ts';
import type { KindRow, SchemaTable } from './typeTable.ts';

/** The Kubernetes whose kinds the language service knows; the same as the sandbox's. */
const kubernetesModule = 'k8s.io/kubernetes@v1.36.3';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas?: Readonly<Record<string, OpenApiSchema>> };
}

interface OpenApiSchema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly allOf?: readonly OpenApiSchema[];
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: OpenApiSchema;
  readonly items?: OpenApiSchema;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

type Enums = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Definitions that are no objects with fields of their own. */
const leaves: Readonly<Record<string, string>> = {
  'resource.Quantity': 'quantity',
  'meta.v1.Time': 'time',
  'meta.v1.MicroTime': 'time',
  'meta.v1.FieldsV1': 'object',
  'runtime.RawExtension': 'object',
  'util.intstr.IntOrString': 'intOrString',
  'apiextensions.v1.CustomResourceSubresourceStatus': 'object',
  'apiextensions.v1.JSON': 'any',
  'apiextensions.v1.JSONSchemaPropsOrArray': 'any',
  'apiextensions.v1.JSONSchemaPropsOrBool': 'any',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'any',
};

/** Every kind that is served in a stable version and can be created, with the types it reaches; without status. */
export function kubernetesTable(): SchemaTable {
  const { Dir: root } = goJson<{ Dir: string }>(['mod', 'download', '-json', kubernetesModule]);
  const { Dir: api } = goJson<{ Dir: string }>(['list', '-m', '-json', 'k8s.io/api']);
  const enums = goJson<Enums>(['run', './enums', api]);
  const folder = join(root, 'api', 'openapi-spec', 'v3');
  const stable = readdirSync(folder).filter((file) => /^apis?__(.*__)?v\d+_openapi\.json$/.test(file));
  const documents = stable.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as OpenApi);
  const schemas = new Map(documents.flatMap(({ components }) => Object.entries(components.schemas ?? {})));
  const kinds = Object.fromEntries(documents.flatMap((document) => kindsOf(document, schemas)));
  return { kinds, types: reachable(kinds, schemas, enums) };
}

function kindsOf({ paths }: OpenApi, schemas: ReadonlyMap<string, OpenApiSchema>): [string, KindRow][] {
  return Object.entries(paths).flatMap(([path, operations]): [string, KindRow][] => {
    const match = /^\/apis?\/.*\/([a-z]+)\/\{name\}$/.exec(path);
    const put = operations['put'] as { 'x-kubernetes-group-version-kind'?: GroupVersionKind } | undefined;
    const served = put?.['x-kubernetes-group-version-kind'];
    if (!match || !served || !('delete' in operations)) return [];
    const apiVersion = served.group === '' ? served.version : `${served.group}/${served.version}`;
    const type = [...schemas].find(([, schema]) =>
      schema['x-kubernetes-group-version-kind']?.some(
        ({ group, version, kind }) =>
          group === served.group && version === served.version && kind === served.kind,
      ),
    );
    if (!type) return [];
    const namespaced = path.includes('/namespaces/{namespace}/');
    return [[`${apiVersion}/${served.kind}`, [shorten(type[0]), match[1] as string, namespaced]]];
  });
}

function reachable(
  kinds: Readonly<Record<string, KindRow>>,
  schemas: ReadonlyMap<string, OpenApiSchema>,
  enums: Enums,
): Record<string, Record<string, string>> {
  const byShortName = new Map([...schemas].map(([name, schema]) => [shorten(name), schema]));
  const types: Record<string, Record<string, string>> = {};
  const visit = (name: string, isKind: boolean): void => {
    if (types[name] !== undefined || leaves[name] !== undefined) return;
    const schema = byShortName.get(name);
    if (schema?.properties === undefined) throw new Error(`${name} has no fields: say what it is in leaves`);
    const fields: Record<string, string> = {};
    types[name] = fields;
    for (const [field, member] of Object.entries(schema.properties)) {
      const key = schema.required?.includes(field) ? `${field}!` : field;
      if (isKind && field === 'status') {
        fields[key] = 'object';
        continue;
      }
      fields[key] = expression(member, enums[name]?.[field]);
      const target = /[^\]}]*$/.exec(fields[key])?.[0] as string;
      if (byShortName.has(target)) visit(target, false);
    }
  };
  for (const [type] of Object.values(kinds)) visit(type, true);
  return types;
}

function expression(schema: OpenApiSchema, values: readonly string[] | undefined): string {
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (ref !== undefined) {
    const name = shorten(ref.slice('#/components/schemas/'.length));
    return leaves[name] ?? name;
  }
  switch (schema.type) {
    case 'array':
      return `${listPrefix(schema)}${expression(schema.items ?? {}, values)}`;
    case 'object':
      return schema.additionalProperties
        ? `{}${expression(schema.additionalProperties, undefined)}`
        : 'object';
    case 'string':
      if (values) return `=${values.join('|')}`;
      return schema.format === 'byte' ? 'base64' : schema.format === 'date-time' ? 'time' : 'string';
    default:
      return schema.type ?? 'any';
  }
}

function listPrefix(schema: OpenApiSchema): string {
  if (schema['x-kubernetes-list-type'] === 'set') return '[!]';
  if (schema['x-kubernetes-list-type'] === 'map')
    return `[${schema['x-kubernetes-list-map-keys']?.join(',')}]`;
  return '[]';
}

/** `io.k8s.api.core.v1.Container` → `core.v1.Container`. */
function shorten(name: string): string {
  return name.replace(/^io\.k8s\./, '').replace(/^(.*\.)?(pkg\.apis|api|pkg|pkg\.util)\.(?=[a-z]+\.)/, '');
}
