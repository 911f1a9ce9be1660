import {
  listSandboxes,
  type NamedSandbox,
  sandboxDown,
  sandboxStatus,
  sandboxUp,
} from '../../clients/sandbox/namedSandbox.ts';
import { defaultSandboxName } from '../../clients/sandbox/places.ts';
import { ensureSandboxPrograms, missingComponents } from '../../clients/sandbox/sandboxPrograms.ts';
import { type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import { progressOn } from '../progress.ts';
import { formatTable } from '../table.ts';
import { runFlux } from './sandboxFlux.ts';

/** Does what the words of `plumb sandbox` say. */
export function runSandbox(ctx: CommandContext): Promise<number> {
  const [action, ...rest] = ctx.positionals;
  if (action === 'flux') return runFlux(ctx, nameOf(ctx), rest);
  if (rest.length > 0) throw new UsageError(`unexpected ${rest.join(' ')}`);
  switch (action) {
    case 'up':
      return up(ctx);
    case 'down':
      return down(ctx);
    case 'status':
      return status(ctx);
    case 'env':
      return env(ctx);
    default:
      throw new UsageError('say what to do: up, down, status, env or flux');
  }
}

async function up(ctx: CommandContext): Promise<number> {
  const name = nameOf(ctx);
  const progress = progressOn(ctx.terminal);
  try {
    const programs = await ensureSandboxPrograms({ signal: ctx.signal, onProgress: progress.say });
    const { state, wasRunning } = await sandboxUp(name, {
      programs,
      nodes: nodesOf(ctx),
      ...emulateOf(ctx),
      signal: ctx.signal,
      onProgress: progress.say,
    });
    progress.end();
    if (printedJson(ctx, { name, wasRunning, ...state })) return 0;
    const how = wasRunning
      ? 'was already running'
      : `ready after ${(state.readyAfterMs / 1000).toFixed(1)} s`;
    ctx.terminal.out(`sandbox ${name} ${how} at ${state.server}\n`);
    const missing = missingComponents(programs);
    if (missing.length > 0)
      ctx.terminal.err(`without ${missing.join(', ')}: objects are stored, but nothing becomes ready\n`);
    ctx.terminal.out(`export KUBECONFIG=${shellQuoted(state.kubeconfig)}\n`);
    return 0;
  } finally {
    progress.end();
  }
}

async function down(ctx: CommandContext): Promise<number> {
  if (flagOption(ctx, 'all') && textOption(ctx, 'name') !== undefined)
    throw new UsageError('--name and --all exclude each other');
  const names = flagOption(ctx, 'all') ? (await listSandboxes()).map(({ name }) => name) : [nameOf(ctx)];
  const ended: string[] = [];
  for (const name of names) if (await sandboxDown(name, ctx.signal)) ended.push(name);
  if (printedJson(ctx, { ended })) return 0;
  for (const name of names)
    ctx.terminal.out(
      `sandbox ${name} ${ended.includes(name) ? 'ended, its data is gone' : 'was not running'}\n`,
    );
  if (names.length === 0) ctx.terminal.out('no sandbox was running\n');
  return 0;
}

async function status(ctx: CommandContext): Promise<number> {
  const only = textOption(ctx, 'name');
  const sandboxes = only === undefined ? await listSandboxes() : [await sandboxStatus(only)];
  if (printedJson(ctx, sandboxes)) return exitCodeOf(sandboxes);
  if (sandboxes.length === 0) ctx.terminal.out('no sandbox is running; plumb sandbox up starts one\n');
  else
    ctx.terminal.out(
      formatTable(['name', 'status', 'server', 'started', 'kubeconfig'], sandboxes.map(rowOf)),
    );
  return exitCodeOf(sandboxes);
}

async function env(ctx: CommandContext): Promise<number> {
  const name = nameOf(ctx);
  const sandbox = await sandboxStatus(name);
  if (sandbox.status !== 'running') {
    ctx.terminal.err(`sandbox ${name} is not running; plumb sandbox up starts it\n`);
    return 1;
  }
  if (printedJson(ctx, { KUBECONFIG: sandbox.state.kubeconfig })) return 0;
  ctx.terminal.out(`export KUBECONFIG=${shellQuoted(sandbox.state.kubeconfig)}\n`);
  return 0;
}

/** 1 when one of them is not as it should be. */
function exitCodeOf(sandboxes: readonly NamedSandbox[]): number {
  return sandboxes.every((sandbox) => sandbox.status === 'running') ? 0 : 1;
}

function rowOf(sandbox: NamedSandbox): readonly string[] {
  switch (sandbox.status) {
    case 'running': {
      const { server, startedAt, kubeconfig } = sandbox.state;
      return [sandbox.name, 'running', server, startedAt, kubeconfig];
    }
    case 'unready':
      return [sandbox.name, `not ready: ${sandbox.reason}`, '', '', ''];
    case 'absent':
      return [sandbox.name, 'not running', '', '', ''];
  }
}

function printedJson(ctx: CommandContext, value: object): boolean {
  const format = textOption(ctx, 'output') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`-o ${format}: only text and json are known`);
  if (format === 'json') ctx.terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
  return format === 'json';
}

function nameOf(ctx: CommandContext): string {
  return textOption(ctx, 'name') ?? defaultSandboxName;
}

function nodesOf(ctx: CommandContext): number {
  const text = textOption(ctx, 'nodes') ?? '1';
  const nodes = Number(text);
  if (Number.isInteger(nodes) && nodes >= 1 && nodes <= 100) return nodes;
  throw new UsageError(`--nodes ${text}: must be a number from 1 to 100`);
}

function emulateOf(ctx: CommandContext): { readonly emulate?: string } {
  const emulate = textOption(ctx, 'emulate');
  if (emulate === undefined) return {};
  if (/^1\.3[3-5]$/.test(emulate)) return { emulate };
  throw new UsageError(`--emulate ${emulate}: Kubernetes 1.36 can show 1.33, 1.34 and 1.35`);
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
