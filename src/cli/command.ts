import type { Terminal } from './terminal.ts';

/**
 * What completes a word: these values, or what they are looked up from. `kind` is any Flux kind, `object` the names of
 * the kind before it, `kindAndObject` both with a slash between.
 */
export type Completion =
  readonly string[] | 'command' | 'context' | 'file' | 'kind' | 'kindAndObject' | 'namespace' | 'object';

/** One flag of a command: the shape node:util's parseArgs takes, and what help says about it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What completes its value; nothing when absent. */
  readonly completion?: Completion;
  /** What stands for the value in help, `NAME` in `--context NAME`. */
  readonly value?: string;
  readonly description: string;
}

export type OptionValue = string | boolean | readonly string[] | undefined;

/** What a command gets: its words and flags, the terminal, and a signal that Ctrl-C aborts. */
export interface CommandContext {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** A command of `plumb`. `run` gives the exit code; failures are thrown and become theirs (architecture, section 10). */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The words after the name, `[KIND] [NAME]`. */
  readonly usage: string;
  /** What completes these words, one by one; the last one goes on. Nothing when absent. */
  readonly completions?: readonly Completion[];
  /** What help teaches beyond the summary: a few short paragraphs. */
  readonly details?: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  run(ctx: CommandContext): Promise<number>;
}

/** The flag's text, or undefined. */
export function textOption(ctx: CommandContext, name: string): string | undefined {
  const value = ctx.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether the flag is set. */
export function flagOption(ctx: CommandContext, name: string): boolean {
  return ctx.options[name] === true;
}

/** Wrong use of the command line; exits with 64 and points to help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
