import { CelSyntaxError, qualifiedName, type CelNode } from './ast.ts';
import { conversionNames } from './conversions.ts';
import { compilePattern, functions } from './functions.ts';
import { evaluate } from './evaluate.ts';
import { CelError, CelUint, type CelValue } from './values.ts';

/**
 * Finds what cel-go refuses when it makes a program of a parsed expression: calls with a wrong number of arguments,
 * conversions of literals that cannot succeed, malformed regular expressions. Throws CelSyntaxError.
 */
export function precheckCel(node: CelNode): void {
  for (const part of partsOf(node)) precheckCel(part);
  if (node.kind === 'index') requireKey(node.key);
  if (node.kind === 'map' && isConstant(node)) requireHashable(node.entries.map(({ key }) => key));
  if (node.kind !== 'call') return;
  const prefix = node.target === undefined ? undefined : qualifiedName(node.target);
  const qualified = prefix === undefined ? undefined : functions.get(`${prefix}.${node.name}`);
  const operands =
    qualified !== undefined || node.target === undefined ? node.args : [node.target, ...node.args];
  const called = qualified ?? functions.get(node.name);
  if (called === undefined) {
    if (operands.length > 0) return;
    throw new CelSyntaxError(`no such overload: ${node.name}()`, node.offset);
  }
  const isLate = called.arities.length > 1 || lateFunctions.has(node.name);
  if (!isLate && !called.arities.includes(operands.length)) {
    throw new CelSyntaxError(`no such overload: ${node.name}(${operands.length} arguments)`, node.offset);
  }
  const second = operands[1];
  try {
    if (isConstant(node)) constantValue(node);
    if (node.name === 'matches' && second?.kind === 'literal' && typeof second.value === 'string') {
      compilePattern(second.value);
    }
  } catch (error) {
    if (error instanceof CelError) throw new CelSyntaxError(error.message, node.offset);
    throw error;
  }
}

/** Functions whose number of arguments cel-go looks at when it calls them; so too where several numbers are right. */
const lateFunctions = new Set([...conversionNames, 'optional.none', 'format']);

/** A constant that can be no key of a list or map is refused ahead. */
function requireKey(key: CelNode): void {
  if (!isConstant(key)) return;
  const value = constantValue(key);
  const isKey = ['string', 'bigint', 'number', 'boolean'].includes(typeof value) || value instanceof CelUint;
  if (!isKey) throw new CelSyntaxError('invalid qualifier type', key.offset);
}

function requireHashable(keys: readonly CelNode[]): void {
  const wrong = keys.find((key) => constantValue(key) instanceof Uint8Array);
  if (wrong !== undefined) throw new CelSyntaxError('unsupported key type', wrong.offset);
}

/** What cel-go turns into a value ahead: literals, lists and maps of constants, conversions of them. */
function isConstant(node: CelNode): boolean {
  if (node.kind === 'list' || node.kind === 'map') return partsOf(node).every(isConstant);
  if (node.kind !== 'call') return node.kind === 'literal';
  const [only] = node.args;
  const isConversion = conversionNames.includes(node.name) || ['dyn', 'type'].includes(node.name);
  return isConversion && node.target === undefined && node.args.length === 1 && isConstant(only as CelNode);
}

function constantValue(node: CelNode): CelValue {
  return evaluate(node, { lookup: () => undefined });
}

function partsOf(node: CelNode): readonly CelNode[] {
  switch (node.kind) {
    case 'literal':
    case 'ident':
      return [];
    case 'select':
    case 'has':
      return [node.operand];
    case 'index':
      return [node.operand, node.key];
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case 'logical':
      return [node.left, node.right];
    case 'conditional':
      return [node.condition, node.then, node.otherwise];
    case 'list':
      return node.items.map((item) => item.node);
    case 'map':
      return node.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'comprehension':
      return [node.range, node.predicate, node.transform].filter((part) => part !== undefined);
    case 'optMap':
      return [node.target, node.body];
  }
}
