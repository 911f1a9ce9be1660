import type { KustomizeContext } from '../controllers/kustomize/kustomizeContext.ts';
import { loadVariables } from '../controllers/kustomize/substitution.ts';
import type { Kustomization } from '../flux/api/kustomize.gen.ts';
import { isGateOn } from '../flux/controllerProfile.ts';
import type { FolderBuild, FolderQuery } from '../protocol/engine.ts';
import { buildFluxFolder } from './localFluxBuild.ts';

/** Builds a folder with the spec of a Kustomization of the cluster and the variables that the spec names there. */
export async function buildFolderFor(
  ctx: KustomizeContext,
  kustomization: Kustomization,
  { folder, format, remoteBases, isStrict }: FolderQuery,
): Promise<FolderBuild> {
  const { signal, profile } = ctx;
  const variables =
    kustomization.spec.postBuild === undefined ? new Map() : await loadVariables(ctx, kustomization);
  const { text, fields, diagnostics } = await buildFluxFolder(
    { kustomization },
    {
      folder,
      variables,
      isStrict: isStrict ?? isGateOn(profile, 'StrictPostBuildSubstitutions'),
      format,
      remoteBases: profile.noRemoteBases ? 'refused' : remoteBases,
      signal,
    },
  );
  return { text, fields: [...fields()], diagnostics };
}
