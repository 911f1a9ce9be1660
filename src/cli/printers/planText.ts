import type { JsonValue } from '../../base/json.ts';
import { stringifyJson } from '../../base/json.ts';
import { formatRef } from '../../kube/object.ts';
import { textDiff } from '../../kube/textDiff.ts';
import type {
  ChangeView,
  FieldChangeView,
  PlanView,
  SourceLocation,
  StaleView,
} from '../../protocol/views.ts';
import type { Style } from '../terminal.ts';

const longestValue = 60;

/** A plan for people: what changes, field by field, with the line that set it and who set the live value. */
export function planText(plan: PlanView, style: Style, now: number): string {
  const changes = plan.changes.filter(({ action, verified }) => action !== 'unchanged' || !verified);
  const lines = [
    style.bold(`${formatRef(plan.ref)} at ${plan.revision} → ${plan.cluster}`) +
      style.dim(` as ${plan.identity}`),
    ...plan.warnings.map((warning) => style.yellow(`! ${warning}`)),
    ...plan.notes.map((note) => style.dim(`· ${note}`)),
    ...changes.flatMap((change) => changeLines(change, style, now)),
    ...plan.stale.flatMap((stale) => staleLines(stale, style)),
    summaryLine(plan, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** The stale part alone: what a prune deletes, leaves, and what goes with it. */
export function pruneText(plan: PlanView, style: Style): string {
  if (plan.stale.length === 0) return `${formatRef(plan.ref)}: nothing to prune\n`;
  const lines = [
    style.bold(`${formatRef(plan.ref)} → ${plan.cluster}`),
    ...plan.stale.flatMap((stale) => staleLines(stale, style)),
  ];
  return `${lines.join('\n')}\n`;
}

/** True when applying and pruning the plan would change the cluster. */
export function hasDifferences(plan: PlanView): boolean {
  return (
    plan.changes.some(
      ({ action, verified }) => (action !== 'unchanged' && action !== 'skipped') || !verified,
    ) || plan.stale.some(({ action }) => action === 'deleted')
  );
}

/** Objects that the server refuses, or that may not be read: nothing can be said of their differences. */
export function refusedChanges(plan: PlanView): readonly ChangeView[] {
  return plan.changes.filter(isRefused);
}

function isRefused({ message, verified, approximate, action }: ChangeView): boolean {
  return message !== undefined && verified && !approximate && action !== 'recreated';
}

/** `clusters/dev/apps.yaml:12`, counted from one. */
export function placeOf(location: SourceLocation): string {
  return `${location.path}:${location.range.start.line + 1}`;
}

function changeLines(change: ChangeView, style: Style, now: number): readonly string[] {
  const color = isRefused(change)
    ? style.red
    : change.action === 'created'
      ? style.green
      : change.action === 'skipped'
        ? style.dim
        : style.yellow;
  const what = isRefused(change) ? 'refused' : change.action;
  const notes = [
    ...(change.verified ? [] : ['not verified: judged when its stage comes']),
    ...(change.approximate ? ['approximate: this identity may not dry-run'] : []),
  ];
  const place = change.location === undefined ? '' : style.dim(`  ${placeOf(change.location)}`);
  const head = `${color(`${symbolOf(change)} ${formatRef(change.ref)} ${what}`)}${place}`;
  return [
    head,
    ...notes.map((note) => style.dim(`    ${note}`)),
    ...(change.message === undefined ? [] : [`    ${change.message}`]),
    ...(change.complaints ?? []).map(
      ({ field, location }) =>
        `    ${field}${location === undefined ? '' : style.dim(`  ${placeOf(location)}`)}`,
    ),
    ...(change.hint === undefined || !isRefused(change) ? [] : [`    ${change.hint}`]),
    ...(change.action === 'created' ? [] : change.fields.flatMap((field) => fieldLines(field, style, now))),
  ];
}

function symbolOf(change: ChangeView): string {
  if (isRefused(change)) return '✗';
  switch (change.action) {
    case 'created':
      return '+';
    case 'deleted':
      return '-';
    case 'recreated':
      return '±';
    case 'skipped':
    case 'unchanged':
      return ' ';
    case 'configured':
      return '~';
  }
}

function fieldLines(field: FieldChangeView, style: Style, now: number): readonly string[] {
  const { desired, live } = field;
  const text = textDiff(live, desired);
  const values =
    text !== undefined
      ? 'differs'
      : desired === undefined
        ? style.red(`${shown(live)} will be removed`)
        : live === undefined
          ? style.green(`${shown(desired)} will be added`)
          : `${style.red(shown(live))} → ${style.green(shown(desired))}`;
  const notes = [
    field.cause === 'unknown' ? '' : field.cause,
    ownersText(field, now),
    field.location === undefined ? '' : placeOf(field.location),
  ];
  const head = `    ${field.pointer}  ${values}  ${style.dim(notes.filter((note) => note !== '').join(' · '))}`;
  return [head.trimEnd(), ...(text ?? []).map((line) => `      ${diffLine(line, style)}`)];
}

function diffLine(line: string, style: Style): string {
  if (line.startsWith('-')) return style.red(line);
  return line.startsWith('+') ? style.green(line) : style.dim(line);
}

function ownersText(field: FieldChangeView, now: number): string {
  return field.owners
    .map(({ manager, subresource, time, seen }) => {
      const what = subresource === undefined || subresource === '' ? '' : ` (${subresource})`;
      return `${manager}${what}${whenText(time, seen, now)}`;
    })
    .join(', ');
}

function whenText(time: string | undefined, seen: string | undefined, now: number): string {
  if (time !== undefined) return `, ${ageText(now - Date.parse(time))}`;
  return seen === undefined ? '' : `, seen ${ageText(now - Date.parse(seen))}`;
}

/** `4 min ago`: how long ago something was, in the largest fitting unit. */
export function ageText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.round(elapsedMs / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

function staleLines(stale: StaleView, style: Style): readonly string[] {
  const reason = stale.reason === undefined ? '' : style.dim(`  ${stale.reason}`);
  const head =
    stale.action === 'deleted'
      ? style.red(`- ${formatRef(stale.ref)} will be deleted`)
      : style.dim(
          `  ${formatRef(stale.ref)} ${stale.action === 'gone' ? 'is gone already' : 'is left alone'}`,
        );
  return [
    `${head}${reason}`,
    ...stale.consequences.map((consequence) => style.red(`    and with it: ${consequence}`)),
  ];
}

function summaryLine(plan: PlanView, style: Style): string {
  const count = (test: (change: ChangeView) => boolean): number => plan.changes.filter(test).length;
  const parts = [
    [count(({ action }) => action === 'created'), 'to create'],
    [count((change) => change.action === 'configured' && !isRefused(change)), 'to change'],
    [count(({ action }) => action === 'recreated'), 'to recreate'],
    [plan.stale.filter(({ action }) => action === 'deleted').length, 'to prune'],
    [count(({ verified }) => !verified), 'not verified yet'],
    [count(isRefused), 'refused'],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const same = count(({ action, verified }) => action === 'unchanged' && verified);
  return told.length === 0
    ? style.green(`no differences in ${same} objects`)
    : `${told.join(', ')}, ${same} unchanged`;
}

function shown(value: JsonValue | undefined): string {
  const text = value === undefined ? '' : typeof value === 'string' ? value : stringifyJson(value);
  const line = text.includes('\n') || text === '' ? JSON.stringify(text) : text;
  return line.length > longestValue ? `${line.slice(0, longestValue - 1)}…` : line;
}
