import type { Range } from '../../base/position.ts';
import { isPlumbError } from '../../base/plumbError.ts';
import { formatRef, type KubeObject, type ObjectRef, refOf } from '../../kube/object.ts';
import type { DriftMark, DriftView } from '../../protocol/views.ts';
import type { Change } from '../../ssa/plan.ts';
import type { EngineCore } from '../engineCore.ts';
import type { WorkloadPlan } from '../plans/planWorkload.ts';
import { changeView } from '../plans/planView.ts';
import { treePathOf } from '../workspace/workspace.ts';

export interface DriftRequest {
  readonly core: EngineCore;
  readonly uri: string;
  /** Workloads of the cluster that may be built from open folders. */
  readonly workloads: readonly KubeObject[];
  /** Plans one of them from the folder with unsaved documents. */
  readonly plan: (ref: ObjectRef) => Promise<WorkloadPlan>;
}

/**
 * What of the document differs from the cluster: a mark on each line that set a differing field, and the objects that are on one
 * side only. Workloads no folder stands in for say nothing; one that cannot be planned says why.
 */
export async function driftOf({ core, uri, workloads, plan }: DriftRequest): Promise<DriftView> {
  const version = core.workspace.document(uri)?.version ?? 0;
  const marks: DriftMark[] = [];
  const onlyInGit: { ref: ObjectRef; workload: ObjectRef; range: Range }[] = [];
  const onlyInCluster: { ref: ObjectRef; workload: ObjectRef }[] = [];
  const messages: string[] = [];
  for (const object of workloads) {
    const workload = refOf(object);
    try {
      const planned = await plan(workload);
      const path = planned.folder === undefined ? undefined : treePathOf(planned.folder, uri);
      if (path === undefined) continue;
      for (const { path: file, reason } of planned.unreadable)
        if (file === path) messages.push(`not compared, because it cannot be decrypted here: ${reason}`);
      const changes = planned.plan.changes.filter(({ origins }) => touches(origins, path));
      for (const change of changes) {
        marks.push(...marksOf(change, workload, path, planned.folder));
        const origin = change.origins.at('');
        if (change.action === 'created' && origin?.path === path)
          onlyInGit.push({ ref: change.ref, workload, range: origin.range });
      }
      if (isWorkloadsFile(planned, path))
        onlyInCluster.push(
          ...planned.stale
            .filter(({ verdict }) => verdict.type === 'delete')
            .map(({ ref }) => ({ ref, workload })),
        );
    } catch (error) {
      if (isPlumbError(error, 'Cancelled')) throw error;
      // No folder stands in for its source: the document is none of this workload's.
      if (!isPlumbError(error, 'NotFound'))
        messages.push(error instanceof Error ? error.message : `${formatRef(workload)}: ${String(error)}`);
    }
  }
  return {
    uri,
    version,
    marks,
    onlyInCluster,
    onlyInGit,
    ...(messages.length > 0 && { message: messages.join('; ') }),
  };
}

function marksOf(
  change: Change,
  workload: ObjectRef,
  path: string,
  folder: string | undefined,
): readonly DriftMark[] {
  if (change.action !== 'configured' && change.action !== 'recreated') return [];
  return changeView(change, folder).fields.flatMap((field) =>
    field.location?.path === path
      ? [{ ref: change.ref, workload, field, path, range: field.location.range }]
      : [],
  );
}

function touches(origins: Change['origins'], path: string): boolean {
  if (origins.at('')?.path === path) return true;
  for (const [, origin] of origins.entries()) if (origin.path === path) return true;
  return false;
}

/** Objects only in the cluster have no line of their own: they are told in the kustomization file of the workload's folder. */
function isWorkloadsFile(planned: WorkloadPlan, path: string): boolean {
  const folder = (planned.kustomization.spec.path ?? '').replace(/^\.?\/+|\/+$/g, '');
  return ['kustomization.yaml', 'kustomization.yml', 'Kustomization'].some(
    (name) => path === (folder === '' ? name : `${folder}/${name}`),
  );
}
