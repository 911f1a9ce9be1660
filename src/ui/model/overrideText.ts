import { formatRef } from '../../kube/object.ts';
import type { OverridePlan } from '../../protocol/views.ts';
import type { Confirmation } from './planText.ts';

/** The question before an override: it names the cluster, the folder, and whoever suspended the object before. */
export function overrideConfirmation(plan: OverridePlan): Confirmation {
  const { ref, cluster, folder, suspendedBy, warnings } = plan;
  const since = suspendedBy?.time === undefined ? '' : ` since ${suspendedBy.time}`;
  const reason = suspendedBy?.reason === undefined ? '' : `: ${suspendedBy.reason}`;
  return {
    message: `Apply ${folder} as ${formatRef(ref)} in ${cluster}, in place of its controller?`,
    detail: [
      ...(suspendedBy === undefined ? [] : [`It was suspended by ${suspendedBy.manager}${since}${reason}.`]),
      'The object is suspended until you end the override; after that its own source counts again. Saved files only.',
      ...warnings.map((warning) => `${warning[0]?.toUpperCase() ?? ''}${warning.slice(1)}.`),
    ].join('\n\n'),
    button: suspendedBy === undefined ? 'Override' : `Override Despite ${suspendedBy.manager}`,
  };
}
