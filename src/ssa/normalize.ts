import { equalJson, isJsonObject, parseJson, type JsonObject, type JsonValue } from '../base/json.ts';
import { joinPointer } from '../kube/jsonPointer.ts';
import { refOf, type KubeObject } from '../kube/object.ts';
import { goKinds, goTypes } from './goTypes.gen.ts';

/** An object as upstream would send it, and what of the built one was left out. */
export interface Normalized {
  readonly object: KubeObject;
  /** JSON pointers of fields that the kind does not have: upstream drops them without a word. */
  readonly dropped: readonly string[];
}

/**
 * The object as kustomize-controller sends it: built-in kinds pass through their Go types (unknown and empty fields go,
 * fields that Go always writes appear), stringData becomes data, missing protocols become TCP, status goes.
 * A value of the wrong type leaves the object as it is, for the server to refuse. Follows fluxcd/pkg ssa/normalize.
 */
export function normalizeObject(object: KubeObject): Normalized {
  const isRole = object.kind === 'Role' || object.kind === 'ClusterRole';
  if (isRole && object.apiVersion === 'rbac.authorization.k8s.io/v1') return { object, dropped: [] };
  const dropped: string[] = [];
  const typed = throughGoType(object, dropped);
  const defaulted = typed === undefined ? object : withKindDefaults(typed);
  const { status: _, ...rest } = defaulted;
  return {
    object: {
      ...(isCustomResourceDefinition(object) ? defaulted : rest),
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: { ...defaulted.metadata, creationTimestamp: null },
    },
    dropped: typed === undefined ? [] : dropped,
  };
}

function throughGoType(object: KubeObject, dropped: string[]): KubeObject | undefined {
  const type = goKinds[`${object.apiVersion}/${object.kind}`];
  if (type === undefined) return undefined;
  try {
    return convertStruct(object, type, '', dropped) as KubeObject;
  } catch (error) {
    if (error instanceof WrongType) return undefined;
    throw error;
  }
}

/** A value that its Go type cannot hold. */
class WrongType extends Error {}

interface GoField {
  readonly name: string;
  readonly omitsEmpty: boolean;
  readonly type: string;
}

const fieldsByType = new Map<string, ReadonlyMap<string, GoField>>();

function fieldsOf(type: string): ReadonlyMap<string, GoField> {
  const known = fieldsByType.get(type);
  if (known !== undefined) return known;
  const fields = new Map(
    (goTypes[type] ?? '').split('\n').flatMap((line) => {
      const space = line.indexOf(' ');
      const name = line.slice(0, space);
      return space < 0
        ? []
        : [[name, { name, omitsEmpty: line[space + 1] === '?', type: line.slice(space + 2) }] as const];
    }),
  );
  fieldsByType.set(type, fields);
  return fields;
}

function convertStruct(value: JsonValue, type: string, pointer: string, dropped: string[]): JsonObject {
  if (!isJsonObject(value)) throw new WrongType();
  const fields = fieldsOf(type);
  for (const name of Object.keys(value))
    if (!fields.has(name) && value[name] !== undefined) dropped.push(joinPointer(pointer, name));
  const result: Record<string, JsonValue> = {};
  for (const field of fields.values()) {
    const given = value[field.name] ?? null;
    const converted =
      given === null ? undefined : convert(given, field.type, joinPointer(pointer, field.name), dropped);
    if (field.omitsEmpty && (converted === undefined || isEmpty(converted, field.type))) continue;
    result[field.name] = converted ?? zeroOf(field.type);
  }
  return result;
}

/** The value after its way through the type; never called for null. */
function convert(value: JsonValue, type: string, pointer: string, dropped: string[]): JsonValue {
  switch (type[0]) {
    case '*':
      return convert(value, type.slice(1), pointer, dropped);
    case '@':
      return convertStruct(value, type.slice(1), pointer, dropped);
    case '[':
      if (!Array.isArray(value)) throw new WrongType();
      return (value as readonly JsonValue[]).map((item, index) =>
        convertItem(item, type.slice(2), `${pointer}/${index}`, dropped),
      );
    case '{':
      if (!isJsonObject(value)) throw new WrongType();
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [
          name,
          convertItem(item ?? null, type.slice(2), joinPointer(pointer, name), dropped),
        ]),
      );
    case 'y':
      return convertBytes(value);
    case '=':
      return value;
    default:
      return convertScalar(value, type);
  }
}

function convertItem(item: JsonValue, type: string, pointer: string, dropped: string[]): JsonValue {
  return item === null ? zeroOf(type) : convert(item, type, pointer, dropped);
}

function convertScalar(value: JsonValue, type: string): JsonValue {
  const fits =
    type === 's'
      ? typeof value === 'string'
      : type === 'b'
        ? typeof value === 'boolean'
        : type === 'i'
          ? typeof value === 'bigint' || Number.isInteger(value)
          : typeof value === 'number' || typeof value === 'bigint';
  if (!fits) throw new WrongType();
  return value;
}

/** Base64 without the line breaks that Go passes over. */
function convertBytes(value: JsonValue): JsonValue {
  if (typeof value !== 'string') throw new WrongType();
  const text = value.replace(/[\r\n]/g, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new WrongType();
  return text;
}

function isEmpty(value: JsonValue, type: string): boolean {
  switch (type[0]) {
    case '*':
      return false;
    case '@':
    case '=':
      return equalJson(value, zeroOf(type));
    default:
      if (Array.isArray(value)) return value.length === 0;
      if (isJsonObject(value)) return Object.keys(value).length === 0;
      return value === '' || value === 0 || value === false || value === 0n;
  }
}

function zeroOf(type: string): JsonValue {
  switch (type[0]) {
    case 's':
      return '';
    case 'b':
      return false;
    case 'i':
    case 'f':
      return 0;
    case '@':
      return convertStruct({}, type.slice(1), '', []);
    case '=':
      return parseJson(type.slice(1));
    default:
      return null;
  }
}

/** Where the template of pods lies in the kinds whose ports get a protocol. */
const podSpecPaths: Readonly<Record<string, readonly string[]>> = {
  'v1/Pod': ['spec'],
  'apps/v1/Deployment': ['spec', 'template', 'spec'],
  'apps/v1/StatefulSet': ['spec', 'template', 'spec'],
  'apps/v1/DaemonSet': ['spec', 'template', 'spec'],
  'apps/v1/ReplicaSet': ['spec', 'template', 'spec'],
  'batch/v1/Job': ['spec', 'template', 'spec'],
  'batch/v1/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

function withKindDefaults(object: KubeObject): KubeObject {
  const podSpec = podSpecPaths[`${object.apiVersion}/${object.kind}`];
  if (podSpec !== undefined) return updateAt(object, [...podSpec, 'containers'], eachPortOf) as KubeObject;
  if (object.apiVersion !== 'v1') return object;
  if (object.kind === 'Service')
    return updateAt(object, ['spec', 'ports'], (ports) => mapItems(ports, withProtocol)) as KubeObject;
  return object.kind === 'Secret' ? withStringData(object) : object;
}

function eachPortOf(containers: JsonValue): JsonValue {
  return mapItems(containers, (container) =>
    updateAt(container, ['ports'], (ports) => mapItems(ports, withProtocol)),
  );
}

function withProtocol(port: JsonValue): JsonValue {
  return isJsonObject(port) && port['protocol'] === undefined ? { ...port, protocol: 'TCP' } : port;
}

function withStringData(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  if (!isJsonObject(stringData)) return secret;
  const data = isJsonObject(secret['data']) ? secret['data'] : {};
  const encoded = Object.entries(stringData).map(([name, text]) => [
    name,
    Buffer.from(String(text)).toString('base64'),
  ]);
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } } as KubeObject;
}

function updateAt(
  value: JsonValue,
  path: readonly string[],
  update: (value: JsonValue) => JsonValue,
): JsonValue {
  const [name, ...rest] = path;
  if (name === undefined) return update(value);
  if (!isJsonObject(value) || value[name] === undefined) return value;
  return { ...value, [name]: updateAt(value[name], rest, update) };
}

function mapItems(value: JsonValue, update: (item: JsonValue) => JsonValue): JsonValue {
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(update) : value;
}

function isCustomResourceDefinition(object: KubeObject): boolean {
  const { group, kind } = refOf(object);
  return group === 'apiextensions.k8s.io' && kind.toLowerCase() === 'customresourcedefinition';
}
