import type { Kustomization } from '../../flux/api/kustomize.gen.ts';
import { inventoryOf } from '../../flux/kustomization.ts';
import { kustomizeGroup } from '../../flux/ownership.ts';
import { formatRef, type KubeObject, type ObjectRef, refKey, refOf } from '../../kube/object.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import type { WatchStore } from '../watchStore.ts';

const kustomizationKind = { group: kustomizeGroup, version: 'v1', kind: 'Kustomization' };
/** Objects named one by one; of more only the number is told. */
const shownObjects = 3;

/**
 * Objects that another Kustomization applies too, told with both names: each would overwrite the other at every interval, and
 * upstream says nothing. From the recorded inventories, so it is known before anything is applied. Read-only; where the
 * Kustomizations may not be listed nothing is told.
 */
export async function otherClaims(
  ctx: RunContext,
  kustomization: Kustomization,
  wanted: readonly ObjectRef[],
  store: WatchStore | undefined,
): Promise<readonly string[]> {
  const self = refOf(kustomization);
  const keys = new Map(wanted.map((ref) => [refKey(ref), ref]));
  return (await everyKustomization(ctx, store)).flatMap((other) => {
    if (refKey(refOf(other)) === refKey(self) || !isOnSameCluster(kustomization, other)) return [];
    const both = [...claimsOf(other)].flatMap((key) => keys.get(key) ?? []);
    if (both.length === 0) return [];
    const named = both.slice(0, shownObjects).map(formatRef).join(', ');
    const more = both.length > shownObjects ? ` and ${both.length - shownObjects} more` : '';
    return [
      `${formatRef(refOf(other))} applies ${named}${more} too: it and ${formatRef(self)} would overwrite each other; keep the files in one of them`,
    ];
  });
}

async function everyKustomization(
  ctx: RunContext,
  store: WatchStore | undefined,
): Promise<readonly KubeObject[]> {
  const watched = store?.list(kustomizationKind) ?? [];
  if (watched.length > 0) return watched;
  const listed = await ctx.cluster.list(kustomizationKind, {}, ctx.signal);
  return listed.type === 'ok' ? listed.value : [];
}

const claims = new WeakMap<KubeObject, ReadonlySet<string>>();

/** What the Kustomization has recorded as applied, by `refKey`. Objects are never mutated. */
function claimsOf(object: KubeObject): ReadonlySet<string> {
  const known = claims.get(object);
  if (known !== undefined) return known;
  const found = new Set(inventoryOf(object as unknown as Kustomization).map(refKey));
  claims.set(object, found);
  return found;
}

function isOnSameCluster(kustomization: Kustomization, other: KubeObject): boolean {
  const { kubeConfig } = (other as unknown as Kustomization).spec;
  return JSON.stringify(kubeConfig) === JSON.stringify(kustomization.spec.kubeConfig);
}
