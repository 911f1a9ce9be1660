import type { Schema } from './schema.ts';

/** A generated table of kinds and types; scripts/flux-api/typeTable.ts describes its expressions. */
export interface SchemaTable {
  readonly kinds: Readonly<Record<string, readonly (string | boolean)[]>>;
  readonly types: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;
}

const open: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const leaves: Readonly<Record<string, Schema>> = {
  any: open,
  base64: { type: 'string', format: 'byte' },
  boolean: { type: 'boolean' },
  intOrString: { 'x-kubernetes-int-or-string': true },
  integer: { type: 'integer' },
  number: { type: 'number' },
  object: { type: 'object', ...open },
  quantity: { 'x-kubernetes-int-or-string': true, format: 'quantity' },
  string: { type: 'string' },
  time: { type: 'string', format: 'date-time' },
};

/** Gives the schemas of a table's types by name, made on first use: most of a table is never looked at, and types may be recursive. */
export function tableSchemas(table: SchemaTable): (typeName: string) => Schema {
  const made = new Map<string, Schema>();
  const schemaOf = (typeName: string): Schema => {
    const known = made.get(typeName);
    if (known !== undefined) return known;
    const fields = Object.entries(table.types[typeName] ?? {});
    const required = fields.filter(([key]) => key.endsWith('!')).map(([key]) => key.slice(0, -1));
    let properties: Readonly<Record<string, Schema>> | undefined;
    const schema: Schema = {
      type: 'object',
      required,
      get properties() {
        properties ??= Object.fromEntries(
          fields.map(([key, expression]) => [key.replace(/!$/, ''), parse(expression ?? 'any')]),
        );
        return properties;
      },
    };
    made.set(typeName, schema);
    return schema;
  };
  const parse = (expression: string): Schema => {
    if (expression.startsWith('=')) return { type: 'string', enum: expression.slice(1).split('|') };
    if (expression.startsWith('{}')) {
      return { type: 'object', additionalProperties: parse(expression.slice(2)) };
    }
    if (expression.startsWith('[')) return parseList(expression, parse);
    return leaves[expression] ?? schemaOf(expression);
  };
  return schemaOf;
}

function parseList(expression: string, parse: (expression: string) => Schema): Schema {
  const end = expression.indexOf(']');
  const keys = expression.slice(1, end);
  const list: Schema = { type: 'array', items: parse(expression.slice(end + 1)) };
  if (keys === '') return list;
  if (keys === '!') return { ...list, 'x-kubernetes-list-type': 'set' };
  return { ...list, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys.split(',') };
}
