import { fieldAt } from '../../kube/statusFields.ts';
import type { KStatus } from '../../kube/kstatus.ts';
import type { KubeObject } from '../../kube/object.ts';
import {
  compileTyped,
  compileUntyped,
  evaluateBoolean,
  type CelExpression,
  type CelFault,
  type Compiled,
} from './celExpression.ts';

/** The expressions of one entry of spec.healthCheckExprs. */
export interface HealthExpressions {
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

/** Gives the status of an object by its health expressions; an error makes it Unknown. */
export type HealthEvaluator = (object: KubeObject) => { readonly status: KStatus; readonly error?: string };

/**
 * Compiles the health expressions of a kind, or tells the field and place of the first fault.
 * The evaluator asks the generation first, then inProgress, failed, current; InProgress when none holds (contract 0.8, 1.10).
 */
export function compileHealthExpressions(
  expressions: HealthExpressions,
): Compiled<HealthEvaluator> | { readonly fault: CelFault; readonly field: keyof HealthExpressions } {
  if (expressions.current === '') {
    return { fault: { message: 'expression Current not specified', offset: 0 }, field: 'current' };
  }
  const compiled = new Map<keyof HealthExpressions, CelExpression>();
  for (const field of ['current', 'failed', 'inProgress'] as const) {
    const text = expressions[field];
    if (text === undefined || text === '') continue;
    const result = compileUntyped(text);
    if ('fault' in result) {
      const name = `${field[0]?.toUpperCase()}${field.slice(1)}`;
      const message = `failed to parse the expression ${name}: ${result.fault.message}`;
      return { fault: { ...result.fault, message }, field };
    }
    compiled.set(field, result.compiled);
  }
  return { compiled: (object) => evaluateHealth(compiled, object) };
}

/**
 * What a dependsOn readyExpr says of the dependent (`self`) and the dependency (`dep`), both whole objects.
 * A fault is one of the expression, an error one of its evaluation.
 */
export function evaluateReadyExpr(
  text: string,
  objects: { readonly self: KubeObject; readonly dep: KubeObject },
): { readonly value: boolean } | { readonly error: string } | { readonly fault: CelFault } {
  const result = compileTyped(text, ['self', 'dep']);
  if ('fault' in result) return result;
  return evaluateBoolean(result.compiled, { self: objects.self, dep: objects.dep });
}

function evaluateHealth(
  compiled: ReadonlyMap<keyof HealthExpressions, CelExpression>,
  object: KubeObject,
): { readonly status: KStatus; readonly error?: string } {
  const generation = fieldAt(object, 'metadata', 'generation');
  const observed = fieldAt(object, 'status', 'observedGeneration');
  if (Number.isInteger(generation) && Number.isInteger(observed) && generation !== observed) {
    return { status: 'InProgress' };
  }
  const order = [
    ['inProgress', 'InProgress'],
    ['failed', 'Failed'],
    ['current', 'Current'],
  ] as const;
  for (const [field, status] of order) {
    const expression = compiled.get(field);
    if (expression === undefined) continue;
    const result = evaluateBoolean(expression, object);
    if ('error' in result) return { status: 'Unknown', error: result.error };
    if (result.value) return { status };
  }
  return { status: 'InProgress' };
}
