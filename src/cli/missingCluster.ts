import type { TreeView } from '../protocol/views.ts';
import type { CommandContext } from './command.ts';

type Limits = Pick<TreeView, 'filesAloneBecause' | 'limitedTo'>;

/** Says on stderr what of the cluster is not shown, and why. */
export function tellMissingCluster(
  { terminal }: CommandContext,
  { filesAloneBecause, limitedTo }: Limits,
): void {
  if (filesAloneBecause !== undefined) terminal.err(`! ${filesAloneBecause}; showing the files alone\n`);
  if (limitedTo === undefined) return;
  const { because, namespaces } = limitedTo;
  const where =
    namespaces.length === 0 ? 'showing the files alone' : `looked only in ${namespaces.join(', ')}`;
  terminal.err(`! ${because}; ${where}\n  a role such as view in all namespaces shows everything\n`);
}
