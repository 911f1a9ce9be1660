import { formatDuration } from '../../base/duration.ts';
import { isJsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { FetchedArtifact } from '../../flux/api/meta.gen.ts';
import { isGateOn } from '../../flux/controllerProfile.ts';
import { retryIntervalOf, sourceOf } from '../../flux/kustomization.ts';
import type { KubeObject } from '../../kube/object.ts';
import { readFluxObject } from './kustomizeContext.ts';
import type { KustomizationRun } from './kustomizationRun.ts';
import type { Ending } from './runEnding.ts';

/** A source as the cluster has it, with the artifact its status names. */
export interface ResolvedSource {
  readonly object: KubeObject;
  readonly artifact: FetchedArtifact;
}

const originRevisionKey = 'org.opencontainers.image.revision';

/** The revision at the origin of an OCI artifact; '' when its maker did not tell. */
export function originRevisionOf(artifact: FetchedArtifact): string {
  return artifact.metadata?.[originRevisionKey] ?? '';
}

/** The source the Kustomization reads, or why there is nothing to read yet (contract 1.2, steps 5 and 6). */
export async function resolveSource(
  run: KustomizationRun,
): Promise<ResolvedSource | { readonly ending: Ending }> {
  const { ctx, object: kustomization } = run;
  const ref = sourceOf(kustomization);
  const name = `${ref.kind}/${ref.namespace}/${ref.name}`;
  const denied = (why: string, hint: string): { ending: Ending } => ({
    ending: {
      type: 'stalled',
      reason: 'AccessDenied',
      message: `can't access '${name}', ${why}`,
      hint,
      isObserved: false,
    },
  });
  if (ctx.profile.noCrossNamespaceRefs && ref.namespace !== kustomization.metadata.namespace)
    return denied(
      'cross-namespace references have been blocked',
      'the controllers run with --no-cross-namespace-refs: put the source into the namespace of the Kustomization',
    );
  if (ref.kind === 'ExternalArtifact' && !isGateOn(ctx.profile, 'ExternalArtifact'))
    return denied(
      'ExternalArtifact feature gate is disabled',
      'enable the feature gate ExternalArtifact in the controllers',
    );
  const answer = await readFluxObject(ctx, ref);
  if (answer.type === 'refused') {
    const { httpStatus, message } = answer.refusal;
    if (httpStatus === 404) {
      const delay = retryIntervalOf(kustomization);
      // Upstream reads sources from its cache, which names the kind where the server names the resource.
      const missing = `${ref.kind}.${ref.group} "${ref.name}" not found`;
      return { ending: { type: 'waiting', reason: 'ArtifactFailed', message: missing, delay } };
    }
    const error = plumbError('ArtifactFailed', {
      message: `unable to get source '${ref.namespace}/${ref.name}': ${message}`,
      ...(httpStatus === 403 && {
        hint: `the right to read ${ref.kind} objects in ${ref.namespace} is needed`,
      }),
    });
    return { ending: { type: 'failed', error, next: 'backoff' } };
  }
  const artifact = artifactOf(answer.value);
  if (artifact !== undefined) return { object: answer.value, artifact };
  const delay = ctx.profile.requeueDependency;
  const message = `Source artifact not found, retrying in ${formatDuration(delay)}`;
  return { ending: { type: 'waiting', reason: 'ArtifactFailed', message, delay } };
}

function artifactOf(source: KubeObject): FetchedArtifact | undefined {
  const status = source['status'];
  const artifact = isJsonObject(status) ? status['artifact'] : undefined;
  return isJsonObject(artifact) ? (artifact as unknown as FetchedArtifact) : undefined;
}
