import { saltedMark } from '../base/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import type { KubeObject } from './object.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Tells whether values of the object must not leave the engine. */
export function isSecretObject(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Secret';
}

/**
 * The object as it may be shown: each value of a Secret is replaced by its length and a salted mark, so that equal values
 * look equal and changed ones changed. Other objects come back as they are.
 */
export function maskObject(object: KubeObject): KubeObject {
  if (!isSecretObject(object)) return object;
  return {
    ...object,
    metadata: withoutLastApplied(object.metadata) as KubeObject['metadata'],
    ...maskedMap(object, 'data', decodedBytes),
    ...maskedMap(object, 'stringData', plainBytes),
  };
}

/** A field's value as it may be shown; `pointer` leads to it in an object of that kind. */
export function maskValue(
  object: { readonly apiVersion: string; readonly kind: string },
  pointer: string,
  value: JsonValue,
): JsonValue {
  if (!isSecretObject(object)) return value;
  if (pointer === '/data' || pointer === '/stringData') {
    const mask = pointer === '/data' ? decodedBytes : plainBytes;
    return isJsonObject(value) ? maskedValues(value, mask) : '[masked]';
  }
  if (pointer.startsWith('/data/')) return markOf(decodedBytes(value));
  if (pointer.startsWith('/stringData/')) return markOf(plainBytes(value));
  if (pointer.endsWith(lastApplied.replace('/', '~1'))) return '[masked]';
  return value;
}

/** Words of the server about a Secret, without its values: a refusal may quote them. */
export function maskText(object: KubeObject, text: string): string {
  if (!isSecretObject(object)) return text;
  const plain = Object.values(isJsonObject(object['stringData']) ? object['stringData'] : {}).map(String);
  const encoded = Object.values(isJsonObject(object['data']) ? object['data'] : {}).map(String);
  const decoded = encoded.map((value) => Buffer.from(value, 'base64').toString());
  return [...plain, ...encoded, ...decoded]
    .filter((value) => value.length >= shortestMasked)
    .sort((left, right) => right.length - left.length)
    .reduce((masked, value) => masked.replaceAll(value, '[masked]'), text);
}

/** Shorter values are parts of every text; masking them would leave nothing to read. */
const shortestMasked = 3;

function maskedMap(
  object: KubeObject,
  member: 'data' | 'stringData',
  bytes: (value: JsonValue) => Buffer,
): JsonObject {
  const values = object[member];
  return isJsonObject(values) ? { [member]: maskedValues(values, bytes) } : {};
}

function maskedValues(values: JsonObject, bytes: (value: JsonValue) => Buffer): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value === undefined ? undefined : markOf(bytes(value)),
    ]),
  );
}

function markOf(bytes: Buffer): string {
  return `[masked: ${bytes.length} bytes, mark ${saltedMark(bytes)}]`;
}

function decodedBytes(value: JsonValue): Buffer {
  return Buffer.from(String(value), 'base64');
}

function plainBytes(value: JsonValue): Buffer {
  return Buffer.from(String(value));
}

function withoutLastApplied(metadata: JsonObject): JsonObject {
  const { annotations } = metadata;
  if (!isJsonObject(annotations) || annotations[lastApplied] === undefined) return metadata;
  return {
    ...metadata,
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== lastApplied)),
  };
}
