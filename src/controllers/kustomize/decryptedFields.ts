import { isJsonObject, type JsonValue } from '../../base/json.ts';
import type { BuiltObject } from '../../kube/builtObject.ts';
import { hiddenFields, type HiddenFields } from '../../kube/hiddenFields.ts';
import { joinPointer } from '../../kube/jsonPointer.ts';
import { isSecretObject } from '../../kube/mask.ts';
import type { KubeObject } from '../../kube/object.ts';
import { isEncryptedText } from '../../lib/sops/sopsCipher.ts';

/** As upstream asks before it decrypts: `sops` with a `mac`, whatever the kind. */
export function isEncryptedObject(object: KubeObject): boolean {
  const sops = object['sops'];
  return isJsonObject(sops) && sops['mac'] !== undefined && sops['mac'] !== null && sops['mac'] !== '';
}

/** What an object hides once its encrypted values are plain. Undefined when it has none. */
export function encryptedFields(object: KubeObject): HiddenFields | undefined {
  return hiddenFields(encryptedPointers(object as JsonValue, ''));
}

/** What an object hides because decrypted files set it. The values of a Secret are hidden by its kind. */
export function fieldsFrom(
  { object, origins }: BuiltObject,
  decryptedFiles: ReadonlySet<string>,
): HiddenFields | undefined {
  if (decryptedFiles.size === 0 || isSecretObject(object)) return undefined;
  const pointers = [...origins.entries()]
    .filter(([, { path }]) => decryptedFiles.has(path))
    .map(([pointer]) => pointer);
  return hiddenFields(pointers);
}

function* encryptedPointers(value: JsonValue | undefined, pointer: string): Iterable<string> {
  if (typeof value === 'string') {
    if (isEncryptedText(value)) yield pointer;
    return;
  }
  const members: Iterable<readonly [string | number, JsonValue | undefined]> = Array.isArray(value)
    ? (value as readonly JsonValue[]).entries()
    : Object.entries(isJsonObject(value) ? value : {});
  for (const [key, member] of members)
    if (pointer !== '' || key !== 'sops') yield* encryptedPointers(member, joinPointer(pointer, key));
}
