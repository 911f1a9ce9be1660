import { formatDuration } from '../../base/duration.ts';
import { formatRef } from '../../kube/object.ts';
import type { RunView } from '../../protocol/views.ts';
import type { Style } from '../terminal.ts';

/** What a run did, object by object, and how it ended. Unchanged objects are counted only. */
export function runText(run: RunView, style: Style): string {
  const changed = run.changeSet.filter(({ action }) => action !== 'unchanged');
  const unchanged = run.changeSet.length - changed.length;
  const lines = changed.map(
    ({ ref, action }) =>
      `${formatRef(ref)} ${action === 'deleted' ? style.red(action) : style.green(action)}`,
  );
  if (unchanged > 0) lines.push(style.dim(`${unchanged} unchanged`));
  for (const warning of run.warnings ?? []) lines.push(style.yellow(`! ${warning}`));
  const mark = run.ready ? style.green('✔') : style.red('✗');
  lines.push(
    `${mark} ${formatRef(run.ref)} ${run.reason}: ${run.message} ${style.dim(`in ${formatDuration(Math.round(run.elapsedMs))}`)}`,
  );
  return `${lines.join('\n')}\n`;
}
