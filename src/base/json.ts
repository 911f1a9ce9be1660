/** Plain JSON, as Kubernetes objects travel. Integers beyond 2^53 are kept exact as bigint by the YAML reader. */
export type JsonValue = string | number | bigint | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Tells whether the value is a mapping: not null, not a list, not a scalar. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when both values are the same JSON: key order does not count, list order does. */
export function equalJson(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return (
      left.length === right.length &&
      left.every((item, index) => equalJson(item as JsonValue, right[index] as JsonValue))
    );
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const keys = definedKeys(left);
  return (
    keys.length === definedKeys(right).length &&
    keys.every((key) => right[key] !== undefined && equalJson(left[key], right[key]))
  );
}

function definedKeys(object: JsonObject): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}

/** JSON text with sorted keys: equal values give equal text, so it can be hashed. Big integers are written as numbers. */
export function canonicalJson(value: JsonValue | undefined): string {
  if (value === undefined) return 'null';
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as JsonValue)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = definedKeys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}

/** JSON text in the given key order, with big integers written as numbers (JSON.stringify throws on them). */
export function stringifyJson(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((item) => stringifyJson(item as JsonValue)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = definedKeys(value).map(
    (key) => `${JSON.stringify(key)}:${stringifyJson(value[key] as JsonValue)}`,
  );
  return `{${members.join(',')}}`;
}

/** An unquoted integer of 16 digits or more: the only text JSON.parse may round. */
const bigIntegerPattern = /[:[,\s]-?[0-9]{16,}/;

/**
 * The value of JSON text, with integers beyond 2^53 kept exact as bigint. Throws SyntaxError.
 * Only text that holds such an integer takes the slow path.
 */
export function parseJson(text: string): JsonValue {
  if (!bigIntegerPattern.test(text)) return JSON.parse(text) as JsonValue;
  return JSON.parse(text, (_key, value: JsonValue, context?: { readonly source?: string }): JsonValue => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && /^-?[0-9]+$/.test(source) ? BigInt(source) : value;
  }) as JsonValue;
}
