import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import type { BuildRun } from './buildRun.ts';
import { sourceOf } from './configFiles.ts';
import type { LocatedMap } from './decode.ts';
import type { Loader } from './loader.ts';
import { builtinSchemas, type MergeSchemas } from './mergeSchema.ts';
import { mergeDefinitionNames, type MergeMember } from './mergeSchema.gen.ts';
import { convert, readYaml } from './patchText.ts';
import { BuildFailure, fail } from './problem.ts';
import type { Scopes } from './resId.ts';

/** The one version of Kubernetes whose definitions upstream has built in. */
const builtinVersion = 'v1.21.2';

/** Carries out the openapi field: the first one of a build holds for all of it. Throws BuildFailure. */
export function setSchemas(
  run: BuildRun,
  loader: Loader,
  openapi: LocatedMap | undefined,
  isRoot: boolean,
): void {
  if (openapi === undefined || (run.hasOwnSchemas && !isRoot)) return;
  const path = openapi.get('path');
  const version = openapi.get('version');
  if (path === undefined) {
    if (version === undefined || version.value === '') return;
    if (version.value !== builtinVersion)
      fail(
        'kustomization-invalid',
        `the OpenAPI version ${version.value} is not built in`,
        version.node,
        `write ${builtinVersion}, or give the path of a schema`,
      );
    run.hasOwnSchemas = true;
    return;
  }
  const bytes = loader.load(path.value, path.node);
  if (version !== undefined)
    fail('kustomization-invalid', 'openapi has either version or path', version.node);
  run.hasOwnSchemas = true;
  const refuse = (message: string) => fail('build-invalid-file', message, path.node);
  try {
    const root = readYaml(sourceOf(loader, path.value, bytes));
    const schema = root === undefined ? null : convert(root);
    if (!isJsonObject(schema)) return setNoSchemas(run, () => refuse(`${path.value} is no OpenAPI schema`));
    run.schemas = joinSchemas(schema, run.builtinSchemaUse);
    run.scopes = scopesOf(schema);
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    setNoSchemas(run, () => {
      throw error;
    });
  }
}

/** Upstream reads the file when something asks for its definitions, and builds what needs none. */
function setNoSchemas(run: BuildRun, refuse: () => never): void {
  run.refuseSchemas = refuse;
  run.schemas = {
    get definitions() {
      return refuse();
    },
    get byType() {
      return refuse();
    },
  };
}

/**
 * The definitions that hold from now on. Where the build has merged by the built-in ones before, upstream adds the new ones
 * to them; where it has only met a kind that they may know, it reads the built-in ones after the new ones.
 */
function joinSchemas(schema: JsonObject, builtinUse: BuildRun['builtinSchemaUse']): MergeSchemas {
  if (builtinUse === 'none') return schemasOf(schema, undefined);
  const own = schemasOf(schema, builtinSchemas);
  return builtinUse === 'merged'
    ? { ...own, byType: { ...builtinSchemas.byType, ...own.byType } }
    : { ...own, byType: { ...own.byType, ...builtinSchemas.byType } };
}

/** The tables of a swagger document. Schemas inside others, without a name of their own, follow those that have one. */
function schemasOf(schema: JsonObject, builtin: MergeSchemas | undefined): MergeSchemas {
  const named = objectAt(schema, 'definitions');
  const names = Object.keys(named);
  const first = builtin?.definitions.length ?? 0;
  const builtinNames = builtin === undefined ? [] : mergeDefinitionNames;
  const tables: Tables = {
    index: new Map([...builtinNames, ...names].map((name, position) => [name, position])),
    definitions: [...(builtin?.definitions ?? []), ...names.map(() => ({}))],
  };
  const byType: Record<string, number> = {};
  names.forEach((name, index) => {
    const definition = objectAt(named, name);
    const position = first + index;
    for (const type of typesOf(definition['x-kubernetes-group-version-kind'])) byType[type] = position;
    tables.definitions[position] = membersOf(definition, tables);
  });
  return { definitions: tables.definitions, byType };
}

interface Tables {
  readonly index: ReadonlyMap<string, number>;
  readonly definitions: Record<string, MergeMember>[];
}

function membersOf(definition: JsonObject, tables: Tables): Record<string, MergeMember> {
  const members: Record<string, MergeMember> = {};
  for (const [field, property] of Object.entries(objectAt(definition, 'properties'))) {
    if (!isJsonObject(property)) continue;
    const member = memberOf(property, tables);
    if (member !== undefined) members[field] = member;
  }
  return members;
}

function memberOf(property: JsonObject, tables: Tables): MergeMember | undefined {
  const strategy = property['x-kubernetes-patch-strategy'];
  if (property['type'] === 'array') {
    if (typeof strategy !== 'string' || !strategy.split(',').includes('merge')) return undefined;
    return [definitionOf(property['items'], tables) ?? -1, ...keysOf(property)];
  }
  const definition = definitionOf(property, tables);
  if (definition !== undefined) return definition;
  const members = definitionOf(property['additionalProperties'], tables);
  return members === undefined ? undefined : String(members);
}

/** The number of the definition that a schema refers to or is. */
function definitionOf(value: JsonValue | undefined, tables: Tables): number | undefined {
  if (!isJsonObject(value)) return undefined;
  const reference = value['$ref'];
  if (typeof reference === 'string') return tables.index.get(reference.replace(/^#\/definitions\//, ''));
  if (!isJsonObject(value['properties'])) return undefined;
  const position = tables.definitions.push({}) - 1;
  tables.definitions[position] = membersOf(value, tables);
  return position;
}

function keysOf(property: JsonObject): readonly string[] {
  const keys = property['x-kubernetes-list-map-keys'];
  if (Array.isArray(keys)) return keys.filter((key): key is string => typeof key === 'string');
  const key = property['x-kubernetes-patch-merge-key'];
  return typeof key === 'string' ? [key] : [];
}

function typesOf(value: JsonValue | undefined): readonly string[] {
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [];
  return list.flatMap((entry) => (isJsonObject(entry) ? [typeOf(entry)] : []));
}

function typeOf(entry: JsonObject): string {
  const text = (name: string) => (typeof entry[name] === 'string' ? entry[name] : '');
  const group = text('group');
  return `${group === '' ? '' : `${group}/`}${text('version')}/${text('kind')}`;
}

/** Whether kinds have a namespace, from the paths of a swagger document. */
function scopesOf(schema: JsonObject): Scopes {
  const scopes = new Map<string, boolean>();
  for (const [path, item] of Object.entries(objectAt(schema, 'paths'))) {
    const get = isJsonObject(item) ? objectAt(item, 'get') : {};
    const kind = get['x-kubernetes-group-version-kind'];
    if (!isJsonObject(kind)) continue;
    const type = typeOf(kind);
    if (path.includes('namespaces/{namespace}')) scopes.set(type, true);
    else if (!scopes.has(type)) scopes.set(type, false);
  }
  return scopes;
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isJsonObject(value) ? value : {};
}
