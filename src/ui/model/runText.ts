import { formatRef } from '../../kube/object.ts';
import type { RunView } from '../../protocol/views.ts';

/** One line for how a run ended: what changed when it went well, why not when it did not. */
export function runText(run: RunView): string {
  const name = formatRef(run.ref);
  if (!run.ready) return `${name}: ${run.reason}: ${run.message}`;
  return `${name}: ${run.reason}, ${changedObjects(run)} changed in ${(run.elapsedMs / 1000).toFixed(1)} s`;
}

/** What the user should know about a run that went well; undefined when there is nothing. */
export function runWarning(run: RunView): string | undefined {
  const { warnings = [] } = run;
  if (warnings.length === 0) return undefined;
  const heading = warnings.length === 1 ? 'with a warning' : `with ${warnings.length} warnings`;
  return `${runText(run)}, ${heading}: ${warnings.join('; ')}`;
}

/** How many objects a run wrote or deleted. */
export function changedObjects({ changeSet }: RunView): number {
  return changeSet.filter(({ action }) => action !== 'unchanged' && action !== 'skipped').length;
}
