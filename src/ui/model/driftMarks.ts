import { formatRef, refKey } from '../../kube/object.ts';
import { textDiff } from '../../kube/textDiff.ts';
import type { Range } from '../../base/position.ts';
import type { DriftMark, DriftView, FieldChangeView } from '../../protocol/views.ts';
import { valueText } from './planText.ts';
import { relativeTime } from './relativeTime.ts';

/** How a mark is drawn: what the cluster changed stands out, what the user is changing does not. */
export type MarkStyle = 'drifted' | 'edited';

/** The end-of-line mark of one line. */
export interface LineMark {
  readonly line: number;
  readonly text: string;
  readonly style: MarkStyle;
  readonly marks: readonly DriftMark[];
}

/** A line above an object that exists on one side only. */
export interface Lens {
  readonly range: Range;
  readonly title: string;
  readonly command: 'plumb.apply' | 'plumb.prune';
  readonly workload: DriftMark['workload'];
}

/** Objects that a lens names one by one: it has one line. */
const namedInLens = 2;

/** One mark for each line. What is only edited is left out unless asked for: the user knows what they type. */
export function lineMarks(view: DriftView, showEdited: boolean, now: number): readonly LineMark[] {
  const byLine = new Map<number, DriftMark[]>();
  for (const mark of view.marks) {
    if (mark.field.cause === 'edited' && !showEdited) continue;
    const line = mark.range.start.line;
    byLine.set(line, [...(byLine.get(line) ?? []), mark]);
  }
  return [...byLine].map(([line, marks]) => ({
    line,
    marks,
    text: lineText(marks, now),
    style: marks.every(({ field }) => field.cause === 'edited') ? 'edited' : 'drifted',
  }));
}

/** What the mark says: `cluster: 5 · kubectl (scale), 4 min ago`. */
export function markText({ field }: DriftMark, now: number): string {
  switch (field.cause) {
    case 'edited':
      return `will change ${valueText(field.live)} → ${valueText(field.desired)}`;
    case 'both':
      return `${clusterText(field, now)}; edited here too`;
    case 'drifted':
    case 'unknown':
      return clusterText(field, now);
  }
}

/** The difference as a small diff, the cluster's side first. */
export function hoverDiff({ field }: DriftMark): string {
  const name = field.pointer
    .slice(field.pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  const text = textDiff(field.live, field.desired);
  if (text !== undefined) return text.join('\n');
  return [
    ...(field.live === undefined ? [] : [`- ${name}: ${valueText(field.live)}`]),
    ...(field.desired === undefined ? [] : [`+ ${name}: ${valueText(field.desired)}`]),
  ].join('\n');
}

/** Name and value of each line of a hover; plain text. */
export function hoverRows(mark: DriftMark, now: number): readonly (readonly [name: string, value: string])[] {
  return [
    ['Object', formatRef(mark.ref)],
    ['Field', mark.field.pointer],
    ['Cause', causeText(mark.field.cause)],
    ...mark.field.owners.map((owner) => ['Set by', ownerText(owner, now)] as const),
  ];
}

/** Lenses for objects that exist on one side only; what a prune would delete is told in one. */
export function lenses(view: DriftView): readonly Lens[] {
  const top = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  const stale = Map.groupBy(view.onlyInCluster, ({ workload }) => refKey(workload));
  return [
    ...view.onlyInGit.map((each) => ({
      range: each.range,
      title: `$(diff-added) only in Git: apply creates ${formatRef(each.ref)}`,
      command: 'plumb.apply' as const,
      workload: each.workload,
    })),
    ...[...stale.values()].flatMap((objects) =>
      objects.slice(0, 1).map(({ workload }) => ({
        range: top,
        title: `$(diff-removed) only in the cluster: ${namesText(objects.map(({ ref }) => formatRef(ref)))}`,
        command: 'plumb.prune' as const,
        workload,
      })),
    ),
  ];
}

function namesText(names: readonly string[]): string {
  const named = names.slice(0, namedInLens).join(', ');
  return names.length > namedInLens ? `${named} and ${names.length - namedInLens} more` : named;
}

function lineText(marks: readonly DriftMark[], now: number): string {
  const [first] = marks;
  if (first === undefined) return '';
  const same = new Set(marks.map((mark) => markText(mark, now)));
  if (same.size === 1)
    return marks.length === 1 ? markText(first, now) : `${markText(first, now)} (${marks.length} fields)`;
  return `${marks.length} fields differ: ${markText(first, now)} …`;
}

function clusterText(field: FieldChangeView, now: number): string {
  const owner = field.owners[0];
  const by = owner === undefined ? '' : ` · ${ownerText(owner, now)}`;
  return field.live === undefined ? `not in the cluster${by}` : `cluster: ${valueText(field.live)}${by}`;
}

function ownerText(owner: FieldChangeView['owners'][number], now: number): string {
  const name = owner.subresource === undefined ? owner.manager : `${owner.manager} (${owner.subresource})`;
  const when = owner.time ?? owner.seen;
  const words = when === undefined ? undefined : relativeTime(when, now);
  if (words === undefined) return name;
  return owner.time === undefined ? `${name}, seen ${words}` : `${name}, ${words}`;
}

function causeText(cause: FieldChangeView['cause']): string {
  switch (cause) {
    case 'drifted':
      return 'drifted: the cluster left what was last applied';
    case 'edited':
      return 'edited: these files differ from what was last applied';
    case 'both':
      return 'both: the cluster left what was last applied, and these files did too';
    case 'unknown':
      return 'not known: what was last applied cannot be told';
  }
}
