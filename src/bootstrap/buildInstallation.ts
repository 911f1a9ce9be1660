import { formatDiagnostic } from '../base/diagnostic.ts';
import { plumbError } from '../base/plumbError.ts';
import { type KubeObject, refKey, refOf } from '../kube/object.ts';
import { buildKustomization } from '../lib/kustomize/buildKustomization.ts';
import type { BootstrapTarget } from './bootstrapTarget.ts';
import type { CommitsPlan } from './planCommits.ts';
import type { RepositoryState } from './repository.ts';
import { componentsFile, syncFile, syncRefs } from './syncManifests.ts';

/** What is applied before the sync exists, and the sync itself. */
export interface Installation {
  readonly components: readonly KubeObject[];
  readonly sync: readonly KubeObject[];
}

/**
 * Builds the folder of the Flux manifests as it will be in Git, so that patches in its kustomization.yaml count from the first
 * apply on: what a controller in the cluster would make of it. Contract 7.2, steps 3 and 6. A file that the kustomization does
 * not list is applied as it is. Throws BuildFailed naming file and line.
 */
export function buildInstallation(
  target: BootstrapTarget,
  repository: RepositoryState,
  commits: CommitsPlan,
  sync: readonly KubeObject[],
): Installation {
  const planned = [commits.components, commits.sync].flatMap((commit) => [...(commit?.files ?? [])]);
  const { objects, diagnostics, needs } = buildKustomization(
    planned.reduce((tree, [path, content]) => tree.with(path, content), repository.tree),
    target.folder,
  );
  const problem = diagnostics.find(({ severity }) => severity === 'error');
  if (problem !== undefined || needs.length > 0)
    throw plumbError('BuildFailed', {
      subject: target.folder,
      message:
        problem === undefined
          ? 'its kustomization reads from another repository or a URL, which bootstrap does not fetch'
          : formatDiagnostic(problem),
      hint: 'correct it in the repository and push, or remove kustomization.yaml so that it is made anew',
    });
  const built = objects.map(({ object }) => object);
  const refs = syncRefs(target.request.namespace);
  const syncKeys = new Set([refKey(refs.source), refKey(refs.kustomization)]);
  const isSync = (object: KubeObject): boolean => syncKeys.has(refKey(refOf(object)));
  const isListed = (file: string): boolean => !commits.unlisted.includes(file);
  const components = built.filter((object) => !isSync(object));
  return {
    components: isListed(componentsFile) ? components : [...commits.installation, ...components],
    sync: isListed(syncFile) ? built.filter(isSync) : sync,
  };
}
