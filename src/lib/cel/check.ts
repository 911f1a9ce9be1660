import { qualifiedName, type CallNode, type CelNode, type ComprehensionNode } from './ast.ts';
import {
  bool,
  dyn,
  formatType,
  isSameType,
  listOf,
  mapOf,
  moreGeneral,
  optionalOf,
  Substitutions,
  typeOf,
  type StaticType,
} from './checkTypes.ts';
import { signatures, type Signature } from './signatures.ts';
import { namedTypes, typeName } from './values.ts';

/** The types of a checked expression do not fit together. */
export class CelTypeError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

type Variables = ReadonlyMap<string, StaticType>;

/**
 * The type of an expression whose variables are maps from text to anything. Throws CelTypeError at the first fault.
 * Follows cel-go's checker, with literals of lists and maps required to be of one type.
 */
export function checkCel(node: CelNode, variables: readonly string[]): StaticType {
  const checker = new Checker();
  const declared = new Map(variables.map((name) => [name, mapOf({ kind: 'string' }, dyn)] as const));
  return checker.finish(checker.typeOf(node, declared));
}

class Checker {
  readonly #known = new Substitutions();
  #fresh = 0;
  #mixedAllowed = 0;

  finish(type: StaticType): StaticType {
    return this.#known.apply(type, 'dyn');
  }

  typeOf(node: CelNode, variables: Variables): StaticType {
    switch (node.kind) {
      case 'literal':
        return { kind: typeName(node.value).replace('null_type', 'null') } as StaticType;
      case 'ident':
        return this.#typeOfName(node.name.replace(/^\./, ''), node, variables);
      case 'select':
      case 'has':
        return this.#typeOfSelect(node, variables);
      case 'index':
        return this.#typeOfCall(
          node.isOptional ? '_[?_]' : '_[_]',
          node,
          [node.operand, node.key],
          variables,
        );
      case 'call':
        return this.#typeOfFunction(node, variables);
      case 'logical':
        this.#require(bool, node.left, variables);
        this.#require(bool, node.right, variables);
        return bool;
      case 'conditional':
        return this.#typeOfCall('_?_:_', node, [node.condition, node.then, node.otherwise], variables);
      case 'list':
        return listOf(
          this.#joined(
            node.items.map((item) => [item.node, item.isOptional] as const),
            variables,
          ),
        );
      case 'map': {
        const key = this.#joined(
          node.entries.map((entry) => [entry.key, false] as const),
          variables,
        );
        const value = this.#joined(
          node.entries.map((entry) => [entry.value, entry.isOptional] as const),
          variables,
        );
        return mapOf(key, value);
      }
      case 'comprehension':
        return this.#typeOfComprehension(node, variables);
      case 'optMap': {
        const target = this.typeOf(node.target, variables);
        const item = this.#freshParam();
        if (!this.#known.assign(target, optionalOf(item)))
          throw noOverload(node, node.isFlat ? 'optFlatMap' : 'optMap', [this.finish(target)]);
        const body = this.typeOf(
          node.body,
          new Map([...variables, [node.variable, this.#known.apply(item, 'keep')]]),
        );
        const result = node.isFlat ? body : optionalOf(body);
        if (node.isFlat && !this.#known.assign(body, optionalOf(this.#freshParam())))
          throw mismatch(node.body, optionalOf(dyn), this.finish(body));
        return this.#known.apply(result, 'keep');
      }
    }
  }

  #freshParam(): StaticType {
    return { kind: 'param', name: `_var${this.#fresh++}` };
  }

  #typeOfName(name: string, node: CelNode, variables: Variables): StaticType {
    const type = variables.get(name);
    if (type !== undefined) return type;
    if (namedTypes.includes(name)) return typeOf(namedType(name));
    throw new CelTypeError(`undeclared reference to '${name}' (in container '')`, node.offset);
  }

  #typeOfSelect(
    node: Extract<CelNode, { readonly kind: 'select' | 'has' }>,
    variables: Variables,
  ): StaticType {
    const name = node.kind === 'select' ? qualifiedName(node) : undefined;
    if (name !== undefined && namedTypes.includes(name)) return typeOf(namedType(name));
    const operand = this.#known.apply(this.typeOf(node.operand, variables), 'keep');
    const target = operand.kind === 'optional_type' ? (operand.params[0] as StaticType) : operand;
    if (target.kind !== 'map' && target.kind !== 'dyn' && target.kind !== 'param') {
      throw new CelTypeError(`type '${formatType(target)}' does not support field selection`, node.offset);
    }
    if (target.kind === 'param') this.#known.assign(dyn, target);
    if (node.kind === 'has') return bool;
    const member = target.kind === 'map' ? (target.params[1] as StaticType) : dyn;
    return operand.kind === 'optional_type' || node.isOptional ? optionalOf(member) : member;
  }

  #typeOfFunction(node: CallNode, variables: Variables): StaticType {
    const { name, target, args } = node;
    const prefix = target === undefined ? undefined : qualifiedName(target);
    if (prefix !== undefined && signatures.has(`${prefix}.${name}`)) {
      return this.#typeOfCall(`${prefix}.${name}`, node, args, variables);
    }
    const operands = target === undefined ? args : [target, ...args];
    if (!signatures.has(name)) {
      for (const operand of operands) this.typeOf(operand, variables);
      throw new CelTypeError(`undeclared reference to '${name}' (in container '')`, node.offset);
    }
    // What format prints may mix types, at any depth.
    if (name === 'format') this.#mixedAllowed++;
    const type = this.#typeOfCall(name, node, operands, variables, target !== undefined);
    if (name === 'format') this.#mixedAllowed--;
    return type;
  }

  #typeOfCall(
    name: string,
    node: CelNode,
    operands: readonly CelNode[],
    variables: Variables,
    isMethod = false,
  ): StaticType {
    const actual = operands.map((operand) => this.typeOf(operand, variables));
    let result: StaticType | undefined;
    for (const signature of signatures.get(name) ?? []) {
      if (signature.isMethod !== isMethod) continue;
      const { args, result: raw } = this.#instantiate(signature);
      if (!this.#known.assignAll(actual, args)) continue;
      const found = this.#known.apply(raw, 'keep');
      if (result === undefined) result = found;
      else if (result.kind !== 'dyn' && !isSameType(result, found)) result = dyn;
    }
    if (result === undefined)
      throw noOverload(
        node,
        name,
        actual.map((type) => this.finish(type)),
        isMethod,
      );
    return result;
  }

  #instantiate({ args, result }: Signature): {
    readonly args: readonly StaticType[];
    readonly result: StaticType;
  } {
    const fresh = new Map<string, StaticType>();
    const renew = (type: StaticType): StaticType => {
      if (type.kind === 'param') {
        const param = fresh.get(type.name) ?? this.#freshParam();
        fresh.set(type.name, param);
        return param;
      }
      return 'params' in type ? { ...type, params: type.params.map(renew) } : type;
    };
    return { args: args.map(renew), result: renew(result) };
  }

  #require(wanted: StaticType, node: CelNode, variables: Variables): void {
    const actual = this.typeOf(node, variables);
    if (!this.#known.assign(actual, wanted)) throw mismatch(node, wanted, this.finish(actual));
  }

  /** The common type of list items or map members, which must all be of it. */
  #joined(
    nodes: readonly (readonly [node: CelNode, isOptional: boolean])[],
    variables: Variables,
  ): StaticType {
    let joined: StaticType | undefined;
    for (const [node, isOptional] of nodes) {
      let type = this.#known.apply(this.typeOf(node, variables), 'keep');
      if (isOptional && type.kind === 'optional_type') type = type.params[0] as StaticType;
      else if (isOptional && type.kind !== 'dyn') throw mismatch(node, optionalOf(type), type);
      if (joined === undefined) joined = type;
      else {
        const isUniform = this.#known.assign(joined, type) && isOpen(joined) === isOpen(type);
        if (!isUniform && this.#mixedAllowed === 0)
          throw mismatch(node, this.finish(joined), this.finish(type));
        joined = isUniform ? moreGeneral(joined, type) : dyn;
      }
    }
    return joined ?? this.#freshParam();
  }

  #typeOfComprehension(node: ComprehensionNode, variables: Variables): StaticType {
    const range = this.#known.apply(this.typeOf(node.range, variables), 'keep');
    const inner = new Map([...variables, [node.variable, this.#itemOf(range, node)]]);
    if (node.predicate !== undefined) this.#require(bool, node.predicate, inner);
    if (node.macro === 'filter') return listOf(inner.get(node.variable) as StaticType);
    if (node.transform !== undefined)
      return this.#known.apply(listOf(this.typeOf(node.transform, inner)), 'keep');
    return bool;
  }

  #itemOf(range: StaticType, node: ComprehensionNode): StaticType {
    if (range.kind === 'list' || range.kind === 'map') return range.params[0] as StaticType;
    if (range.kind === 'param') this.#known.assign(dyn, range);
    else if (range.kind !== 'dyn') {
      throw new CelTypeError(
        `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        node.range.offset,
      );
    }
    return dyn;
  }
}

function isOpen(type: StaticType): boolean {
  return type.kind === 'dyn' || type.kind === 'param';
}

function namedType(name: string): StaticType {
  if (name === 'list') return listOf(dyn);
  if (name === 'map') return mapOf(dyn, dyn);
  if (name === 'type') return typeOf(dyn);
  if (name === 'optional_type') return optionalOf(dyn);
  const kind = name
    .replace('null_type', 'null')
    .replace(/^google\.protobuf\./, '')
    .toLowerCase();
  return { kind } as StaticType;
}

function mismatch(node: CelNode, wanted: StaticType, actual: StaticType): CelTypeError {
  return new CelTypeError(
    `expected type '${formatType(wanted)}' but found '${formatType(actual)}'`,
    node.offset,
  );
}

function noOverload(
  node: CelNode,
  name: string,
  types: readonly StaticType[],
  isMethod = false,
): CelTypeError {
  const texts = types.map(formatType);
  const applied = isMethod ? `${texts[0]}.(${texts.slice(1).join(', ')})` : `(${texts.join(', ')})`;
  return new CelTypeError(`found no matching overload for '${name}' applied to '${applied}'`, node.offset);
}
