import type { BuiltKustomization } from '../../controllers/kustomize/buildDesired.ts';
import { formatRef, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { StaleObject } from '../../ssa/previewPrune.ts';

/** The end of a generated name: a hash of the values. */
const generatedName = /-[a-z0-9]{10}$/;

/** Secrets generated from files that cannot be decrypted here: their true names are not known. */
export function unknownSecrets({ unreadable }: BuiltKustomization): readonly ObjectRef[] {
  if (unreadable.every(({ ref }) => ref !== undefined)) return [];
  return unreadable.flatMap(({ ref }) =>
    ref?.kind === 'Secret' && generatedName.test(ref.name) ? [ref] : [],
  );
}

/** The build without the Secrets whose true names are not known. */
export function withoutUnknown(built: BuiltKustomization): BuiltKustomization {
  const unknown = new Set(unknownSecrets(built).map(refKey));
  if (unknown.size === 0) return built;
  return { ...built, objects: built.objects.filter(({ object }) => !unknown.has(refKey(refOf(object)))) };
}

/** The stale objects without those that may be such a Secret under its true name: they are no news. */
export function trulyStale(
  stale: readonly StaleObject[],
  unknown: readonly ObjectRef[],
): readonly StaleObject[] {
  const family = ({ kind, namespace = '', name }: ObjectRef): string =>
    `${kind}/${namespace}/${name.replace(generatedName, '')}`;
  const families = new Set(unknown.map(family));
  return stale.filter(({ ref }) => !families.has(family(ref)));
}

/** What the user should know about keys before believing a plan. */
export function decryptionWarnings({ unreadable, own }: BuiltKustomization): readonly string[] {
  return [
    ...unreadable.map(
      ({ ref, path, reason }) =>
        `${ref === undefined ? path : formatRef(ref)} cannot be decrypted here, so its values are not compared: ${reason}`,
    ),
    ...own.neededLogins.map(
      (cloud) =>
        `keys of ${cloud} are opened with the workload identity of the controllers; allow your own login there with --own-cloud-login, or the setting plumb.useOwnCloudLogin`,
    ),
    ...own.usedLogins.map(
      (cloud) =>
        `decrypted with your own login at ${cloud}, in place of the workload identity of the controllers`,
    ),
    ...(own.usedKeys
      ? [
          'decrypted with your own keys: those that spec.decryption names do not fit, so the controllers would fail',
        ]
      : []),
  ];
}
