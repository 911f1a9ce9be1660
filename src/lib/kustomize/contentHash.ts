import { createHash } from 'node:crypto';
import type { JsonValue } from '../../base/json.ts';
import { goJson } from './goJson.ts';
import { fieldOf } from './node.ts';
import { jsonOfNode } from './nodeJson.ts';
import { fail } from './problem.ts';
import type { Resource } from './resource.ts';

const letters: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** The suffix that upstream gives a generated ConfigMap or Secret: ten characters of a SHA-256 over its content. */
export function contentHash(object: Resource): string {
  const text = goJson(hashedPart(object));
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 10);
  return hex.replaceAll(/[013ae]/g, (digit) => letters[digit] ?? digit);
}

/** A list where a mapping is expected counts as null. */
function hashedPart(object: Resource): JsonValue {
  const value = (name: string): JsonValue => {
    const field = fieldOf(object.root, name);
    if (field === undefined) return '';
    if (field.kind === 'seq') return null;
    return field.kind === 'scalar' ? field.text : jsonOfNode(field);
  };
  const mapping = (name: string): Record<string, JsonValue> => {
    const field = value(name);
    return typeof field === 'object' ? { [name]: field } : {};
  };
  switch (object.kind) {
    // The name is looked up under a key with a slash in it upstream, so it never counts.
    case 'ConfigMap':
      return { kind: 'ConfigMap', name: '', data: value('data'), ...mapping('binaryData') };
    case 'Secret':
      return { kind: 'Secret', type: value('type'), name: '', data: value('data'), ...mapping('stringData') };
    default:
      return fail(
        'build-not-supported',
        `a hash suffix for the kind ${object.kind} is not supported`,
        object.root,
        'remove the annotation that asks for it: kustomize hashes other kinds by their lines and comments, so that the name changes with each of them',
      );
  }
}
