import { plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { StatusResult } from '../../kube/kstatus.ts';
import { parseApiVersion, type KubeObject } from '../../kube/object.ts';
import { compileHealthExpressions, type HealthEvaluator } from '../../lib/cel/healthExpressions.ts';

/** Health by the expressions of spec.healthCheckExprs; undefined for kinds that have none. */
export interface HealthExprs {
  readonly statusOf: (object: KubeObject) => StatusResult | undefined;
}

/**
 * Compiles spec.healthCheckExprs; an entry without a kind stands for all kinds of its group that have none of their own.
 * Throws InvalidCELExpression in upstream's words. Follows fluxcd/pkg runtime/cel NewStatusReader.
 */
export function compileHealthExprs(kustomization: Kustomization): HealthExprs {
  const evaluators = new Map<string, HealthEvaluator>();
  for (const [index, entry] of (kustomization.spec.healthCheckExprs ?? []).entries()) {
    const { group } = parseApiVersion(entry.apiVersion);
    const key = groupKind(group, entry.kind ?? '');
    if (evaluators.has(key))
      throw invalid(`duplicate custom health check for GroupKind ${key} at healthchecks[${index}]`);
    const result = compileHealthExpressions(entry);
    if ('fault' in result)
      throw invalid(
        `failed to create custom status evaluator for healthchecks[${index}]: ${result.fault.message}`,
      );
    evaluators.set(key, result.compiled);
  }
  return {
    statusOf(object) {
      const { group } = parseApiVersion(object.apiVersion);
      const evaluate = evaluators.get(groupKind(group, object.kind)) ?? evaluators.get(groupKind(group, ''));
      if (evaluate === undefined) return undefined;
      const { status, error } = evaluate(object);
      return { status, message: error ?? `by spec.healthCheckExprs it is ${status}` };
    },
  };
}

/** As Kubernetes prints it: `Kind.group`. */
function groupKind(group: string, kind: string): string {
  return group === '' ? kind : `${kind}.${group}`;
}

function invalid(message: string): Error {
  return plumbError('InvalidCELExpression', {
    message,
    hint: 'correct spec.healthCheckExprs of the Kustomization',
  });
}
