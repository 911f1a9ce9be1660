import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { plumbError } from '../../base/plumbError.ts';
import { apiRequest } from './apiRequest.ts';
import { isRunning, withFileLock } from './fileLock.ts';
import { cacheFolder, defaultSandboxName } from './places.ts';
import { administratorAccess, sandboxFolder } from './sandboxFolder.ts';
import {
  commandOf,
  detachSupervisor,
  launchSupervisor,
  pidFileOf,
  type SandboxOptions,
  stopMs,
  waitForExit,
} from './startSandbox.ts';
import type { SandboxState } from './supervisorProtocol.ts';

/** A sandbox of this user that outlives the command that started it. */
export type NamedSandbox =
  | { readonly name: string; readonly status: 'running'; readonly state: SandboxState }
  /** Its processes are there and its API server is not ready: starting, ending, or broken. */
  | { readonly name: string; readonly status: 'unready'; readonly reason: string }
  | { readonly name: string; readonly status: 'absent' };

/** Starts the sandbox of that name, or finds it running. Throws SandboxFailed; nothing is left then. */
export async function sandboxUp(
  name: string,
  options: SandboxOptions,
): Promise<{ readonly state: SandboxState; readonly wasRunning: boolean }> {
  const folder = folderOf(name);
  return withLock(name, options.signal, async () => {
    const found = await sandboxStatus(name);
    if (found.status === 'running') {
      requireSameVersion(name, found.state, options.emulate);
      return { state: found.state, wasRunning: true };
    }
    await removeSandbox(folder);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const supervisor = await launchSupervisor(folder, contextOf(name), options);
    await detachSupervisor(supervisor.process);
    return { state: supervisor.state, wasRunning: false };
  });
}

function requireSameVersion(name: string, { emulates }: SandboxState, wanted: string | undefined): void {
  if (wanted === undefined || wanted === emulates) return;
  throw plumbError('SandboxFailed', {
    message: `sandbox ${name} is running and shows ${emulates === undefined ? 'its own version' : `Kubernetes ${emulates}`}, not ${wanted}`,
    hint: `plumb sandbox down --name ${name} ends it; --name gives another one beside it`,
  });
}

/** Ends the sandbox of that name and removes its data. False when there was none. */
export async function sandboxDown(name: string, signal?: AbortSignal): Promise<boolean> {
  const folder = folderOf(name);
  return withLock(name, signal, async () => {
    if (!existsSync(folder)) return false;
    await removeSandbox(folder);
    return true;
  });
}

/** What there is under that name now; asks the API server itself. */
export async function sandboxStatus(name: string): Promise<NamedSandbox> {
  const path = folderOf(name);
  const pid = await supervisorPid(path);
  if (pid === undefined) return { name, status: 'absent' };
  const folder = sandboxFolder(path);
  try {
    const state = JSON.parse(await readFile(folder.state, 'utf8')) as SandboxState;
    const access = await administratorAccess(folder, state.server);
    const { status } = await apiRequest(access, 'GET', '/readyz');
    if (status === 200) return { name, status: 'running', state };
    return { name, status: 'unready', reason: `its API server answers ${status}` };
  } catch (error) {
    return { name, status: 'unready', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Every sandbox of this user, by name. */
export async function listSandboxes(): Promise<NamedSandbox[]> {
  const entries = await readdir(sandboxesFolder(), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const sandboxes = await Promise.all(names.sort().map(sandboxStatus));
  return sandboxes.filter(({ status }) => status !== 'absent');
}

/** The context's name in the kubeconfig, so that two sandboxes can be told apart. */
function contextOf(name: string): string {
  return name === defaultSandboxName ? 'plumb-sandbox' : `plumb-sandbox-${name}`;
}

function sandboxesFolder(): string {
  return join(cacheFolder(), 'sandboxes');
}

function folderOf(name: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name)) return join(sandboxesFolder(), name);
  throw plumbError('InvalidConfiguration', {
    message: `${JSON.stringify(name)} is no name for a sandbox`,
    hint: 'use up to 40 lower-case letters, digits and hyphens, no hyphen at either end',
  });
}

function withLock<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  return withFileLock(`${folderOf(name)}.lock`, work, signal === undefined ? {} : { signal });
}

/** Ends whatever runs on the folder and removes it. The supervisor does both itself unless it was killed. */
async function removeSandbox(folder: string): Promise<void> {
  const pid = await supervisorPid(folder);
  if (pid !== undefined) {
    send(pid, 'SIGTERM');
    // Its components end when it does: their standard input closes.
    if (!(await waitForExit(pid, stopMs))) send(pid, 'SIGKILL');
    await waitForExit(pid);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** A process that ended in this moment needs no signal any more. */
function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (isRunning(pid)) throw error;
  }
}

/** The process that owns the folder, or undefined: a recorded id may belong to a stranger after a restart of the machine. */
async function supervisorPid(folder: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFileOf(folder), 'utf8').catch(() => ''));
  if (!(pid > 0)) return undefined;
  return (await commandOf(pid))?.includes(folder) === true ? pid : undefined;
}
