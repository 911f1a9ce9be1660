import { formatRef } from '../../kube/object.ts';
import type { EventView } from '../../protocol/look.ts';
import { formatTable, visibleLength } from '../table.ts';
import type { Style } from '../terminal.ts';
import { ageText } from './planText.ts';

const titles = ['last seen', 'type', 'reason', 'object', 'message'];

/** A table, the newest last. */
export function eventsText(events: readonly EventView[], style: Style, now: number): string {
  if (events.length === 0) return 'no events of Flux objects\n';
  return formatTable(
    titles,
    events.map((event) => eventCells(event, style, now)),
  );
}

/** One event as a line of its own, for a stream that knows no widths. */
export function eventLine(event: EventView, style: Style): string {
  const cells = [event.lastSeen, ...eventCells(event, style, Date.parse(event.lastSeen)).slice(1)];
  return `${cells.map((cell) => cell + ' '.repeat(Math.max(0, 8 - visibleLength(cell)))).join('  ')}\n`;
}

function eventCells(event: EventView, style: Style, now: number): readonly string[] {
  const { type, count } = event;
  const again = count > 1 ? ` (${count} times)` : '';
  return [
    `${ageText(now - Date.parse(event.lastSeen))}${again}`,
    type === 'Warning' ? style.yellow(type) : type,
    event.reason,
    formatRef(event.object),
    event.message.replace(/\s*\n\s*/g, ' '),
  ];
}
