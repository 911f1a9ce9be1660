import { plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { StatusResult } from '../../kube/kstatus.ts';
import type { KubeObject } from '../../kube/object.ts';

/** Health by the expressions of spec.healthCheckExprs; undefined for kinds that have none. */
export interface HealthExprs {
  readonly statusOf: (object: KubeObject) => StatusResult | undefined;
}

/** Throws InvalidCELExpression for an expression that is none. */
export function compileHealthExprs(kustomization: Kustomization): HealthExprs {
  if ((kustomization.spec.healthCheckExprs ?? []).length === 0) return { statusOf: () => undefined };
  throw plumbError('InvalidCELExpression', {
    message: 'spec.healthCheckExprs is not supported by Plumb yet',
    hint: 'use spec.wait or spec.healthChecks meanwhile',
  });
}
