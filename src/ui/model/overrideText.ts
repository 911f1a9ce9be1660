import { formatRef } from '../../kube/object.ts';
import type { OverridePlan, SuspendedBy } from '../../protocol/views.ts';
import type { Confirmation } from './planText.ts';

/** The question before an override, with a second way to say yes where there is something below the object. */
export interface OverrideConfirmation extends Confirmation {
  readonly withDescendants?: string;
}

/** It names the cluster, the folder, whoever suspended an object before, and the Kustomizations below it. */
export function overrideConfirmation(plan: OverridePlan): OverrideConfirmation {
  const { ref, cluster, folder, suspendedBy, descendants, warnings } = plan;
  const names = descendants.map((descendant) => formatRef(descendant.ref)).join(', ');
  return {
    message: `Apply ${folder} as ${formatRef(ref)} in ${cluster}, in place of its controller?`,
    detail: [
      ...(suspendedBy === undefined ? [] : [`It was suspended by ${whoOf(suspendedBy)}.`]),
      'The object is suspended until you end the override; after that its own source counts again. Saved files only.',
      ...(descendants.length === 0
        ? []
        : [`Below it: ${names}. Unless they are overridden too, they keep the files of their own source.`]),
      ...descendants.flatMap((descendant) =>
        descendant.suspendedBy === undefined
          ? []
          : [`${formatRef(descendant.ref)} was suspended by ${whoOf(descendant.suspendedBy)}.`],
      ),
      ...warnings.map((warning) => `${warning[0]?.toUpperCase() ?? ''}${warning.slice(1)}.`),
    ].join('\n\n'),
    button:
      suspendedBy === undefined ? 'Override' : `Override Despite ${suspendedBy.by ?? suspendedBy.manager}`,
    ...(descendants.length > 0 && { withDescendants: `Override With ${descendants.length} Below` }),
  };
}

function whoOf({ manager, by = manager, time, reason }: SuspendedBy): string {
  return `${by}${time === undefined ? '' : ` since ${time}`}${reason === undefined ? '' : `: ${reason}`}`;
}
