import { type CommandContext, flagOption, type OptionSpec, UsageError } from './command.ts';

export const yesOption = {
  yes: { type: 'boolean', short: 'y', description: 'do not ask' },
} as const satisfies Record<string, OptionSpec>;

/** Asks at the terminal; --yes answers. Where nobody can be asked it is an error, never a yes. */
export async function confirmed(ctx: CommandContext, question: string): Promise<boolean> {
  if (flagOption(ctx, 'yes')) return true;
  if (!ctx.terminal.isInteractive || process.stdin.isTTY !== true) {
    throw new UsageError(
      `this asks before it changes the cluster (${question}); pass --yes where nobody can answer`,
    );
  }
  // Loaded late: most command lines ask nothing.
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: ctx.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
