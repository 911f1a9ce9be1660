import { qualifiedName, type CallNode, type CelNode, type ComprehensionNode } from './ast.ts';
import { functions } from './functions.ts';
import { noOverload } from './operators.ts';
import {
  CelDuration,
  CelError,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelType,
  CelUint,
  namedTypes,
  noOptional,
  typeName,
  type CelValue,
} from './values.ts';

/** The variables an expression sees, innermost first. */
export interface Scope {
  lookup(name: string): CelValue | undefined;
}

/** The value of an expression. Throws CelError. Follows cel-go's interpreter without type check. */
export function evaluate(node: CelNode, scope: Scope): CelValue {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'ident':
      return evaluateName(node.name, scope);
    case 'select':
      return evaluateSelect(node.operand, node.field, node.isOptional, scope);
    case 'has':
      return evaluateHas(node.operand, node.field, scope);
    case 'index':
      return evaluateIndex(evaluate(node.operand, scope), node.key, node.isOptional, scope);
    case 'call':
      return evaluateCall(node, scope);
    case 'logical':
      return evaluateLogical(node.operator === '||', node.left, node.right, scope);
    case 'conditional': {
      const condition = evaluate(node.condition, scope);
      if (typeof condition !== 'boolean') throw new CelError(noOverload);
      return evaluate(condition ? node.then : node.otherwise, scope);
    }
    case 'list':
      return node.items.flatMap((item) => {
        const value = evaluate(item.node, scope);
        return item.isOptional ? presentOf(value) : [value];
      });
    case 'map':
      return new CelMap(
        node.entries.flatMap((entry) => {
          const key = evaluate(entry.key, scope);
          const value = evaluate(entry.value, scope);
          return (entry.isOptional ? presentOf(value) : [value]).map((present) => [key, present] as const);
        }),
      );
    case 'comprehension':
      return evaluateComprehension(node, scope);
    case 'optMap': {
      const target = evaluate(node.target, scope);
      if (!(target instanceof CelOptional)) throw new CelError(noOverload);
      if (target.value === undefined) return noOptional;
      const value = evaluate(node.body, withVariable(scope, node.variable, target.value));
      return node.isFlat ? value : new CelOptional(value);
    }
  }
}

/** The scope with one more variable, which hides others of its name. */
export function withVariable(scope: Scope, variable: string, value: CelValue): Scope {
  return { lookup: (name) => (name === variable ? value : scope.lookup(name)) };
}

function presentOf(value: CelValue): CelValue[] {
  if (!(value instanceof CelOptional))
    throw new CelError(`cannot initialize optional list element from non-optional value ${typeName(value)}`);
  return value.value === undefined ? [] : [value.value];
}

function evaluateName(name: string, scope: Scope): CelValue {
  const bare = name.replace(/^\./, '');
  const value = scope.lookup(bare);
  if (value !== undefined) return value;
  if (namedTypes.includes(bare)) return new CelType(bare);
  throw new CelError(`no such attribute(s): ${bare}`);
}

function evaluateSelect(operand: CelNode, field: string, isOptional: boolean, scope: Scope): CelValue {
  const name = qualifiedName(operand);
  if (name !== undefined && isUnknownRoot(operand, scope)) {
    const path = `${name}.${field}`;
    if (namedTypes.includes(path)) return new CelType(path);
    throw new CelError(`no such attribute(s): ${path}`);
  }
  const target = evaluate(operand, scope);
  return target instanceof CelOptional || isOptional
    ? optionalMember(target, field)
    : memberOf(target, field);
}

function isUnknownRoot(node: CelNode, scope: Scope): boolean {
  if (node.kind === 'select') return isUnknownRoot(node.operand, scope);
  return (
    node.kind === 'ident' &&
    scope.lookup(node.name.replace(/^\./, '')) === undefined &&
    !namedTypes.includes(node.name)
  );
}

function memberOf(target: CelValue, key: CelValue): CelValue {
  if (target instanceof CelMap) {
    const member = target.get(key);
    if (member === undefined) throw new CelError(`no such key: ${keyText(key)}`);
    return member;
  }
  if (Array.isArray(target)) return (target as readonly CelValue[])[positionIn(target, key)] as CelValue;
  throw new CelError(`no such key: ${keyText(key)}`);
}

function positionIn(list: readonly unknown[], key: CelValue): number {
  const position = listPosition(key);
  if (position < 0n || position >= BigInt(list.length))
    throw new CelError(`index out of bounds: ${position}`);
  return Number(position);
}

function listPosition(key: CelValue): bigint {
  if (typeof key === 'bigint') return key;
  if (key instanceof CelUint) return key.value;
  if (typeof key === 'number') {
    if (Number.isInteger(key)) return BigInt(key);
    throw new CelError(`unsupported index value ${key} in list`);
  }
  throw new CelError(`unsupported index type '${typeName(key)}' in list`);
}

function keyText(key: CelValue): string {
  return key instanceof CelUint ? String(key.value) : String(key);
}

/** The member as an optional: nothing where it, or the target, is missing. */
function optionalMember(target: CelValue, key: CelValue): CelOptional {
  const value = target instanceof CelOptional ? target.value : target;
  if (value === undefined) return noOptional;
  if (isNoKey(key)) throw new CelError(`invalid qualifier type: ${goTypeName(key)}`);
  if (value instanceof CelMap) return value.has(key) ? new CelOptional(value.get(key)) : noOptional;
  if (Array.isArray(value)) {
    const position = listPosition(key);
    const isInside = position >= 0n && position < BigInt(value.length);
    return isInside ? new CelOptional((value as readonly CelValue[])[Number(position)]) : noOptional;
  }
  if (value instanceof CelType) throw new CelError(`no such key: ${keyText(key)}`);
  return noOptional;
}

/** Only texts, numbers and bools are keys. */
function isNoKey(value: CelValue): boolean {
  return value === null || (typeof value === 'object' && !(value instanceof CelUint));
}

function evaluateIndex(target: CelValue, keyNode: CelNode, isOptional: boolean, scope: Scope): CelValue {
  if (target instanceof CelOptional && target.value === undefined) return noOptional;
  const key = evaluate(keyNode, scope);
  return target instanceof CelOptional || isOptional ? optionalMember(target, key) : memberOf(target, key);
}

function evaluateHas(operand: CelNode, field: string, scope: Scope): boolean {
  const name = qualifiedName(operand);
  if (name !== undefined && isUnknownRoot(operand, scope)) {
    throw new CelError(`no such attribute(s): ${name}.${field}`);
  }
  const target = evaluate(operand, scope);
  return optionalMember(target, field).value !== undefined;
}

/** What decides (false of `&&`, true of `||`) decides from either side; only then does an error count. */
function evaluateLogical(deciding: boolean, left: CelNode, right: CelNode, scope: Scope): boolean {
  const first = attempt(left, scope);
  if (first === deciding) return deciding;
  const second = attempt(right, scope);
  if (second === deciding) return deciding;
  if (first instanceof CelError) throw first;
  if (second instanceof CelError) throw second;
  if (typeof first !== 'boolean' || typeof second !== 'boolean') throw new CelError(noOverload);
  return !deciding;
}

function attempt(node: CelNode, scope: Scope): CelValue | CelError {
  try {
    return evaluate(node, scope);
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}

function evaluateComprehension(node: ComprehensionNode, scope: Scope): CelValue {
  const range = evaluate(node.range, scope);
  const items = itemsOf(range);
  const inner = (item: CelValue): Scope => withVariable(scope, node.variable, item);
  const { macro, predicate, transform } = node;
  if (predicate !== undefined && (macro === 'all' || macro === 'exists')) {
    return anyOrAll(
      macro === 'exists',
      items.map((item) => [predicate, inner(item)] as const),
    );
  }
  const holds = (item: CelValue): boolean =>
    predicate === undefined || isTrue(evaluate(predicate, inner(item)));
  switch (macro) {
    case 'exists_one':
      return items.filter(holds).length === 1;
    case 'filter':
      return items.filter(holds);
    default:
      return items.filter(holds).map((item) => evaluate(transform as CelNode, inner(item)));
  }
}

function itemsOf(range: CelValue): readonly CelValue[] {
  if (Array.isArray(range)) return range as readonly CelValue[];
  if (range instanceof CelMap) return range.keys();
  throw new CelError(`got '${goTypeName(range)}', expected iterable type`);
}

function goTypeName(value: CelValue): string {
  const name = typeName(value).replace('_type', '').replace('google.protobuf.', '');
  const isPointer = value instanceof CelOptional || value instanceof CelType;
  return `${isPointer ? '*' : ''}types.${name[0]?.toUpperCase()}${name.slice(1)}`;
}

function anyOrAll(deciding: boolean, questions: readonly (readonly [CelNode, Scope])[]): boolean {
  let failure: CelError | undefined;
  for (const [predicate, scope] of questions) {
    const answer = attempt(predicate, scope);
    if (answer === deciding) return deciding;
    if (typeof answer !== 'boolean')
      failure ??= answer instanceof CelError ? answer : new CelError(noOverload);
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

function isTrue(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw new CelError(noOverload);
  return value;
}

/** Values that cel-go hands a call it does not know; they refuse it without its name. */
function isReceiver(value: CelValue | undefined): boolean {
  return (
    typeof value === 'string' ||
    value instanceof CelTimestamp ||
    value instanceof CelDuration ||
    value instanceof CelOptional
  );
}

function evaluateCall(node: CallNode, scope: Scope): CelValue {
  const { name, target, args } = node;
  const prefix = target === undefined ? undefined : qualifiedName(target);
  const qualified = prefix === undefined ? undefined : functions.get(`${prefix}.${name}`);
  if (qualified !== undefined) return qualified.invoke(args.map((arg) => evaluate(arg, scope)));
  const first = target === undefined ? [] : [evaluate(target, scope)];
  const [receiver] = first;
  if (receiver !== undefined && (name === 'or' || name === 'orValue') && args.length === 1) {
    // What is no optional is its own value, as in cel-go.
    if (!(receiver instanceof CelOptional)) return receiver;
    if (receiver.value !== undefined) return name === 'or' ? receiver : receiver.value;
    return evaluate(args[0] as CelNode, scope);
  }
  const values = [...first, ...args.map((arg) => evaluate(arg, scope))];
  const known = functions.get(name);
  if (known === undefined) throw new CelError(isReceiver(values[0]) ? noOverload : `${noOverload}: ${name}`);
  return known.invoke(values);
}
