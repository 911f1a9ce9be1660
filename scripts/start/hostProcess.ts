import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DemoState, isAlive, readDemoState } from './demoState.ts';
import { heading, note, progressLine } from './telling.ts';

/** A host that is ready: everything the story needs. */
export type ReadyDemo = DemoState & Required<Pick<DemoState, 'kubeconfig' | 'repositoryUrl' | 'fleetFolder'>>;

const stopMs = 30_000;

/** The running host, or a new one; waits until its control plane and Git server answer. */
export async function ensureHost(folder: string, editor: boolean, signal: AbortSignal): Promise<ReadyDemo> {
  const running = readDemoState(folder);
  if (
    running?.phase === 'ready' &&
    (!editor || running.editor !== undefined || running.editorMessage !== undefined)
  ) {
    heading('The demo is running already');
    return running as ReadyDemo;
  }
  if (running !== undefined) await stopHost(folder, running.pid);
  heading('Starting a real Kubernetes control plane and a Git server');
  const pid = spawnHost(folder, editor);
  const progress = progressLine('sandbox');
  for (;;) {
    const state = readDemoState(folder);
    if (state?.phase === 'ready') {
      progress.done();
      return state as ReadyDemo;
    }
    if (state?.phase === 'failed') throw new Error(state.message);
    if (!isAlive(pid))
      throw new Error(`the demo's host process ended; ${join(folder, 'host.log')} may say why`);
    progress.update(state?.message ?? 'starting');
    await delay(100, undefined, { signal });
  }
}

/** Ends the host and with it everything it runs. */
export async function stopHost(folder: string, pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + stopMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline)
      throw new Error(
        `process ${pid} did not end within ${stopMs / 1000} s; ${join(folder, 'host.log')} may say why`,
      );
    await delay(50);
  }
  note('stopped');
}

function spawnHost(folder: string, editor: boolean): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openSync(join(folder, 'host.log'), 'w', 0o600);
  const args = [
    join(import.meta.dirname, 'demoHost.ts'),
    '--folder',
    folder,
    ...(editor ? ['--editor'] : []),
  ];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  closeSync(log);
  if (child.pid === undefined) throw new Error('the demo’s host process could not be started');
  return child.pid;
}
