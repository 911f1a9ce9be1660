import type { Kustomization } from '../../src/flux/api/kustomize.gen.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import type { SandboxCluster } from './sandboxCluster.ts';

/** Far longer than a controller that starts takes, or the Lease of one that was killed lasts. */
export const leadMs = 300_000;

/** Where the API server serves the Kustomization. */
export function kustomizationPath({ namespace = '', name }: Pick<ObjectRef, 'namespace' | 'name'>): string {
  return `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${name}`;
}

/**
 * Whether the real kustomize-controller has ended a run of the Kustomization as its spec now is. It writes the conditions in
 * one request and the rest of the status, the observed generation too, in a later one: Ready alone says nothing of the rest.
 */
export function isReconciled({ metadata, spec, status }: Kustomization): boolean {
  return (
    spec.suspend !== true &&
    status?.observedGeneration === metadata.generation &&
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
  );
}

/**
 * Waits for that, and for more where the run is asked for by something else than a change of the spec. What `holds` looks at
 * must be of the later request: the revision, the history, the inventory.
 */
export async function untilReconciled(
  sandbox: SandboxCluster,
  ref: Pick<ObjectRef, 'namespace' | 'name'>,
  holds: (status: NonNullable<Kustomization['status']>) => boolean = () => true,
): Promise<void> {
  await sandbox.waitFor(kustomizationPath(ref), (object) => {
    const kustomization = object as unknown as Kustomization;
    const { status } = kustomization;
    return status !== undefined && isReconciled(kustomization) && holds(status);
  });
}
