import {
  admissionEpochs,
  admissionKinds,
  epochsOf,
  limitRangeKind,
  namespaceKind,
  versionsText,
} from '../../ssa/admissionEpoch.ts';
import type { KubeObject, ObjectRef } from '../../kube/object.ts';
import { refKey, refOf } from '../../kube/object.ts';
import type { PlanOptions } from '../../ssa/applyPolicy.ts';
import type { RunContext } from '../../ssa/runContext.ts';
import { ensureLabelled, isSecretKind, kustomizationLabel } from '../inventoryWatches.ts';
import type { WatchState, WatchStore } from '../watchStore.ts';

type Facts = Required<Pick<PlanOptions, 'watched' | 'epochs'>>;

/**
 * Live objects and admission epochs from the engine's watches, so that a plan with nothing changed asks the server for next to
 * nothing. `refs` are the objects that were applied before. What a watch cannot tell is asked of the server.
 */
export async function planFacts(
  ctx: RunContext,
  store: WatchStore,
  refs: readonly ObjectRef[],
  namespace: string | undefined,
): Promise<Facts> {
  const kinds = new Map(refs.map((ref) => [`${ref.group}/${ref.kind}`, ref]));
  const states = new Map<string, WatchState>();
  await Promise.all(
    [...kinds].map(async ([key, ref]) => {
      // Watched as metadata only: a plan needs the content.
      if (isSecretKind(ref)) return;
      states.set(key, await ensureLabelled(store, ref, kustomizationLabel, namespace));
    }),
  );
  return {
    watched: (desired) => {
      const ref = refOf(desired);
      return states.get(`${ref.group}/${ref.kind}`) === 'synced' ? store.get(ref) : undefined;
    },
    epochs: (namespaces) => watchedEpochs(ctx, store, namespaces),
  };
}

async function watchedEpochs(
  ctx: RunContext,
  store: WatchStore,
  namespaces: readonly string[],
): ReturnType<typeof admissionEpochs> {
  const kinds = [...admissionKinds, namespaceKind, limitRangeKind];
  const [version, states] = await Promise.all([
    ctx.cluster.raw('/version', ctx.signal),
    Promise.all(kinds.map((kind) => store.ensure(kind, { metadataOnly: true }))),
  ]);
  const isKnown = states.every((state) => state === 'synced' || state === 'notServed');
  if (!isKnown || version.type === 'refused') return await admissionEpochs(ctx, namespaces);
  const shared = admissionKinds.map((kind) => versionsText(store.list(kind)));
  const limitRanges = Map.groupBy(store.list(limitRangeKind), ({ metadata }) => metadata.namespace ?? '');
  return epochsOf([String(version.value['gitVersion']), ...shared], namespaces, (name) => [
    versionsText(namespaceNamed(store, name)),
    versionsText(limitRanges.get(name) ?? []),
  ]);
}

function namespaceNamed(store: WatchStore, name: string): readonly KubeObject[] {
  const object = store.get({ group: '', kind: 'Namespace', name });
  return object === undefined ? [] : [object];
}

/** For lookups by `refKey`. */
export function byRefKey(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> {
  return new Map(objects.map((object) => [refKey(refOf(object)), object]));
}
