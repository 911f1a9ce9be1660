import { mapLimit } from '../base/mapLimit.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../kube/object.ts';
import type { Live } from './applyPolicy.ts';
import { callLimit } from './callLimit.ts';
import { ownerLabels, type Owner } from './owner.ts';
import type { RunContext } from './runContext.ts';

/** From this many objects of a kind in a namespace on, one list is cheaper than a read of each. */
const listFrom = 4;

/**
 * The live objects by `refKey`. Many of one kind are listed by their owner's labels; what is not among them is read alone,
 * as is everything where listing is refused. What is absent or cannot be read says so.
 */
export async function readLiveObjects(
  ctx: RunContext,
  refs: readonly ObjectRef[],
  owner: Owner,
): Promise<ReadonlyMap<string, Live>> {
  const groups = Map.groupBy(refs, (ref) => `${ref.group}/${ref.version}/${ref.kind}/${ref.namespace ?? ''}`);
  const found = new Map<string, Live>();
  const selector = Object.entries(ownerLabels(owner))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const listed = selector === '' ? [] : [...groups.values()].filter(({ length }) => length >= listFrom);
  await mapLimit(listed, callLimit, async (group) => {
    for (const object of await listOwned(ctx, group[0] as ObjectRef, selector))
      found.set(refKey(refOf(object)), { type: 'present', object });
  });
  const missing = refs.filter((ref) => !found.has(refKey(ref)));
  await mapLimit(missing, callLimit, async (ref) => {
    found.set(refKey(ref), liveOf(await ctx.cluster.get(ref, ctx.signal)));
  });
  return found;
}

/** What the answer to a read says. A kind that is not served has no objects. */
export function liveOf(answer: Answer): Live {
  if (answer.type === 'ok') return { type: 'present', object: answer.value };
  return answer.refusal.httpStatus === 404
    ? { type: 'absent' }
    : { type: 'unreadable', refusal: answer.refusal };
}

async function listOwned(
  ctx: RunContext,
  { namespace, ...kind }: ObjectRef,
  labelSelector: string,
): Promise<readonly KubeObject[]> {
  const answer = await ctx.cluster.list(
    kind,
    { labelSelector, ...(namespace !== undefined && { namespace }) },
    ctx.signal,
  );
  return answer.type === 'ok' ? answer.value : [];
}
