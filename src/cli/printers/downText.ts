import { formatRef } from '../../kube/object.ts';
import type { DownPlan, DownResult } from '../../protocol/down.ts';
import type { Style } from '../terminal.ts';

/** What leaving local mode will do, and what stays. */
export function downPlanText(plan: DownPlan, style: Style): string {
  const vanishing = new Map(plan.vanishing.map(({ ref, objects }) => [formatRef(ref), objects]));
  const lines = [
    ...plan.leases.map((ref) => `  ${style.yellow('~')} ${formatRef(ref)} ${style.dim('given up')}`),
    ...plan.overrides.map(
      ({ ref, by, since }) =>
        `  ${style.yellow('~')} ${formatRef(ref)} ${style.dim(`no longer overridden by ${by}, who has since ${since}`)}`,
    ),
    ...plan.finalizers.map((ref) => {
      const name = formatRef(ref);
      const objects = vanishing.get(name);
      return objects === undefined
        ? `  ${style.yellow('~')} ${name} ${style.dim('without its finalizer')}`
        : `  ${style.red('-')} ${name} ${style.dim(`was to be deleted and goes now; the ${objects} objects it applied stay`)}`;
    }),
  ];
  return [
    `${style.bold('Leave local mode')} on ${plan.cluster}`,
    ...(lines.length === 0 ? ['  nothing is left to do'] : lines),
    ...plan.notes.map((note) => `  ${style.green('=')} ${note}`),
    '',
  ].join('\n');
}

export function downResultText(
  { leases, overrides, finalizers, failures }: DownResult,
  style: Style,
): string {
  return [
    `${failures.length === 0 ? style.green('✔') : style.red('✗')} ${leases.length} Leases given up, ${overrides.length} overrides ended, ${finalizers.length} finalizers removed`,
    ...failures.map(({ ref, message }) => `  ${style.red('✗')} ${formatRef(ref)}: ${message}`),
    ...(failures.length === 0 ? [] : ['  run plumb down again once that is solved']),
    '',
  ].join('\n');
}
