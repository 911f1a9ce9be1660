/** A type as the checker knows it. `param` is a type still to be found. */
export type StaticType =
  | {
      readonly kind:
        'bool' | 'bytes' | 'double' | 'int' | 'null' | 'string' | 'uint' | 'timestamp' | 'duration' | 'dyn';
    }
  | { readonly kind: 'list' | 'map' | 'optional_type' | 'type'; readonly params: readonly StaticType[] }
  | { readonly kind: 'param'; readonly name: string };

export const dyn: StaticType = { kind: 'dyn' };
export const bool: StaticType = { kind: 'bool' };

export const listOf = (item: StaticType): StaticType => ({ kind: 'list', params: [item] });
export const mapOf = (key: StaticType, value: StaticType): StaticType => ({
  kind: 'map',
  params: [key, value],
});
export const optionalOf = (value: StaticType): StaticType => ({ kind: 'optional_type', params: [value] });
export const typeOf = (type: StaticType): StaticType => ({ kind: 'type', params: [type] });

/** The type as cel-go writes it: `map(string, dyn)`. */
export function formatType(type: StaticType): string {
  if (type.kind === 'param') return type.name;
  return 'params' in type && type.params.length > 0
    ? `${type.kind}(${type.params.map(formatType).join(', ')})`
    : type.kind;
}

/** Reads `list(A)`, `map(string, dyn)` and the like; single capital letters are parameters. */
export function parseType(text: string): StaticType {
  const found = /^([a-z_0-9]+|[A-Z])(?:\((.*)\))?$/s.exec(text.trim());
  const name = found?.[1] ?? '';
  if (/^[A-Z]$/.test(name)) return { kind: 'param', name };
  const inner = found?.[2];
  if (inner === undefined) return { kind: name } as StaticType;
  return { kind: name as 'list', params: splitTypes(inner).map(parseType) };
}

/** Splits at the commas outside parentheses. */
export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of text) {
    if (char === ',' && depth === 0) {
      parts.push(part);
      part = '';
      continue;
    }
    if (char === '(') depth++;
    if (char === ')') depth--;
    part += char;
  }
  return part.trim() === '' ? parts : [...parts, part];
}

/** What is known of type parameters. Follows cel-go's checker/types.go. */
export class Substitutions {
  readonly #known: Map<string, StaticType>;

  constructor(known: ReadonlyMap<string, StaticType> = new Map()) {
    this.#known = new Map(known);
  }

  /** Takes on what an attempt has found. */
  adopt(found: Substitutions): void {
    for (const [name, type] of found.#known) this.#known.set(name, type);
  }

  /** Whether values of one type may stand where the others are wanted; what that says of parameters is kept, if it is so. */
  assignAll(actual: readonly StaticType[], wanted: readonly StaticType[]): boolean {
    if (actual.length !== wanted.length) return false;
    const attempt = new Substitutions(this.#known);
    if (!actual.every((type, index) => attempt.#assign(type, wanted[index] as StaticType))) return false;
    this.adopt(attempt);
    return true;
  }

  assign(actual: StaticType, wanted: StaticType): boolean {
    return this.assignAll([actual], [wanted]);
  }

  /** The type with its parameters replaced by what is known of them; unknown ones stay, or become dyn. */
  apply(type: StaticType, unknown: 'keep' | 'dyn'): StaticType {
    if (type.kind === 'param') {
      const known = this.#known.get(type.name);
      if (known !== undefined) return this.apply(known, unknown);
      return unknown === 'dyn' ? dyn : type;
    }
    return 'params' in type
      ? { ...type, params: type.params.map((param) => this.apply(param, unknown)) }
      : type;
  }

  #assign(first: StaticType, second: StaticType): boolean {
    if (second.kind === 'param') {
      const result = this.#substitute(first, second.name);
      if (result !== 'no substitution') return result;
    }
    if (first.kind === 'param') return this.#substitute(second, first.name) === true;
    if (first.kind === 'dyn' || second.kind === 'dyn') return true;
    if (first.kind === 'null' || second.kind === 'null') {
      return [first, second].every(({ kind }) =>
        ['null', 'timestamp', 'duration', 'optional_type'].includes(kind),
      );
    }
    if (first.kind !== second.kind) return false;
    if (first.kind === 'type' || !('params' in first) || !('params' in second)) return true;
    const others = second.params;
    return first.params.every((param, index) => this.#assign(param, others[index] as StaticType));
  }

  /** Whether `type` may be what the parameter stands for; `no substitution` when nothing is known and nothing can be learnt. */
  #substitute(type: StaticType, name: string): boolean | 'no substitution' {
    if (type.kind === 'param' && type.name === name) return true;
    const known = this.#known.get(name);
    if (known !== undefined) {
      if (!this.#assign(type, known)) return false;
      const general = moreGeneral(type, known);
      if (!mentions(this.apply(general, 'keep'), name)) this.#known.set(name, general);
      return true;
    }
    if (mentions(this.apply(type, 'keep'), name)) return 'no substitution';
    this.#known.set(name, type);
    return true;
  }
}

function mentions(type: StaticType, name: string): boolean {
  if (type.kind === 'param') return type.name === name;
  return 'params' in type && type.params.some((param) => mentions(param, name));
}

/** The one of the types that says less. */
export function moreGeneral(first: StaticType, second: StaticType): StaticType {
  return isEqualOrLessSpecific(first, second) ? first : second;
}

function isEqualOrLessSpecific(first: StaticType, second: StaticType): boolean {
  if (first.kind === 'dyn' || first.kind === 'param') return true;
  if (second.kind === 'dyn' || second.kind === 'param' || first.kind !== second.kind) return false;
  if (first.kind === 'type' || !('params' in first) || !('params' in second)) return true;
  const others = second.params;
  return first.params.every((param, index) => isEqualOrLessSpecific(param, others[index] as StaticType));
}

export function isSameType(first: StaticType, second: StaticType): boolean {
  return formatType(first) === formatType(second);
}
