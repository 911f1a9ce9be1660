import { isJsonObject } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import type { GitRepository } from '../../flux/api/source.gen.ts';
import type { Artifact } from '../../flux/artifact.ts';
import { formatRef, type KubeObject, refOf } from '../../kube/object.ts';
import { gitRemoteOf } from './gitAuth.ts';
import { checkoutFiles } from './gitCheckout.ts';
import { resolveIncludes, withIncludes } from './gitIncludes.ts';
import type { SourceContext } from './sourceContext.ts';

/**
 * The files of the artifact that the source's status names, from memory or fetched again; undefined when it has none.
 * Writes nothing to the cluster. Throws ArtifactFailed for what Plumb cannot fetch itself.
 */
export async function readArtifact(ctx: SourceContext, source: KubeObject): Promise<Artifact | undefined> {
  const recorded = recordedArtifact(source);
  if (recorded === undefined) return undefined;
  const stored = ctx.artifacts.get(refOf(source));
  if (stored?.revision === recorded.revision) return stored;
  if (source.kind !== 'GitRepository') {
    throw plumbError('ArtifactFailed', {
      subject: formatRef(refOf(source)),
      message: `artifacts of a ${source.kind} are not fetched by Plumb yet`,
      hint: 'open the folder the artifact is made from, or use a GitRepository',
    });
  }
  return fetchRevision(
    ctx,
    source as unknown as GitRepository & KubeObject,
    recorded.revision,
    recorded.digest,
  );
}

async function fetchRevision(
  ctx: SourceContext,
  source: GitRepository & KubeObject,
  revision: string,
  digest: string,
): Promise<Artifact> {
  const { spec } = source;
  if (spec.verify !== undefined) {
    throw plumbError('ArtifactFailed', {
      subject: formatRef(refOf(source)),
      message: 'spec.verify is not supported by Plumb yet, and nothing unverified is taken in its place',
    });
  }
  const commit = /sha(?:1|256):([0-9a-f]+)$/.exec(revision)?.[1];
  if (commit === undefined) {
    throw plumbError('ArtifactFailed', {
      subject: formatRef(refOf(source)),
      message: `status.artifact.revision ${revision} names no commit`,
    });
  }
  const includes = await resolveIncludes(ctx, source);
  if ('type' in includes)
    throw plumbError('ArtifactFailed', {
      subject: formatRef(refOf(source)),
      message: 'an included repository has no artifact yet',
    });
  const remote = await gitRemoteOf(ctx, source);
  const fetched = await ctx.git.fetch(remote, { type: 'commit', commit }, ctx.signal);
  const files = await checkoutFiles(ctx.git, remote, fetched, {
    ...(spec.ignore !== undefined && { ignore: spec.ignore }),
    ...(spec.sparseCheckout !== undefined && { sparseCheckout: spec.sparseCheckout }),
    recurseSubmodules: spec.recurseSubmodules === true,
    signal: ctx.signal,
  });
  return { revision, digest, files: withIncludes(files, includes) };
}

function recordedArtifact(
  source: KubeObject,
): { readonly revision: string; readonly digest: string } | undefined {
  const status = source['status'];
  const artifact = isJsonObject(status) ? status['artifact'] : undefined;
  if (!isJsonObject(artifact)) return undefined;
  const { revision, digest } = artifact;
  return typeof revision === 'string'
    ? { revision, digest: typeof digest === 'string' ? digest : '' }
    : undefined;
}
