import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts';

/** A value of the Common Expression Language. Integers are bigint, doubles number. */
export type CelValue =
  | boolean
  | bigint
  | number
  | string
  | null
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelOptional
  | CelType
  | CelMap
  | readonly CelValue[];

/** An expression went wrong when it was evaluated; `&&`, `||` and the macros may absorb it. */
export class CelError extends Error {}

export class CelUint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A point in time, in nanoseconds since 1970. */
export class CelTimestamp {
  readonly nanoseconds: bigint;
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

export class CelDuration {
  readonly nanoseconds: bigint;
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

/** A value that may be missing; `value` is undefined when it is. */
export class CelOptional {
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

export const noOptional = new CelOptional(undefined);

export class CelType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A map by keys of any kind; numbers that are equal are one key, whatever their type. */
export class CelMap {
  readonly #entries = new Map<string, readonly [CelValue, CelValue]>();

  constructor(entries: Iterable<readonly [key: CelValue, value: CelValue]>) {
    for (const entry of entries) {
      if (entry[0] instanceof Uint8Array) throw new CelError('unsupported key type: bytes');
      const id = keyId(entry[0]);
      // A key of another kind is counted but never found.
      this.#entries.set(id ?? `o${this.#entries.size}`, entry);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: CelValue): CelValue | undefined {
    const id = keyId(key);
    return id === undefined ? undefined : this.#entries.get(id)?.[1];
  }

  has(key: CelValue): boolean {
    return this.get(key) !== undefined;
  }

  keys(): CelValue[] {
    return [...this.#entries.values()].map(([key]) => key);
  }

  entries(): Iterable<readonly [CelValue, CelValue]> {
    return this.#entries.values();
  }
}

function keyId(key: CelValue): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof CelUint) return `n${key.value}`;
  if (typeof key === 'number' && Number.isInteger(key)) return `n${BigInt(key)}`;
  if (key instanceof CelType) return `t${key.name}`;
  return typeof key === 'number' ? `d${key}` : undefined;
}

/** JSON as CEL sees it: whole numbers are ints, others doubles. */
export function celOfJson(value: JsonValue | undefined): CelValue {
  if (value === undefined) return null;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => celOfJson(item));
  return isJsonObject(value) ? celOfObject(value) : (value as string | boolean | bigint | null);
}

function celOfObject(object: JsonObject): CelMap {
  const entries = Object.entries(object).filter(([, member]) => member !== undefined);
  return new CelMap(entries.map(([key, member]) => [key, celOfJson(member)] as const));
}

/** The name of the value's type, as `type()` prints it. */
export function typeName(value: CelValue): string {
  if (value === null) return 'null_type';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp';
  if (value instanceof CelDuration) return 'google.protobuf.Duration';
  if (value instanceof CelOptional) return 'optional_type';
  if (value instanceof CelType) return 'type';
  return value instanceof CelMap ? 'map' : 'list';
}

/** Types that an identifier can name. */
export const namedTypes: readonly string[] = [
  ...[
    'bool',
    'bytes',
    'double',
    'int',
    'list',
    'map',
    'null_type',
    'string',
    'type',
    'uint',
    'optional_type',
  ],
  ...['google.protobuf.Timestamp', 'google.protobuf.Duration'],
];
