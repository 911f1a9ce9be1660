import { isJsonObject, type JsonObject, type JsonValue } from '../../src/base/json.ts';
import type { FuzzFile, FuzzTree } from './fuzzTree.ts';

/** A bound on the questions asked, so that shrinking ends. */
const maxAttempts = 1500;

/** A smaller tree that still fails in the same way: whatever can go is taken out, the large pieces first. */
export async function shrinkTree(
  tree: FuzzTree,
  stillFails: (candidate: FuzzTree) => Promise<boolean>,
): Promise<FuzzTree> {
  let smallest = tree;
  let attempts = 0;
  const attempt = async (candidate: FuzzTree): Promise<boolean> => {
    if (++attempts > maxAttempts || !(await stillFails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (let changed = true; changed && attempts < maxAttempts;) {
    changed = await withoutFiles(() => smallest, attempt);
    if (smallest.spec !== undefined) {
      changed = (await withoutSpec(() => smallest, attempt)) || changed;
    }
    for (const path of Object.keys(smallest.files)) {
      changed = (await withoutFields(path, () => smallest, attempt)) || changed;
    }
  }
  return smallest;
}

type Attempt = (candidate: FuzzTree) => Promise<boolean>;

async function withoutFiles(current: () => FuzzTree, attempt: Attempt): Promise<boolean> {
  let changed = false;
  for (const path of Object.keys(current().files)) {
    const { [path]: _gone, ...files } = current().files;
    changed = (await attempt({ ...current(), files })) || changed;
  }
  return changed;
}

async function withoutSpec(current: () => FuzzTree, attempt: Attempt): Promise<boolean> {
  const spec = current().spec as JsonObject;
  let changed = false;
  for (const pointer of pathsOf(spec)) {
    const smaller = without((current().spec ?? {}) as JsonValue, pointer);
    if (smaller !== undefined)
      changed = (await attempt({ ...current(), spec: smaller as JsonObject })) || changed;
  }
  return changed;
}

async function withoutFields(path: string, current: () => FuzzTree, attempt: Attempt): Promise<boolean> {
  const file = current().files[path];
  if (file === undefined || typeof file === 'string') return false;
  let changed = false;
  for (const pointer of pathsOf(file.documents as JsonValue)) {
    const latest = current().files[path];
    if (latest === undefined || typeof latest === 'string') return changed;
    const documents = without(latest.documents as JsonValue, pointer) as readonly JsonValue[] | undefined;
    if (documents === undefined || documents.length === 0) continue;
    const smaller: FuzzFile = { ...latest, documents };
    changed = (await attempt({ ...current(), files: { ...current().files, [path]: smaller } })) || changed;
  }
  return changed;
}

type Path = readonly (string | number)[];

/** The paths of all members and items, shallow ones first; items from the last, so that earlier positions stay right. */
function pathsOf(value: JsonValue): Path[] {
  const paths: Path[] = [];
  let level: { readonly path: Path; readonly value: JsonValue | undefined }[] = [{ path: [], value }];
  while (level.length > 0) {
    level = level.flatMap(({ path, value: parent }) => {
      const keys: (string | number)[] = Array.isArray(parent)
        ? parent.map((_, index) => index).reverse()
        : isJsonObject(parent)
          ? Object.keys(parent)
          : [];
      return keys.map((key) => ({ path: [...path, key], value: memberOf(parent as JsonValue, key) }));
    });
    paths.push(...level.map(({ path }) => path));
  }
  return paths;
}

/** The value without what lies at the path; undefined when nothing does. */
function without(value: JsonValue, path: Path): JsonValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return undefined;
  const member = memberOf(value, key);
  if (member === undefined) return undefined;
  const replaced = rest.length === 0 ? undefined : without(member, rest);
  if (rest.length > 0 && replaced === undefined) return undefined;
  if (Array.isArray(value)) {
    const replacement = replaced === undefined ? [] : [replaced];
    return [
      ...value.slice(0, key as number),
      ...replacement,
      ...value.slice((key as number) + 1),
    ] as JsonValue;
  }
  const { [key]: _old, ...others } = value as JsonObject;
  return replaced === undefined ? others : { ...(value as JsonObject), [key]: replaced };
}

function memberOf(value: JsonValue, key: string | number): JsonValue | undefined {
  if (Array.isArray(value)) return value[key as number] as JsonValue | undefined;
  return isJsonObject(value) ? value[key] : undefined;
}
