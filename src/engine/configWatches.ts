import { type ControllerProfile, isGateOn } from '../flux/controllerProfile.ts';
import { matchesLabels, parseLabelSelector } from '../kube/labelSelector.ts';
import type { KubeObject, ObjectRef } from '../kube/object.ts';
import { ensureLabelled } from './inventoryWatches.ts';
import type { WatchStore } from './watchStore.ts';

/** What a Kustomization can read beside its source. */
export const configKinds = ['ConfigMap', 'Secret'].map((kind) => ({ group: '', version: 'v1', kind }));

/**
 * Watches the ConfigMaps and Secrets that ask for it by label, as the controllers do (contract 1.2). Where they may not be listed
 * their readers run at the interval.
 */
export async function watchConfigs(
  store: WatchStore,
  profile: ControllerProfile,
  namespace: string | undefined,
): Promise<void> {
  if (isGateOn(profile, 'DisableConfigWatchers')) return;
  const { watchConfigsLabelSelector } = profile;
  await Promise.all(
    configKinds.map((kind: Omit<ObjectRef, 'name'>) =>
      ensureLabelled(store, kind, watchConfigsLabelSelector, namespace),
    ),
  );
}

/** Tells of an object whether its change makes its readers run. */
export function watchedConfigs(profile: ControllerProfile): (object: KubeObject) => boolean {
  const selector = parseLabelSelector(profile.watchConfigsLabelSelector);
  if (selector === undefined || isGateOn(profile, 'DisableConfigWatchers')) return () => false;
  return ({ metadata }) => matchesLabels(selector, metadata.labels ?? {});
}
