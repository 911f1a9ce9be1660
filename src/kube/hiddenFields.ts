import { isJsonObject, type JsonValue } from '../base/json.ts';
import { parsePointer } from './jsonPointer.ts';

/**
 * The places of one object whose values must not leave the engine, because they were decrypted on the way. Items of a list
 * are one place (`*`): the cluster may keep them in another order.
 */
export type HiddenFields = 'all' | ReadonlyMap<string, HiddenFields>;

/** The places that the JSON pointers lead to, with everything below them. Undefined when there are none. */
export function hiddenFields(pointers: Iterable<string>): HiddenFields | undefined {
  const root: Building = new Map();
  let isEmpty = true;
  for (const pointer of pointers) {
    isEmpty = false;
    const tokens = parsePointer(pointer) ?? [];
    const last = tokens.at(-1);
    if (last === undefined) return 'all';
    let node: Building | 'all' = root;
    for (const token of tokens.slice(0, -1)) {
      if (node === 'all') break;
      const below: Building | 'all' = node.get(placeOf(token)) ?? new Map<string, Building | 'all'>();
      node.set(placeOf(token), below);
      node = below;
    }
    if (node !== 'all') node.set(placeOf(last), 'all');
  }
  return isEmpty ? undefined : root;
}

/** What of a place's value is hidden; undefined when nothing is. */
export function hiddenAt(hidden: HiddenFields | undefined, pointer: string): HiddenFields | undefined {
  let node = hidden;
  for (const token of parsePointer(pointer) ?? []) {
    if (node === undefined || node === 'all') return node;
    node = node.get(placeOf(token));
  }
  return node;
}

/** The value with each hidden leaf replaced by what `mask` makes of it. */
export function withHidden(
  value: JsonValue,
  hidden: HiddenFields | undefined,
  mask: (leaf: JsonValue) => JsonValue,
): JsonValue {
  if (hidden === undefined) return value;
  const below = (name: string): HiddenFields | undefined =>
    hidden === 'all' ? hidden : hidden.get(placeOf(name));
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).map((item, index) => withHidden(item, below(String(index)), mask));
  if (isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        member === undefined ? undefined : withHidden(member, below(name), mask),
      ]),
    );
  return hidden === 'all' && value !== null ? mask(value) : value;
}

type Building = Map<string, Building | 'all'>;

/** Numbers name items; a member of a mapping with such a name is hidden with its like. */
function placeOf(token: string): string {
  return /^\d+$/.test(token) ? '*' : token;
}
