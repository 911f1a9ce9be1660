import type { JsonObject } from '../../../src/base/json.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { compileTyped, compileUntyped, evaluateBoolean } from '../../../src/lib/cel/celExpression.ts';
import { compileHealthExpressions, type HealthExpressions } from '../../../src/lib/cel/healthExpressions.ts';
import type { OracleAnswer } from '../../oracle/oracle.ts';
import { checkVectors } from '../vectors.ts';
import { knownDifferences } from './knownDifferences.ts';

interface Input {
  readonly expression: string;
  readonly object?: JsonObject;
  readonly variables?: JsonObject;
  readonly health?: HealthExpressions;
}

checkVectors('cel', knownDifferences, (input) => answer(input as unknown as Input), comparable);

function answer({ expression, object = {}, variables, health }: Input): OracleAnswer {
  if (health !== undefined) return healthAnswer(health, object as KubeObject);
  const compiled =
    variables === undefined ? compileUntyped(expression) : compileTyped(expression, Object.keys(variables));
  if ('fault' in compiled) return { error: compiled.fault.message };
  const result = evaluateBoolean(compiled.compiled, variables ?? object);
  return 'value' in result ? { output: result.value } : result;
}

function healthAnswer(health: HealthExpressions, object: KubeObject): OracleAnswer {
  const compiled = compileHealthExpressions({ ...health, current: health.current ?? '' });
  if ('fault' in compiled) return { error: compiled.fault.message };
  const { status, error } = compiled.compiled(object);
  return error === undefined ? { output: status } : { error };
}

/** A text that is no program is refused, in words of our own; an evaluation fails in upstream's words. */
function comparable(given: OracleAnswer | undefined): unknown {
  const { output, error } = given ?? {};
  if (error === undefined) return output;
  return /^failed to evaluate/.test(error) || /as boolean/.test(error) ? error : 'refused before evaluation';
}
