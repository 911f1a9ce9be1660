import type { JsonObject } from '../../base/json.ts';
import { CelSyntaxError, type CelNode } from './ast.ts';
import { checkCel, CelTypeError } from './check.ts';
import { formatType } from './checkTypes.ts';
import { evaluate } from './evaluate.ts';
import { parseCel } from './parser.ts';
import { precheckCel } from './precheck.ts';
import { CelError, celOfJson, type CelMap } from './values.ts';

/** An expression as Flux compiles it (contract 0.8), ready to be evaluated. */
export interface CelExpression {
  readonly text: string;
  readonly node: CelNode;
}

/** Why a text is no expression; `offset` is where, in UTF-16 units. */
export interface CelFault {
  readonly message: string;
  readonly offset: number;
}

export type Compiled<T> = { readonly compiled: T } | { readonly fault: CelFault };

/** Compiles an expression without types: its variables are whatever top-level fields the object has. */
export function compileUntyped(text: string): Compiled<CelExpression> {
  return compile(text, () => undefined);
}

/** Compiles an expression on the named variables, each an object; its result must be known to be a bool. */
export function compileTyped(text: string, variables: readonly string[]): Compiled<CelExpression> {
  return compile(text, (node) => {
    const type = checkCel(node, variables);
    if (type.kind === 'bool') return undefined;
    return `CEL expression output type mismatch: expected bool, got ${formatType(type)}`;
  });
}

/** What a bool expression says of the variables, or the error that its evaluation ended with, in Flux's words. */
export function evaluateBoolean(
  expression: CelExpression,
  variables: JsonObject,
): { readonly value: boolean } | { readonly error: string } {
  const values = celOfJson(variables) as CelMap;
  try {
    const value = evaluate(expression.node, { lookup: (name) => values.get(name) });
    if (typeof value === 'boolean') return { value };
    return { error: `failed to evaluate CEL expression as boolean: '${expression.text}'` };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { error: `failed to evaluate the CEL expression '${expression.text}': ${error.message}` };
  }
}

function compile(text: string, check: (node: CelNode) => string | undefined): Compiled<CelExpression> {
  try {
    const node = parseCel(text);
    const refusal = check(node);
    if (refusal !== undefined) return { fault: { message: refusal, offset: 0 } };
    precheckCel(node);
    return { compiled: { text, node } };
  } catch (error) {
    if (!(error instanceof CelSyntaxError || error instanceof CelTypeError)) throw error;
    const message = `failed to parse the CEL expression '${text}': ${error.message}`;
    return { fault: { message, offset: error.offset } };
  }
}
