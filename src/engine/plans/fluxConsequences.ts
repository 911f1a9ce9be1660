import { deletesObjects } from '../../controllers/kustomize/finalize.ts';
import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import type { KubeObject } from '../../kube/object.ts';
import { inventoryEntriesOf } from '../tree/clusterSides.ts';

/** What goes with a Flux object that is pruned, or stays behind without an owner: what it applied. */
export function fluxConsequences(live: KubeObject): readonly string[] {
  if (!/^(kustomize|helm)\.toolkit\.fluxcd\.io\//.test(live.apiVersion)) return [];
  const count = inventoryEntriesOf(live).length;
  if (count === 0) return [];
  const objects = count === 1 ? 'object' : 'objects';
  const why = orphansBecause(live);
  return why === undefined
    ? [`the ${count} ${objects} it applied`]
    : [`nothing of its own, but it orphans ${count} ${objects}: ${why}`];
}

/** Why its objects are left behind; undefined when they are deleted with it. */
function orphansBecause(live: KubeObject): string | undefined {
  const { suspend, deletionPolicy } = (live as unknown as Kustomization).spec;
  if (suspend === true) return 'it is suspended';
  if (live.kind !== 'Kustomization' || deletesObjects(live as unknown as Kustomization)) return undefined;
  return deletionPolicy === 'Orphan' ? 'spec.deletionPolicy is Orphan' : 'spec.prune is off';
}
