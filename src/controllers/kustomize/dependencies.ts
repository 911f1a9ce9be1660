import { plumbError } from '../../base/plumbError.ts';
import type { FetchedArtifact } from '../../flux/api/meta.gen.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { conditionStatus } from '../../flux/conditions.ts';
import { isGateOn } from '../../flux/controllerProfile.ts';
import { sourceOf } from '../../flux/kustomization.ts';
import { dependenciesOf } from '../../flux/references.ts';
import { refKey } from '../../kube/object.ts';
import { evaluateReadyExpr } from '../../lib/cel/healthExpressions.ts';
import type { KustomizationRun } from './kustomizationRun.ts';

/** The first dependency that is not ready, in upstream's words; undefined when all are. Throws InvalidCELExpression. */
export async function findUnreadyDependency(
  run: KustomizationRun,
  artifact: FetchedArtifact,
): Promise<string | undefined> {
  const { ctx, object: kustomization } = run;
  for (const { ref, readyExpr } of dependenciesOf(kustomization)) {
    const name = `${ref.namespace}/${ref.name}`;
    const answer = await ctx.cluster.get(ref, ctx.signal);
    if (answer.type === 'refused') return `dependency '${name}' not found: ${answer.refusal.message}`;
    const dependency = answer.value as unknown as Kustomization;
    if (readyExpr !== undefined) {
      const unready = judgeReadyExpr(readyExpr, kustomization, dependency, name);
      if (unready !== undefined) return unready;
      if (!isGateOn(ctx.profile, 'AdditiveCELDependencyCheck')) continue;
    }
    if (!isObservedReady(dependency)) return `dependency '${name}' is not ready`;
    const isSameSource = refKey(sourceOf(dependency)) === refKey(sourceOf(kustomization));
    if (isSameSource && dependency.status?.lastAppliedRevision !== artifact.revision)
      return `dependency '${name}' revision is not up to date`;
  }
  return undefined;
}

/** Why the expression does not let the dependency pass; a fault of the expression itself is the user's to mend. */
function judgeReadyExpr(
  readyExpr: string,
  self: Kustomization,
  dep: Kustomization,
  name: string,
): string | undefined {
  const result = evaluateReadyExpr(readyExpr, { self, dep });
  if ('fault' in result) {
    throw plumbError('InvalidCELExpression', {
      message: `terminal error: failed to evaluate dependency ${dep.metadata.name}: ${result.fault.message}`,
      hint: 'correct spec.dependsOn[].readyExpr of the Kustomization',
    });
  }
  if ('error' in result) return result.error;
  return result.value ? undefined : `dependency '${name}' is not ready according to readyExpr eval`;
}

function isObservedReady({ metadata, status }: Kustomization): boolean {
  return (
    metadata.generation === status?.observedGeneration &&
    conditionStatus(status?.conditions ?? [], 'Ready') === 'True'
  );
}
