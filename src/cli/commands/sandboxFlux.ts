import { isPlumbError, plumbError } from '../../base/plumbError.ts';
import {
  ensureFluxController,
  type FluxController,
  fluxControllerNames,
  type FluxControllerName,
  isFluxInstalled,
  startFluxController,
} from '../../clients/sandbox/fluxControllers.ts';
import { sandboxStatus } from '../../clients/sandbox/namedSandbox.ts';
import { type CommandContext, UsageError } from '../command.ts';
import { progressOn } from '../progress.ts';

/** `plumb sandbox flux`: runs real Flux controllers on the sandbox until the signal aborts, then lets them release their Leases. */
export async function runFlux(
  ctx: CommandContext,
  sandboxName: string,
  words: readonly string[],
): Promise<number> {
  const named = words.map(controllerName);
  const sandbox = await sandboxStatus(sandboxName);
  if (sandbox.status !== 'running')
    throw plumbError('SandboxFailed', {
      message: `sandbox ${sandboxName} is not running`,
      hint: 'plumb sandbox up starts it',
    });
  const { kubeconfig } = sandbox.state;
  if (!(await isFluxInstalled(kubeconfig)))
    throw plumbError('NotFound', {
      message: `Flux is not installed in sandbox ${sandboxName}`,
      hint: `install its definitions and rights: plumb install --kubeconfig ${kubeconfig}`,
    });
  const programs = await (named.length > 0 ? buildAll(ctx, named) : buildWhatCanBe(ctx));
  const controllers: FluxController[] = [];
  try {
    for (const { name, program } of programs) {
      const controller = await startFluxController({ name, program, kubeconfig });
      controllers.push(controller);
      ctx.terminal.out(`${name} started (process ${controller.pid}), log: ${controller.log}\n`);
      void controller.untilLeading(ctx.signal).then(
        () => ctx.terminal.out(`${name} holds its Lease\n`),
        // Its end is told below; an abort ends the waiting too.
        () => undefined,
      );
    }
    const aborted = new Promise<void>((resolve) => {
      if (ctx.signal.aborted) resolve();
      ctx.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([aborted, ...controllers.map(failWhenEnded)]);
  } finally {
    await Promise.all(controllers.map((controller) => controller.stop()));
  }
  ctx.terminal.out('controllers ended, their Leases are released\n');
  return 0;
}

async function failWhenEnded({ name, ended }: FluxController): Promise<never> {
  throw plumbError('SandboxFailed', { message: `${name} ended: ${await ended}` });
}

async function buildAll(
  ctx: CommandContext,
  names: readonly FluxControllerName[],
): Promise<{ readonly name: FluxControllerName; readonly program: string }[]> {
  const progress = progressOn(ctx.terminal);
  const programs: { name: FluxControllerName; program: string }[] = [];
  try {
    for (const name of names) {
      const program = await ensureFluxController(name, { signal: ctx.signal, onProgress: progress.say });
      programs.push({ name, program });
    }
  } finally {
    progress.end();
  }
  return programs;
}

/** All controllers; one whose modules no proxy serves here is told and left out. */
async function buildWhatCanBe(
  ctx: CommandContext,
): Promise<{ readonly name: FluxControllerName; readonly program: string }[]> {
  const programs: { name: FluxControllerName; program: string }[] = [];
  for (const name of fluxControllerNames) {
    try {
      programs.push(...(await buildAll(ctx, [name])));
    } catch (error) {
      if (name !== 'source-controller' || !isPlumbError(error, 'SandboxFailed')) throw error;
      ctx.terminal.err(`without ${name}: ${error.message}\n`);
    }
  }
  return programs;
}

function controllerName(word: string): FluxControllerName {
  const name = fluxControllerNames.find((known) => known === word);
  if (name !== undefined) return name;
  throw new UsageError(`no controller ${word}; there are ${fluxControllerNames.join(', ')}`);
}
