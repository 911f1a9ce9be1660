import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';

/** A status that upstream's readers refuse, with their words. */
export class StatusUnreadable extends Error {}

export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The entries of status.conditions. Throws StatusUnreadable when they do not have the form of conditions. */
export function conditionsOf(object: JsonObject): readonly StatusCondition[] {
  const status = object['status'] ?? {};
  if (!isJsonObject(status)) throw new StatusUnreadable(`cannot restore struct from: ${goKind(status)}`);
  const conditions = status['conditions'] ?? [];
  if (!Array.isArray(conditions)) {
    throw new StatusUnreadable(`cannot restore slice from ${goKind(conditions)}`);
  }
  return conditions.map((entry: JsonValue) => {
    const condition = entry ?? {};
    if (!isJsonObject(condition)) {
      throw new StatusUnreadable(`cannot restore struct from: ${goKind(condition)}`);
    }
    return {
      type: conditionText(condition, 'type', 'string'),
      status: conditionText(condition, 'status', 'v1.ConditionStatus'),
      reason: conditionText(condition, 'reason', 'string'),
      message: conditionText(condition, 'message', 'string'),
    };
  });
}

/** The value at a path, or undefined when anything on the way is missing. */
export function fieldAt(object: JsonObject, ...path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

/** The text at a path; '' when it is missing or something else. */
export function textAt(object: JsonObject, ...path: readonly string[]): string {
  const value = fieldAt(object, ...path);
  return typeof value === 'string' ? value : '';
}

/** The integer at a path; undefined when it is missing or something else. */
export function integerAt(object: JsonObject, ...path: readonly string[]): number | undefined {
  const value = fieldAt(object, ...path);
  return Number.isInteger(value) || typeof value === 'bigint' ? Number(value) : undefined;
}

/** The text at a path, '' when it is missing. Throws StatusUnreadable for anything else. */
export function requireText(object: JsonObject, ...path: readonly string[]): string {
  const value = lookUp(object, path);
  if (value === undefined || typeof value === 'string') return value ?? '';
  throw lookedUp(path, wrongType(path, value, 'string'));
}

/** The integer at a path, undefined when it is missing. Throws StatusUnreadable for anything else. */
export function requireInteger(object: JsonObject, ...path: readonly string[]): number | undefined {
  const value = lookUp(object, path);
  if (value === undefined || Number.isInteger(value) || typeof value === 'bigint') {
    return value === undefined ? undefined : Number(value);
  }
  throw lookedUp(path, wrongType(path, value, 'int64'));
}

/** The list at a path, empty when it is missing. Throws StatusUnreadable for anything else. */
export function requireList(object: JsonObject, ...path: readonly string[]): readonly JsonValue[] {
  const value = requireField(object, path);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw wrongType(path, value, '[]interface{}');
}

function lookUp(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  try {
    return requireField(object, path);
  } catch (error) {
    throw error instanceof StatusUnreadable ? lookedUp(path, error) : error;
  }
}

function lookedUp(path: readonly string[], cause: StatusUnreadable): StatusUnreadable {
  return new StatusUnreadable(`looking up ${path.join('.')} from resource: ${cause.message}`);
}

function requireField(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const [index, name] of path.entries()) {
    if (value === null || value === undefined) return undefined;
    if (!isJsonObject(value)) throw wrongType(path.slice(0, index + 1), value, 'map[string]interface{}');
    value = value[name];
  }
  return value;
}

function wrongType(path: readonly string[], value: JsonValue, expected: string): StatusUnreadable {
  return new StatusUnreadable(
    `.${path.join('.')} accessor error: ${goText(value)} is of the type ${goType(value)}, expected ${expected}`,
  );
}

function conditionText(condition: JsonObject, field: string, type: string): string {
  const value = condition[field] ?? '';
  if (typeof value === 'string') return value;
  throw new StatusUnreadable(
    goKind(value) === 'int64' ? `cannot convert int64 to ${type}` : 'unrecognized type: string',
  );
}

function goKind(value: JsonValue): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'string' || typeof value === 'bigint') {
    return typeof value === 'string' ? 'string' : 'int64';
  }
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return 'map';
}

function goType(value: JsonValue): string {
  if (value === null) return '<nil>';
  const kind = goKind(value);
  if (kind === 'slice') return '[]interface {}';
  return kind === 'map' ? 'map[string]interface {}' : kind;
}

function goText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => goText(item)).join(' ')}]`;
  if (!isJsonObject(value)) return String(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`);
  return `map[${members.join(' ')}]`;
}
