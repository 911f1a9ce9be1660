import { isJsonObject } from '../base/json.ts';
import { getCondition } from '../flux/conditions.ts';
import { dependenciesOf, sourceRefOf } from '../flux/references.ts';
import { conditionsOf } from '../flux/statusPatch.ts';
import { type KubeObject, type ObjectRef, refKey, refOf } from '../kube/object.ts';
import { isSuspended } from './tree/syncState.ts';

/**
 * Tells whether the object waits for something that will not come by itself: a dependency, or one of those, that is not there, is
 * suspended, has failed at the revision of their source, or waits for the object in turn.
 */
export function isStuck(
  object: KubeObject,
  revision: string,
  get: (ref: ObjectRef) => KubeObject | undefined,
  waiting: readonly string[] = [],
): boolean {
  const source = sourceRefOf(object);
  const chain = [...waiting, refKey(refOf(object))];
  return dependenciesOf(object).some(({ ref }) => {
    const dependency = get(ref);
    if (dependency === undefined || chain.includes(refKey(ref))) return true;
    const ready = getCondition(conditionsOf(dependency), 'Ready');
    const read = sourceRefOf(dependency);
    const isOfSource = source !== undefined && read !== undefined && refKey(source) === refKey(read);
    const status = isJsonObject(dependency['status']) ? dependency['status'] : {};
    const isThere = !isOfSource || status['lastAttemptedRevision'] === revision;
    if (ready?.status === 'True' && isThere) return false;
    if (isSuspended(dependency)) return true;
    if (ready?.reason === 'DependencyNotReady') return isStuck(dependency, revision, get, chain);
    return ready?.status === 'False' && isThere;
  });
}
