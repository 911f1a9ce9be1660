import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';

/**
 * The JSON merge patch (RFC 7386) that turns `before` into `after`; undefined when they are equal.
 * Lists are replaced as a whole; a member that is gone becomes null.
 */
export function createMergePatch(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const patch: Record<string, JsonValue> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[key];
    const value = after[key];
    if (equalJson(old, value)) continue;
    if (value === undefined) patch[key] = null;
    else if (isJsonObject(old) && isJsonObject(value)) patch[key] = createMergePatch(old, value) ?? {};
    else patch[key] = withoutUndefined(value);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function withoutUndefined(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      member === undefined ? [] : [[key, withoutUndefined(member)]],
    ),
  );
}
