import { formatRef } from '../../kube/object.ts';
import type { Action, ChangeSet } from '../../ssa/plan.ts';

/** What an apply changed, a line each, as its event says it: `Deployment/web/app configured`. '' when nothing did. */
export function changeLines(changeSet: ChangeSet): string {
  return changeSet
    .filter(({ action }) => action !== 'unchanged' && action !== 'skipped')
    .map(({ ref, action }) => `${formatRef(ref)} ${wordOf(action)}`)
    .join('\n');
}

/** Everything of a change set, a line each, as the event of a prune says it. */
export function allLines(changeSet: ChangeSet): string {
  return changeSet.map(({ ref, action }) => `${formatRef(ref)} ${wordOf(action)}`).join('\n');
}

/** Upstream calls an object that it deleted and made anew created. */
function wordOf(action: Action): string {
  return action === 'recreated' ? 'created' : action;
}
