import type { FetchedArtifact } from '../../flux/api/meta.gen.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { conditionStatus } from '../../flux/conditions.ts';
import { isGateOn } from '../../flux/controllerProfile.ts';
import { dependenciesOf, sourceRefOf } from '../../flux/kustomization.ts';
import { refKey } from '../../kube/object.ts';
import type { KustomizationRun } from './kustomizationRun.ts';
import { evaluateReadyExpr } from './readyExpr.ts';

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
      if (!evaluateReadyExpr(readyExpr, kustomization, dependency))
        return `dependency '${name}' is not ready according to readyExpr eval`;
      if (!isGateOn(ctx.profile, 'AdditiveCELDependencyCheck')) continue;
    }
    if (!isObservedReady(dependency)) return `dependency '${name}' is not ready`;
    const isSameSource = refKey(sourceRefOf(dependency)) === refKey(sourceRefOf(kustomization));
    if (isSameSource && dependency.status?.lastAppliedRevision !== artifact.revision)
      return `dependency '${name}' revision is not up to date`;
  }
  return undefined;
}

function isObservedReady({ metadata, status }: Kustomization): boolean {
  return (
    metadata.generation === status?.observedGeneration &&
    conditionStatus(status?.conditions ?? [], 'Ready') === 'True'
  );
}
