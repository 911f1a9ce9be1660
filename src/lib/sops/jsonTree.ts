import type { JsonObject, JsonValue } from '../../base/json.ts';
import { isJsonObject } from '../../base/json.ts';
import { isSopsComment, isSopsMap, sopsMap, type SopsMap, type SopsValue } from './sopsTree.ts';

/** A Kubernetes object as SOPS sees it: whole numbers apart from others, keys in the object's order. */
export function treeOfJson(object: JsonObject): SopsMap {
  return sopsMap(
    Object.entries(object).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value: valueOfJson(value) }],
    ),
  );
}

/** The plain JSON of a tree; comments are left out, moments become text. */
export function jsonOfTree({ items }: SopsMap): JsonObject {
  return Object.fromEntries(
    items.flatMap(({ key, value }) => (typeof key === 'string' ? [[key, jsonOfValue(value)]] : [])),
  );
}

function valueOfJson(value: JsonValue): SopsValue {
  if (isJsonObject(value)) return treeOfJson(value);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(valueOfJson);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return value as string | number | bigint | boolean | null;
}

function jsonOfValue(value: SopsValue): JsonValue {
  if (isSopsMap(value)) return jsonOfTree(value);
  if (Array.isArray(value))
    return (value as readonly SopsValue[]).filter((item) => !isSopsComment(item)).map(jsonOfValue);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === 'object' && value !== null && 'text' in value) return value.text;
  return value as string | number | boolean | null;
}
