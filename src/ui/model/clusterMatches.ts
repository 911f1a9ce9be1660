import type { ClusterMatch } from '../../protocol/views.ts';
import type { FoundCluster } from './binding.ts';

/** One cluster to choose, with what it has to do with the open folder. */
export interface MatchItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  /** Absent where the cluster does not reconcile the folder: it can be chosen all the same. */
  readonly found?: FoundCluster;
}

/** Clusters that reconcile the folder first, those that could not be asked last. */
export function matchItems(matches: readonly ClusterMatch[]): readonly MatchItem[] {
  const rank = ({ workloads, problem }: ClusterMatch): number =>
    problem !== undefined ? 2 : workloads.length > 0 ? 0 : 1;
  return matches.toSorted((one, other) => rank(one) - rank(other)).map(itemOf);
}

function itemOf({ context, uid, workloads, problem }: ClusterMatch): MatchItem {
  if (problem !== undefined || uid === undefined)
    return { label: context, description: 'could not be asked', detail: problem ?? '' };
  if (workloads.length === 0)
    return {
      label: context,
      description: 'does not reconcile this folder',
      detail: 'no source has one of its remotes',
    };
  const missing = workloads.filter(({ isInFolder }) => !isInFolder);
  // A bootstrap names what begins with everything after its namespace.
  const sync = workloads.find(({ ref }) => ref.name === ref.namespace);
  const path = sync?.path ?? workloads.map((workload) => workload.path).reduce(shorter);
  const count = workloads.length === 1 ? '1 Kustomization' : `${workloads.length} Kustomizations`;
  return {
    label: context,
    description: `reconciles ${path === '' ? 'the whole folder' : path}`,
    detail:
      missing.length === 0
        ? `${count} of this folder`
        : `${count} of this folder, ${missing.length} with a path it does not have: ${missing.map((workload) => workload.path).join(', ')}`,
    found: { uid, path },
  };
}

function shorter(one: string, other: string): string {
  const depth = (path: string): number => (path === '' ? 0 : path.split('/').length);
  return depth(other) < depth(one) || (depth(other) === depth(one) && other < one) ? other : one;
}
