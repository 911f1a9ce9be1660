import { stringifyJson, type JsonValue } from '../../base/json.ts';
import { formatRef } from '../../kube/object.ts';
import type { ChangeView, FieldChangeView, PlanView, StaleView } from '../../protocol/views.ts';
import { shortRevision } from './revision.ts';

const shownLines = 14;

/** What a user is asked before something is written. */
export interface Confirmation {
  readonly message: string;
  readonly detail: string;
  readonly button: string;
}

/** The changes that an apply of the plan would write. */
export function writtenChanges(plan: PlanView): readonly ChangeView[] {
  return plan.changes.filter((change) => change.action !== 'unchanged' && change.action !== 'skipped');
}

/** The objects that a prune of the plan would delete. */
export function deletedObjects(plan: PlanView): readonly StaleView[] {
  return plan.stale.filter((stale) => stale.action === 'deleted');
}

/** Names cluster, identity and every object; undefined when there is nothing to apply. */
export function applyConfirmation(plan: PlanView): Confirmation | undefined {
  const changes = writtenChanges(plan);
  if (changes.length === 0) return undefined;
  return {
    message: `Apply ${count(changes.length, 'change')} of ${formatRef(plan.ref)} to the cluster ${plan.cluster}?`,
    detail: detail(plan, [
      ...changes.flatMap(changeLines),
      ...(deletedObjects(plan).length === 0
        ? []
        : [
            `Not deleted by this: ${count(deletedObjects(plan).length, 'object')} no longer in Git (see Prune).`,
          ]),
    ]),
    button: `Apply ${count(changes.length, 'Change')}`,
  };
}

/** Names cluster, identity, what is deleted and what vanishes with it; undefined when nothing is stale. */
export function pruneConfirmation(plan: PlanView): Confirmation | undefined {
  const deleted = deletedObjects(plan);
  if (deleted.length === 0) return undefined;
  const kept = plan.stale.filter((stale) => stale.action === 'skipped');
  const everything = plan.changes.length === 0 ? ['Nothing is left in Git: this prunes everything.'] : [];
  return {
    message: `Delete ${count(deleted.length, 'object')} of ${formatRef(plan.ref)} from the cluster ${plan.cluster}?`,
    detail: detail(plan, [
      ...everything,
      ...deleted.flatMap(staleLines),
      ...kept.map((stale) => `keep ${formatRef(stale.ref)}${because(stale.reason)}`),
    ]),
    button: `Delete ${count(deleted.length, 'Object')}`,
  };
}

/** One line for the outcome of a diff. */
export function diffSummary(plan: PlanView): string {
  const changes = writtenChanges(plan).length;
  const deleted = deletedObjects(plan).length;
  const name = formatRef(plan.ref);
  if (changes === 0 && deleted === 0) return `${name}: the cluster ${plan.cluster} is true to Git`;
  const parts = [
    ...(changes === 0 ? [] : [`${count(changes, 'object')} would change`]),
    ...(deleted === 0 ? [] : [`${count(deleted, 'object')} would be pruned`]),
  ];
  const guess = plan.changes.some(({ approximate }) => approximate)
    ? ' (approximate: dry-run is not allowed)'
    : '';
  return `${name}: ${parts.join(', ')} in the cluster ${plan.cluster}${guess}`;
}

/** `/spec/replicas: 5 → 3`, with what is not there as `–`. */
export function fieldText(field: FieldChangeView): string {
  return `${field.pointer}: ${valueText(field.live)} → ${valueText(field.desired)}`;
}

/** A value short enough for one line. */
export function valueText(value: JsonValue | undefined): string {
  if (value === undefined) return '–';
  const text = typeof value === 'string' && /^\S+$/.test(value) ? value : stringifyJson(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function changeLines(change: ChangeView): string[] {
  const verified = change.verified ? '' : ' (not verified yet: an earlier stage comes first)';
  const approximate = change.approximate ? ' (approximate: dry-run is not allowed)' : '';
  const head = `${verbOf(change.action)} ${formatRef(change.ref)}${verified}${approximate}`;
  if (change.message !== undefined) return [head, `    the server says: ${change.message}`];
  if (change.action !== 'configured') return [head];
  const fields = change.fields.slice(0, 4).map((field) => `    ${fieldText(field)}`);
  const more = change.fields.length - fields.length;
  return [head, ...fields, ...(more > 0 ? [`    and ${count(more, 'more field')}`] : [])];
}

function verbOf(action: ChangeView['action']): string {
  switch (action) {
    case 'created':
      return 'create';
    case 'configured':
      return 'change';
    case 'recreated':
      return 'delete and create again';
    case 'deleted':
      return 'delete';
    case 'unchanged':
    case 'skipped':
      return 'leave';
  }
}

function staleLines(stale: StaleView): string[] {
  return [
    `delete ${formatRef(stale.ref)}${because(stale.reason)}`,
    ...stale.consequences.map((consequence) => `    ${consequence}`),
  ];
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}

/** Asks whether the user's own logins may stand in for the identity that only the controllers have; undefined where none would help. */
export function loginQuestion({ ref, offeredLogins = [] }: PlanView): string | undefined {
  if (offeredLogins.length === 0) return undefined;
  return `The controllers open keys of ${offeredLogins.join(' and ')} for ${formatRef(ref)} with their workload identity. Use your own login there instead?`;
}

function detail(plan: PlanView, lines: readonly string[]): string {
  const shown = lines.length <= shownLines ? lines : lines.slice(0, shownLines - 1);
  const more = lines.length - shown.length;
  return [
    `Revision ${shortRevision(plan.revision)}, with the rights of ${plan.identity}.`,
    '',
    ...shown,
    ...(more > 0 ? [`… and ${count(more, 'more line')}`] : []),
    ...plan.warnings.map((warning) => `Warning: ${warning}`),
    ...plan.notes.map((note) => `Note: ${note}`),
  ].join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
