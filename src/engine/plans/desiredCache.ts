import { type BuiltKustomization, buildDesired } from '../../controllers/kustomize/buildDesired.ts';
import type { DecryptionOptions } from '../../controllers/kustomize/decryption.ts';
import type { KustomizeContext } from '../../controllers/kustomize/kustomizeContext.ts';
import type { FileTree } from '../../base/fileTree.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { Artifact } from '../../flux/artifact.ts';

/** Builds kept with the files they were made from. */
const built = new WeakMap<FileTree, Map<string, BuiltKustomization>>();

/**
 * The build of the Kustomization, the same objects again while neither files, spec nor the controller's policy change. What also
 * depends on the cluster or on remote bases is built anew each time. Throws as buildDesired does.
 */
export async function desiredOf(
  ctx: KustomizeContext,
  kustomization: Kustomization,
  artifact: Artifact,
  options: DecryptionOptions = {},
): Promise<BuiltKustomization> {
  const { metadata, spec } = kustomization;
  const asksCluster = (spec.postBuild?.substituteFrom ?? []).length > 0 || spec.decryption !== undefined;
  if (asksCluster) return await buildDesired(ctx, kustomization, artifact, options);
  const ofTree = built.get(artifact.files) ?? new Map<string, BuiltKustomization>();
  built.set(artifact.files, ofTree);
  const key = JSON.stringify([metadata.namespace, metadata.name, spec, ctx.profile]);
  const known = ofTree.get(key);
  if (known !== undefined) return known;
  let isLocal = true;
  const noticing: KustomizeContext = {
    ...ctx,
    fetchRemotes: (...args) => {
      isLocal = false;
      return ctx.fetchRemotes(...args);
    },
  };
  const made = await buildDesired(noticing, kustomization, artifact);
  if (isLocal) ofTree.set(key, made);
  return made;
}
