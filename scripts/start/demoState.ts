import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../src/clients/sandbox/places.ts';

/** What the demo's host process runs, as its state file says. */
export interface DemoState {
  readonly pid: number;
  readonly phase: 'starting' | 'ready' | 'failed';
  /** What is being done, or why it failed. */
  readonly message: string;
  readonly kubeconfig?: string;
  readonly repositoryUrl?: string;
  /** The clone that the story edits and the editor opens. */
  readonly fleetFolder?: string;
  readonly editor?: { readonly url: string; readonly password: string };
  readonly editorMessage?: string;
}

/** The folder of the demo that `npm start` leaves running; `--once` uses a temporary one. */
export function demoFolder(): string {
  return join(cacheFolder(), 'demo');
}

/** The state of a running host; undefined when none runs. A state file of a dead process is removed. */
export function readDemoState(folder: string): DemoState | undefined {
  let state: DemoState;
  try {
    state = JSON.parse(readFileSync(stateFile(folder), 'utf8')) as DemoState;
  } catch {
    return undefined; // No file, or one that is no state: nothing runs.
  }
  if (isAlive(state.pid)) return state;
  rmSync(stateFile(folder), { force: true });
  return undefined;
}

/** Writes the state at once or not at all, readable by the user only: it holds the editor's password. */
export function writeDemoState(folder: string, state: DemoState): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${stateFile(folder)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  renameSync(temporary, stateFile(folder));
}

export function removeDemoState(folder: string): void {
  rmSync(stateFile(folder), { force: true });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function stateFile(folder: string): string {
  return join(folder, 'state.json');
}
