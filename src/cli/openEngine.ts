import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { loggerTo, type LogLevel } from '../base/logger.ts';
import { unlessAborted } from '../base/unlessAborted.ts';
import type { Engine, EngineConfig } from '../protocol/engine.ts';
import { type CommandContext, flagOption, textOption } from './command.ts';
import { cliCredentials } from './credentials.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Opens the engine as the flags say, hands it over, and closes it whatever happens. */
export async function withEngine<T>(
  ctx: CommandContext,
  use: (engine: Engine) => Promise<T>,
  config: Partial<EngineConfig> = {},
): Promise<T> {
  // Loaded late: commands that need no cluster start without it.
  const { createEngine } = await import('../engine/createEngine.ts');
  const engine = await createEngine(
    { ...engineConfig(ctx), ...config },
    {
      log: stderrLogger(ctx),
      credentials: cliCredentials(ctx),
    },
  );
  try {
    return await untilPatienceEnds(use(engine), ctx.signal);
  } finally {
    await engine.dispose();
  }
}

/** How long a cancelled command may take to end what it has in hand; closing the engine ends the rest. */
const patienceMs = 5_000;

async function untilPatienceEnds<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => over.abort(signal.reason), patienceMs);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  try {
    return await unlessAborted(work, over.signal);
  } finally {
    signal.removeEventListener('abort', start);
    clearTimeout(timer);
  }
}

/** The engine's configuration from the shared flags and the environment. */
export function engineConfig(ctx: CommandContext): EngineConfig {
  const kubeconfig = kubeconfigPaths(ctx);
  const context = textOption(ctx, 'context');
  const folder = repositoryAbove(ctx.cwd);
  return {
    folders: folder === undefined ? [] : [folder],
    ...(kubeconfig.length > 0 && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(flagOption(ctx, 'require-mac') && { requireSopsMac: true }),
    ...(flagOption(ctx, 'own-cloud-login') && { useOwnCloudLogin: true }),
    schedule: 'onRequest',
  };
}

/** --kubeconfig, else $KUBECONFIG, which may list several files as for kubectl; empty for the user's default. */
function kubeconfigPaths(ctx: CommandContext): readonly string[] {
  const flag = textOption(ctx, 'kubeconfig');
  if (flag !== undefined) return [flag];
  return (ctx.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
}

/** The nearest folder upwards that holds a git repository; undefined outside of any. */
export function repositoryAbove(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

function stderrLogger(ctx: CommandContext) {
  const wanted = ctx.env['PLUMB_LOG'] ?? 'warn';
  const from = Math.max(0, levels.indexOf(wanted as LogLevel));
  return loggerTo(({ level, message, fields }) => {
    if (levels.indexOf(level) < from) return;
    ctx.terminal.err(`${ctx.terminal.style.dim(level)} ${message} ${JSON.stringify(fields)}\n`);
  });
}
