import type { CommandContext } from './command.ts';

/** Says on stderr why only the files are shown, where there is no cluster to ask. */
export function tellMissingCluster(
  { terminal }: CommandContext,
  { filesAloneBecause }: { readonly filesAloneBecause?: string },
): void {
  if (filesAloneBecause !== undefined) terminal.err(`! ${filesAloneBecause}; showing the files alone\n`);
}
