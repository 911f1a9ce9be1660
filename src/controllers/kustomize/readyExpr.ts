import { plumbError } from '../../base/plumbError.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';

/** What readyExpr says of a dependency. Throws InvalidCELExpression for an expression that is none. */
export function evaluateReadyExpr(
  expression: string,
  _self: Kustomization,
  dependency: Kustomization,
): boolean {
  throw plumbError('InvalidCELExpression', {
    message: `failed to evaluate dependency ${dependency.metadata.name}: readyExpr is not supported by Plumb yet: ${expression}`,
    hint: 'leave readyExpr out: Ready and the applied revision of the dependency are checked then',
  });
}
