import { isJsonObject, type JsonObject, type JsonValue } from '../../src/base/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { FileStyle } from './fuzzTree.ts';
import { container, images, labels, names, text } from './objects.ts';
import type { Random } from './random.ts';

/** An entry of `patches` for one of the objects; most apply, some miss. Files it needs are put into `files`. */
export function randomPatch(
  random: Random,
  objects: readonly KubeObject[],
  addFile: (documents: readonly JsonValue[], style?: FileStyle) => string,
): JsonObject {
  const object = random.pick(objects);
  const isJsonPatch = random.chance(35);
  const body: JsonValue = isJsonPatch ? jsonPatch(random, object) : strategicPatch(random, object);
  const target = isJsonPatch || random.chance(25) ? { target: targetOf(random, object) } : {};
  const patch = random.chance(50)
    ? {
        path:
          isJsonPatch && random.chance(95)
            ? addFile([body], random.pick(['block', 'json']))
            : addFile([body]),
      }
    : { patch: { $inline: body } };
  const options = !isJsonPatch && random.chance(5) ? { options: { allowNameChange: true } } : {};
  return { ...patch, ...target, ...options };
}

function targetOf(random: Random, object: KubeObject): JsonObject {
  switch (random.below(6)) {
    case 0:
      return { kind: object.kind };
    case 1:
      return { kind: object.kind, name: `${object.metadata.name.slice(0, 2)}.*` };
    case 2:
      return {
        labelSelector: random.pick(['app=web', 'tier', 'app in (web, api)', '!tier', 'app!=x']),
        kind: object.kind,
      };
    case 3:
      return { annotationSelector: 'note', kind: object.kind };
    default:
      return { kind: object.kind, name: object.metadata.name };
  }
}

/** A strategic merge patch that names the object and changes some of it. */
export function strategicPatch(random: Random, object: KubeObject): JsonObject {
  const identity: JsonObject = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name: object.metadata.name,
      ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
      ...(random.chance(30) && { labels: labels(random) }),
      ...(random.chance(15) && { annotations: { note: null, added: text(random) } }),
    },
  };
  if (random.chance(4)) return { ...identity, $patch: 'delete' };
  const rest = Object.fromEntries(
    Object.entries(object).filter(([key]) => !['apiVersion', 'kind', 'metadata'].includes(key)),
  );
  return { ...identity, ...(mutate(random, rest, 0) as JsonObject) };
}

/** A value that changes part of the given one: what it keeps silent about stays. */
function mutate(random: Random, value: JsonValue | undefined, depth: number): JsonValue {
  if (isJsonObject(value)) return mutateObject(random, value, depth);
  if (Array.isArray(value)) return mutateList(random, value, depth);
  if (typeof value === 'number') return random.pick([7, value, null]);
  if (typeof value === 'string')
    return random.chance(15) ? null : random.pick([text(random), value, random.pick(images)]);
  return value ?? text(random);
}

function mutateObject(random: Random, object: JsonObject, depth: number): JsonObject {
  const changed: Record<string, JsonValue> = {};
  const keys = Object.keys(object);
  for (const key of keys.length === 1 ? keys : random.some(keys, 55))
    changed[key] = mutate(random, object[key], depth + 1);
  if (random.chance(10)) changed['added'] = random.pick(['x', 1, true, { a: { b: 'c' } }, ['p', 'q']]);
  if (random.chance(3)) changed['$patch'] = random.pick(['replace', 'delete']);
  if (random.chance(2)) changed['$retainKeys'] = Object.keys(changed).filter((key) => !key.startsWith('$'));
  return changed;
}

function mutateList(random: Random, list: readonly JsonValue[], depth: number): JsonValue[] {
  const items = list.filter(() => random.chance(60)).map((item) => mutateItem(random, item, depth));
  const first = list[0];
  if (isJsonObject(first) && 'name' in first && random.chance(30)) {
    items.push(
      'image' in first
        ? container(random, random.pick(['main', 'new']))
        : { ...first, name: random.pick(['new', ...names]) },
    );
  } else if (!isJsonObject(first) && random.chance(30)) {
    items.push(text(random));
  }
  if (random.chance(4)) items.push({ $patch: 'replace' });
  return items;
}

const mergeKeys = ['name', 'containerPort', 'port', 'mountPath', 'ip', 'topologyKey', 'key'];

function mutateItem(random: Random, item: JsonValue, depth: number): JsonValue {
  if (!isJsonObject(item)) return random.chance(50) ? item : mutate(random, item, depth + 1);
  const identity = Object.fromEntries(
    Object.entries(item).filter(([key]) => mergeKeys.includes(key)) as [string, JsonValue][],
  );
  if (random.chance(8)) return { ...identity, $patch: 'delete' };
  return { ...(mutate(random, item, depth + 1) as JsonObject), ...identity };
}

/** A JSON 6902 patch whose paths mostly exist in the object. */
export function jsonPatch(random: Random, object: KubeObject): JsonValue {
  const paths = pointersOf(object).filter(
    (path) => !/^\/(apiVersion|kind|metadata\/name|metadata)$/.test(path),
  );
  const operations: JsonObject[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) operations.push(operation(random, paths));
  return operations;
}

function operation(random: Random, paths: readonly string[]): JsonObject {
  const path = paths.length === 0 ? '/metadata/labels' : random.pick(paths);
  switch (random.below(7)) {
    case 0:
      return { op: 'replace', path, value: random.pick([text(random), 5, { a: 1 }, ['x']]) };
    case 1:
      return { op: 'remove', path };
    case 2:
      return {
        op: 'add',
        path: `${path.replace(/\/[^/]*$/, '')}/${random.pick(['-', '0', 'new', 'a~1b'])}`,
        value: text(random),
      };
    case 3:
      return { op: 'copy', from: path, path: '/copied' };
    case 4:
      return { op: 'move', from: path, path: '/moved' };
    default:
      return {
        op: 'add',
        path: random.pick(['/metadata/labels', '/metadata/annotations', '/extra']),
        value: { added: text(random) },
      };
  }
}

/** JSON pointers to everything in the value. */
export function pointersOf(value: JsonValue | undefined, prefix = ''): string[] {
  const entries: [string, JsonValue | undefined][] = Array.isArray(value)
    ? value.map((item: JsonValue, index): [string, JsonValue] => [String(index), item])
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  return entries.flatMap(([key, member]) => {
    const pointer = `${prefix}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [pointer, ...pointersOf(member, pointer)];
  });
}
