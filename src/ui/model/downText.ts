import { formatRef, refKey } from '../../kube/object.ts';
import type { DownPlan, DownResult } from '../../protocol/down.ts';
import { countOf, list, page, section } from './page.ts';
import type { Confirmation } from './planText.ts';

/** What leaving local mode for good writes, what it lets go of and what stays. */
export function downPlanPage(plan: DownPlan): string {
  const objectsOf = new Map(plan.vanishing.map(({ ref, objects }) => [refKey(ref), objects]));
  const staying = plan.finalizers.filter((ref) => !objectsOf.has(refKey(ref)));
  return page(`Leave local mode on ${plan.cluster}: the plan`, [
    'Nothing has been written yet. Nothing is deleted that is not waiting for its deletion already.',
    ...part('Leases given up', plan.leases.map(formatRef)),
    ...part(
      'Overrides ended',
      plan.overrides.map(({ ref, by, since }) => `${formatRef(ref)}, by ${by} since ${since}`),
    ),
    ...part('Lose the finalizer that nobody would run, and stay', staying.map(formatRef)),
    ...part(
      'Wait for their deletion, and go at once',
      plan.vanishing.map(
        ({ ref, objects }) => `${formatRef(ref)}: ${countOf(objects, 'object')} that it applied stay behind`,
      ),
    ),
    ...part('What stays, and who goes on', plan.notes),
  ]);
}

/** The question before it; undefined when nothing is left to do. */
export function downConfirmation(plan: DownPlan): Confirmation | undefined {
  const { cluster, leases, overrides, finalizers, vanishing } = plan;
  if (leases.length + overrides.length + finalizers.length === 0) return undefined;
  const orphans = vanishing.reduce((sum, { objects }) => sum + objects, 0);
  return {
    message: `Leave local mode on the cluster ${cluster} for good?`,
    detail: [
      `${counts({ leases, overrides, finalizers })}, as listed in the plan.`,
      ...(vanishing.length === 0
        ? []
        : [
            `${countOf(vanishing.length, 'Flux object')} waiting for deletion ${vanishing.length === 1 ? 'goes' : 'go'} at once, and ${countOf(orphans, 'object')} applied by them stay behind.`,
          ]),
      ...plan.notes,
    ].join('\n'),
    button: 'Leave for Good',
  };
}

/** What it did. */
export function downResultPage(cluster: string, result: DownResult): string {
  const { failures } = result;
  return page(`Leave local mode on ${cluster}: ${failures.length === 0 ? 'done' : 'not complete'}`, [
    `${counts(result)}.`,
    ...part(
      'Finalizers not removed',
      failures.map(({ ref, message }) => `${formatRef(ref)}: ${message}`),
    ),
    ...(failures.length === 0 ? [] : ['Run "Plumb: Leave Local Mode for Good…" again once that is solved.']),
  ]);
}

function part(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [section(title, list(lines))];
}

function counts({
  leases,
  overrides,
  finalizers,
}: Pick<DownResult, 'leases' | 'finalizers'> & { readonly overrides: readonly unknown[] }): string {
  return [
    `${countOf(leases.length, 'Lease')} given up`,
    `${countOf(overrides.length, 'override')} ended`,
    `${countOf(finalizers.length, 'finalizer')} removed`,
  ].join(', ');
}
