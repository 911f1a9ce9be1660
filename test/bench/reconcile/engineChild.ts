import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { engineArguments } from '../../../src/ui/engineClient.ts';
import type { EngineConfig } from '../../../src/protocol/engine.ts';
import { ipcConnection, remoteEngine, type RemoteEngine } from '../../../src/protocol/rpc.ts';

const root = resolve(import.meta.dirname, '../../..');
/** Of `/proc/<pid>/stat`: user and system time in hundredths of a second. */
const tickMs = 10;

/** The bundled engine in a process of its own, as an editor starts it. */
export interface EngineChild {
  readonly engine: RemoteEngine;
  /** Resident memory in MB; Linux only. */
  memory(): Promise<number>;
  /** Processor time used so far, in milliseconds; Linux only. */
  processorTime(): Promise<number>;
  stop(): Promise<void>;
}

/** Bundles what the editor would start. */
export function buildBundles(): void {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--production'], { cwd: root });
  if (built.status !== 0) throw new Error(`the bundles could not be built: ${built.stderr.toString()}`);
}

export async function startEngineChild(config: EngineConfig): Promise<EngineChild> {
  const child = fork(join(root, 'dist/engine.mjs'), {
    stdio: 'inherit',
    execArgv: [...engineArguments],
    serialization: 'advanced',
  });
  const engine = remoteEngine(ipcConnection(child));
  await engine.start(config);
  return {
    engine,
    async memory() {
      const status = await readFile(`/proc/${pidOf(child)}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    async processorTime() {
      const stat = await readFile(`/proc/${pidOf(child)}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * tickMs;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the engine did not start');
  return pid;
}
