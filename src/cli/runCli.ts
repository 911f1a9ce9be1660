import { parseArgs } from 'node:util';
import { asPlumbError, exitCodeOf, type PlumbError } from '../base/plumbError.ts';
import { type Command, type CommandContext, UsageError } from './command.ts';
import { commands } from './commands.ts';
import { complete } from './completion/complete.ts';
import { commonOptions } from './globalOptions.ts';
import { formatCommandHelp, formatOverview } from './help.ts';
import type { Terminal } from './terminal.ts';

const usageExitCode = 64;

export interface CliRun {
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Made late: the flags decide about colours. */
  readonly terminal: (noColor: boolean) => Terminal;
}

/** Runs one command line and gives the process's exit code. The only place of the CLI that catches. */
export async function runCli(run: CliRun): Promise<number> {
  const [name, ...rest] = run.argv;
  const plain = run.terminal(run.argv.includes('--no-color'));
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = findCommand(rest[0]);
    plain.out(command === undefined ? formatOverview(commands) : formatCommandHelp(command));
    return 0;
  }
  if (name === '__complete') return completeQuietly(rest, { ...run, terminal: plain });
  const command = findCommand(name === '--version' ? 'version' : name);
  if (command === undefined) {
    plain.err(
      `plumb: there is no command ${JSON.stringify(name)}${suggestion(name)}; plumb --help lists them\n`,
    );
    return usageExitCode;
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: { ...command.options, ...commonOptions },
      allowPositionals: true,
    });
    if (values['help'] === true) {
      plain.out(formatCommandHelp(command));
      return 0;
    }
    return await command.run({
      ...run,
      terminal: plain,
      options: values as CommandContext['options'],
      positionals,
    });
  } catch (error) {
    return report(command, error, plain, run.env);
  }
}

/** A completion that fails offers nothing: an error in the middle of typing helps nobody. */
async function completeQuietly(
  argv: readonly string[],
  ctx: Parameters<typeof complete>[2],
): Promise<number> {
  try {
    await complete(commands, argv, ctx);
    return 0;
  } catch (error) {
    return exitCodeOf(asPlumbError(error).kind);
  }
}

function report(command: Command, error: unknown, terminal: Terminal, env: CliRun['env']): number {
  if (error instanceof UsageError || isParseArgsError(error)) {
    terminal.err(`plumb ${command.name}: ${usageText(error as Error)}\n`);
    terminal.err(`Usage: plumb ${command.name} ${command.usage}\n`);
    return usageExitCode;
  }
  const failure = asPlumbError(error);
  terminal.err(formatFailure(failure, terminal));
  if (env['PLUMB_LOG'] === 'debug' || failure.kind === 'bug') terminal.err(`${stackOf(failure)}\n`);
  return exitCodeOf(failure.kind);
}

/** Without Node's advice on words that begin with a dash: here nobody means one. */
function usageText({ message }: Error): string {
  return message.replace(/\. To specify a positional argument[^]*$/, '');
}

function formatFailure(failure: PlumbError, { style }: Terminal): string {
  if (failure.kind === 'cancelled') return 'cancelled\n';
  const { origin } = failure.details;
  const place =
    origin === undefined
      ? ''
      : `${origin.path}:${origin.range.start.line + 1}:${origin.range.start.character + 1}: `;
  const lines = [`${style.red('✗')} ${place}${failure.message} ${style.dim(`(${failure.code})`)}`];
  if (failure.hint !== undefined) lines.push(`  ${failure.hint}`);
  return `${lines.join('\n')}\n`;
}

function stackOf(failure: PlumbError): string {
  const { cause } = failure;
  return (cause instanceof Error ? cause.stack : failure.stack) ?? failure.message;
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

function findCommand(name: string | undefined): Command | undefined {
  return commands.find((command) => command.name === name);
}

function suggestion(name: string): string {
  const near = commands.find((command) => command.name.startsWith(name.slice(0, 3)));
  return near === undefined ? '' : `, did you mean ${near.name}?`;
}
