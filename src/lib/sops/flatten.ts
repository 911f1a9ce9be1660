import {
  decryptionError,
  isSopsComment,
  isSopsMap,
  sopsMap,
  type SopsItem,
  type SopsMap,
  type SopsValue,
} from './sopsTree.ts';

const mapSeparator = '__map_';
const listSeparator = '__list_';

/** The mapping as one level of keys: `age__list_0__map_enc`, each behind the prefix. Comments are left out. */
export function flattenMap(map: SopsMap, prefix: string): SopsMap {
  const items: SopsItem[] = [];
  flattenMembers(map, prefix, items);
  return sopsMap(items);
}

function flattenMembers(map: SopsMap, prefix: string, items: SopsItem[]): void {
  for (const { key, value } of map.items)
    if (typeof key === 'string') flattenValue(value, prefix + key, items);
}

function flattenValue(value: SopsValue, key: string, items: SopsItem[]): void {
  if (isSopsMap(value)) flattenMembers(value, key + mapSeparator, items);
  else if (Array.isArray(value))
    for (const [index, item] of (value as readonly SopsValue[])
      .filter((entry) => !isSopsComment(entry))
      .entries())
      flattenValue(item, `${key}${listSeparator}${index}`, items);
  else items.push({ key, value });
}

/** One position of a flattened key: a member's name or a list's index. */
type Step = string | number;

/** A branch while it is put together. */
interface Branch {
  value?: SopsValue;
  readonly members: Map<Step, Branch>;
}

/** The mapping that was flattened; keys come out sorted. Throws DecryptionFailed for keys that contradict each other. */
export function unflattenMap(map: SopsMap): SopsMap {
  const root: Branch = { members: new Map() };
  for (const { key, value } of map.items) {
    if (typeof key !== 'string') continue;
    let branch = root;
    for (const step of stepsOf(key)) {
      const next = branch.members.get(step) ?? { members: new Map<Step, Branch>() };
      branch.members.set(step, next);
      branch = next;
    }
    if (branch.value !== undefined) throw decryptionError(`sops metadata: ${key} is given twice`);
    branch.value = value;
  }
  const tree = valueOf(root);
  if (isSopsMap(tree)) return tree;
  throw decryptionError('sops metadata: the keys are no mapping');
}

function stepsOf(key: string): Step[] {
  return key
    .split(/(?=__map_|__list_)/)
    .map((part) =>
      part.startsWith(mapSeparator)
        ? part.slice(mapSeparator.length)
        : part.startsWith(listSeparator)
          ? Number(part.slice(listSeparator.length))
          : part,
    );
}

function valueOf(branch: Branch): SopsValue {
  const steps = [...branch.members.keys()];
  if (branch.value !== undefined) {
    if (steps.length > 0) throw decryptionError('sops metadata: a key is both a value and a mapping');
    return branch.value;
  }
  if (steps.every((step) => typeof step === 'string'))
    return sopsMap(
      [...branch.members]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, member]) => ({ key: String(key), value: valueOf(member) })),
    );
  const list = Array.from({ length: steps.length }, (_, index) => branch.members.get(index));
  return list.map((member) => {
    if (member === undefined) throw decryptionError('sops metadata: a list has gaps');
    return valueOf(member);
  });
}
