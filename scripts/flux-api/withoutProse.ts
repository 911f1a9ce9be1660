import { isJsonObject, type JsonValue } from '../../src/base/json.ts';

/** The schema without its descriptions. A field that is itself named `description` stays. */
export function withoutProse(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => withoutProse(item));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value)
    .filter(([key, member]) => key !== 'description' || typeof member !== 'string')
    .map(([key, member]) => [key, withoutProse(member as JsonValue)]);
  return Object.fromEntries(members) as JsonValue;
}
