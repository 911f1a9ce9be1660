import { parseArgs } from 'node:util';
import type { Command, CommandContext } from '../command.ts';
import { completeWords, type Candidate } from './completeWords.ts';

/** What `plumb __complete [--count N] -- WORDS` is asked by the shells' scripts: prints what the last word may become. */
export async function complete(
  commands: readonly Command[],
  argv: readonly string[],
  ctx: Omit<CommandContext, 'options' | 'positionals'>,
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { count: { type: 'string' } },
    allowPositionals: true,
  });
  const count = Math.max(positionals.length, Number(values.count ?? 0), 1);
  const words = Array.from({ length: count }, (_, index) => positionals[index] ?? '');
  const completing = completeWords(commands, words);
  const last = words.at(-1) ?? '';
  const isFile = completing.type === 'lookup' && completing.what === 'file';
  if (isFile) ctx.terminal.out(':files\n');
  // In --flag=value only the value is completed.
  const head = last.startsWith('--') ? (/^--[^=]*=/.exec(last)?.[0] ?? '') : '';
  const candidates = completing.type === 'words' ? completing.candidates : await lookedUp(ctx, completing);
  ctx.terminal.out(
    candidates
      .filter(([word]) => `${head}${word}`.startsWith(last))
      .map(lineOf(head))
      .join(''),
  );
}

async function lookedUp(
  ctx: Omit<CommandContext, 'options' | 'positionals'>,
  completing: Extract<ReturnType<typeof completeWords>, { type: 'lookup' }>,
): Promise<readonly Candidate[]> {
  // Loaded late: most words need no engine.
  const { lookUp } = await import('./lookUp.ts');
  const { options, positionals } = completing;
  return lookUp({ ...ctx, options, positionals }, completing);
}

function lineOf(head: string): (candidate: Candidate) => string {
  return ([word, meaning]) => `${head}${word}\t${meaning.replace(/\s+/g, ' ')}\n`;
}
