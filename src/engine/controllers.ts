import { plumbError } from '../base/plumbError.ts';
import { reconcileGitRepository } from '../controllers/source/gitRepository.ts';
import { reconcileKustomization } from '../controllers/kustomize/reconcileKustomization.ts';
import type { ControllerProfile } from '../flux/controllerProfile.ts';
import { formatRef, type ObjectRef } from '../kube/object.ts';
import type { RunOutcome } from '../ssa/runOutcome.ts';
import type { RunContexts } from './localRuns.ts';
import type { LocalRun } from './localReconciler.ts';

export interface ControllerRun {
  readonly contexts: RunContexts;
  readonly profile: ControllerProfile;
  readonly signal: AbortSignal;
  readonly running?: LocalRun;
  /** Somebody waits for the run. */
  readonly isRequested: boolean;
}

type Controller = (run: ControllerRun, ref: ObjectRef) => Promise<RunOutcome>;

/** The kinds this engine is the controller of. */
const controllers: Readonly<Record<string, Controller>> = {
  'source.toolkit.fluxcd.io/GitRepository': ({ contexts, profile, signal, running }, ref) =>
    reconcileGitRepository(contexts.source(signal, ref, running, profile), ref),
  'kustomize.toolkit.fluxcd.io/Kustomization': ({ contexts, profile, signal, running, isRequested }, ref) =>
    reconcileKustomization(contexts.kustomize(signal, ref, profile, running, isRequested), ref),
};

/** Tells whether this engine has a controller for the kind. */
export function isReconciled(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean {
  return controllers[`${ref.group}/${ref.kind}`] !== undefined;
}

/** One run of the object's controller. Throws InvalidConfiguration for a kind there is none for. */
export function runController(run: ControllerRun, ref: ObjectRef): Promise<RunOutcome> {
  const controller = controllers[`${ref.group}/${ref.kind}`];
  if (controller !== undefined) return controller(run, ref);
  throw plumbError('InvalidConfiguration', {
    subject: formatRef(ref),
    message: `Plumb reconciles ${Object.keys(controllers)
      .map((key) => key.split('/')[1])
      .join(' and ')} objects; a ${ref.kind} needs the Flux controllers`,
  });
}
