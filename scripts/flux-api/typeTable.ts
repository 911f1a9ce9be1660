/**
 * Types by name, fields by name, in one line each. An expression is `string`, `integer`, `number`, `boolean`, `any`, `object`,
 * `time`, `base64`, `quantity`, `intOrString`, `=A|B` (one of), `[]T` (list), `[a,b]T` (list keyed by a and b), `[!]T` (set),
 * `{}T` (map) or the name of a type; a field whose name ends in `!` is required.
 */
export type TypeTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A kind of the table: its type, its plural, and whether it lives in namespaces. */
export type KindRow = readonly [type: string, plural: string, namespaced: boolean];

export interface SchemaTable {
  readonly kinds: Readonly<Record<string, KindRow>>;
  readonly types: TypeTable;
}

/** JSON with a line per type, so that a bump shows as a readable difference. */
export function printTable(table: SchemaTable): string {
  const block = (rows: Readonly<Record<string, unknown>>): string =>
    Object.keys(rows)
      .sort()
      .map((key) => `    ${JSON.stringify(key)}: ${JSON.stringify(rows[key])}`)
      .join(',\n');
  return `{\n  "kinds": {\n${block(table.kinds)}\n  },\n  "types": {\n${block(table.types)}\n  }\n}\n`;
}
