import { saltedMark } from '../base/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { hiddenAt, withHidden, type HiddenFields } from './hiddenFields.ts';
import type { KubeObject } from './object.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Tells whether values of the object must not leave the engine. */
export function isSecretObject(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Secret';
}

/**
 * The object as it may be shown: each value of a Secret is replaced by its length and a salted mark, so that equal values
 * look equal and changed ones changed. Of other objects only the hidden fields are replaced so.
 */
export function maskObject(object: KubeObject, hidden?: HiddenFields): KubeObject {
  if (!isSecretObject(object)) return hidden === undefined ? object : maskHidden(object, hidden);
  return {
    ...object,
    metadata: withoutLastApplied(object.metadata) as KubeObject['metadata'],
    ...maskedMap(object, 'data', decodedBytes),
    ...maskedMap(object, 'stringData', plainBytes),
  };
}

function maskHidden(object: KubeObject, hidden: HiddenFields): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const masked = withHidden(object as JsonValue, hidden, markOfLeaf) as KubeObject;
  const identity = { name, ...(namespace !== undefined && { namespace }) };
  return { ...masked, apiVersion, kind, metadata: { ...withoutLastApplied(masked.metadata), ...identity } };
}

/** A field's value as it may be shown; `pointer` leads to it in an object of that kind. */
export function maskValue(
  object: { readonly apiVersion: string; readonly kind: string },
  pointer: string,
  value: JsonValue,
  hidden?: HiddenFields,
): JsonValue {
  if (!isSecretObject(object)) return maskHiddenValue(pointer, value, hidden);
  if (pointer === '/data' || pointer === '/stringData') {
    const mask = pointer === '/data' ? decodedBytes : plainBytes;
    return isJsonObject(value) ? maskedValues(value, mask) : '[masked]';
  }
  if (pointer.startsWith('/data/')) return markOf(decodedBytes(value));
  if (pointer.startsWith('/stringData/')) return markOf(plainBytes(value));
  if (pointer.endsWith(lastApplied.replace('/', '~1'))) return '[masked]';
  return value;
}

function maskHiddenValue(pointer: string, value: JsonValue, hidden: HiddenFields | undefined): JsonValue {
  if (hidden !== undefined && pointer.endsWith(lastApplied.replace('/', '~1'))) return '[masked]';
  return withHidden(value, hiddenAt(hidden, pointer), markOfLeaf);
}

/** Words of the server about an object, without values of a Secret and hidden ones: a refusal may quote them. */
export function maskText(object: KubeObject, text: string, hidden?: HiddenFields): string {
  const values = isSecretObject(object) ? secretValues(object) : hiddenValues(object, hidden);
  return values
    .filter((value) => value.length >= shortestMasked)
    .sort((left, right) => right.length - left.length)
    .reduce((masked, value) => masked.replaceAll(value, '[masked]'), text);
}

function hiddenValues(object: KubeObject, hidden: HiddenFields | undefined): readonly string[] {
  const values: string[] = [];
  withHidden(object as JsonValue, hidden, (leaf) => {
    values.push(String(leaf));
    return leaf;
  });
  return values;
}

function secretValues(object: KubeObject): readonly string[] {
  const plain = Object.values(isJsonObject(object['stringData']) ? object['stringData'] : {}).map(String);
  const encoded = Object.values(isJsonObject(object['data']) ? object['data'] : {}).map(String);
  const decoded = encoded.map((value) => Buffer.from(value, 'base64').toString());
  return [...plain, ...encoded, ...decoded];
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

function markOfLeaf(leaf: JsonValue): string {
  return markOf(plainBytes(leaf));
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
