import type { JsonValue } from '../../base/json.ts';

/** The part of a structural schema (OpenAPI v3 as CRDs carry it) that validation, completion and hover read. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly JsonValue[];
  readonly default?: JsonValue;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** Where a schema comes from: what a field it does not know means depends on it. */
export type SchemaOrigin = 'custom' | 'builtin' | 'kustomize';

/** A kind with the schema of its objects. */
export interface KindSchema {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** False for cluster-scoped kinds. */
  readonly namespaced: boolean;
  readonly origin: SchemaOrigin;
  readonly schema: Schema;
}

/** True when fields outside `properties` are refused or dropped. */
export function isClosed(schema: Schema): boolean {
  return (
    schema.properties !== undefined &&
    schema.additionalProperties === undefined &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true
  );
}

/** The schema of one field of an object or one element of a list; undefined when anything may stand there. */
export function childSchema(schema: Schema, key: string | number): Schema | undefined {
  if (typeof key === 'number') return schema.items;
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** The one way from a kind to the schema at a path; undefined when the path leaves what the schema says. */
export function schemaAt(schema: Schema, path: readonly (string | number)[]): Schema | undefined {
  let current: Schema | undefined = schema;
  for (const key of path) {
    if (current === undefined) return undefined;
    current = childSchema(current, key);
  }
  return current;
}

/** `string`, `boolean`, `list of objects` …: the type as a reader would say it. */
export function describeType(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (schema.type === 'array') return `list of ${describeElement(schema.items)}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `map of ${describeElement(schema.additionalProperties)}`;
  }
  return schema.type ?? 'any value';
}

function describeElement(schema: Schema | undefined): string {
  if (schema?.type === undefined) return 'any values';
  return schema.type === 'array' ? 'lists' : `${schema.type}s`;
}
