import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';
import { isSecretObject } from '../../kube/mask.ts';
import { refOf, type KubeObject, type ObjectRef } from '../../kube/object.ts';
import { isEncryptedText } from '../../lib/sops/sopsCipher.ts';
import { detectSopsFormat } from '../../lib/sops/sopsFormat.ts';

const unknown = '(encrypted)';

/**
 * Stands in for objects that cannot be decrypted here: every encrypted value is taken from the live object, so that a
 * plan compares keys and everything readable, and says nothing about values nobody can see. What the cluster does not
 * have either is shown as `(encrypted)`. Such a plan is to look at, never to apply.
 */
export function encryptedStandIn(
  readLive: (ref: ObjectRef) => Promise<KubeObject | undefined>,
): (object: KubeObject) => Promise<KubeObject> {
  return async (object) => {
    const live = await readLive(refOf(object));
    const { sops: _metadata, ...rest } = object;
    if (isSecretObject(object)) return secretStandIn(rest as KubeObject, live);
    return filled(rest as KubeObject, live) as KubeObject;
  };
}

/** Encrypted text of stringData becomes data, as it is in the cluster. */
function secretStandIn(object: KubeObject, live: KubeObject | undefined): KubeObject {
  const known = mapOf(live, 'data');
  const data: Record<string, JsonValue | undefined> = {};
  const stringData: Record<string, JsonValue | undefined> = {};
  const hidden = (key: string): JsonValue => known[key] ?? Buffer.from(unknown).toString('base64');
  for (const [key, value] of Object.entries(mapOf(object, 'data')))
    data[key] = isHidden(value) ? hidden(key) : value;
  for (const [key, value] of Object.entries(mapOf(object, 'stringData'))) {
    if (isHidden(value)) data[key] = hidden(key);
    else stringData[key] = value;
  }
  const { data: _data, stringData: _stringData, ...rest } = object;
  return {
    ...rest,
    ...(Object.keys(data).length > 0 && { data }),
    ...(Object.keys(stringData).length > 0 && { stringData }),
  } as KubeObject;
}

function filled(value: JsonValue, live: JsonValue | undefined): JsonValue {
  if (typeof value === 'string') return isEncryptedText(value) ? (live ?? unknown) : value;
  if (Array.isArray(value)) {
    const items = Array.isArray(live) ? (live as readonly JsonValue[]) : [];
    return (value as readonly JsonValue[]).map((item, index) => filled(item, items[index]));
  }
  if (!isJsonObject(value)) return value;
  const members = isJsonObject(live) ? live : {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      member === undefined ? [] : [[key, filled(member, members[key])]],
    ),
  );
}

function isHidden(value: JsonValue | undefined): boolean {
  if (typeof value !== 'string') return false;
  return isEncryptedText(value) || detectSopsFormat(Buffer.from(value, 'base64')) !== undefined;
}

function mapOf(object: KubeObject | undefined, name: string): JsonObject {
  const value = object?.[name];
  return isJsonObject(value) ? value : {};
}
